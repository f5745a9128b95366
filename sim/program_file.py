"""Signal programs (tlLogic elements) as plain data.

A NEMA program is no cycle of states: its phases (in the sense of NEMA) run in two rings side by
side, and both rings cross a barrier together. It is unrolled into the cycle that it runs while all
call, every phase for its maximum duration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from xml.etree.ElementTree import Element

from ampelwerk.sim.sumo_time import required_seconds, seconds

_STRONGER = "rsgG"
"""Letters of NEMA states; where both rings show one, the later of these wins."""
_RINGS, _BARRIERS = ("ring1", "ring2"), ("barrierPhases", "barrier2Phases", "coordinatePhases")
_NEMA_AMBER_S = "3"
"""Amber where a NEMA phase names none. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramState:
    """One state of a signal program."""

    duration_s: float
    state: str
    min_duration_s: float | None
    max_duration_s: float | None

    @property
    def fixed(self) -> bool:
        """Its duration does not vary."""
        return self.min_duration_s is None or self.min_duration_s == self.max_duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalProgram:
    """A tlLogic element."""

    signal_id: str
    program_id: str
    kind: str
    offset_s: float
    states: tuple[ProgramState, ...]


def signal_program(element: Element) -> SignalProgram:
    """A tlLogic element as data.

    Raises
    ------
    ValueError : a duration is no time.
    """
    kind = element.get("type", "static")
    states = _unrolled(element) if kind == "NEMA" else map(_state, element.iter("phase"))
    return SignalProgram(
        signal_id=element.get("id", ""),
        program_id=element.get("programID", "0"),
        kind=kind,
        offset_s=seconds(element.get("offset", "0")) or 0.0,  # SUMO also knows the word begin
        states=tuple(states),
    )


def _state(element: Element) -> ProgramState:
    return ProgramState(
        duration_s=required_seconds(element.get("duration", "0")),
        state=element.get("state", ""),
        min_duration_s=_optional(element.get("minDur")),
        max_duration_s=_optional(element.get("maxDur")),
    )


def _optional(text: str | None) -> float | None:
    return None if text is None else required_seconds(text)


def _unrolled(element: Element) -> Iterator[ProgramState]:
    """States of a NEMA program."""
    ntcip_phases = {row.get("name", ""): row for row in element.iter("phase")}
    param = {row.get("key", ""): row.get("value", "") for row in element.iter("param")}
    barriers = {name for key in _BARRIERS for name in _names(param.get(key, ""))}
    rings = [
        _sides([n for n in _names(param.get(key, "")) if n in ntcip_phases], barriers)
        for key in _RINGS
    ]
    together = [
        [ntcip_phases[ring[min(k, len(ring) - 1)]] for ring in side if ring]
        for side in zip_longest(*rings, fillvalue=())
        for k in range(max(map(len, side)))
    ]
    for k, shown in enumerate(together):
        yield from _step(shown, together[(k + 1) % len(together)])


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _sides(ring: Sequence[str], barriers: set[str]) -> list[list[str]]:
    """A ring cut behind the phases that end at a barrier."""
    sides = list[list[str]]([[]])
    for name in ring:
        sides[-1].append(name)
        if name in barriers:
            sides.append([])
    return [side for side in sides if side]


def _step(shown: list[Element], following: list[Element]) -> Iterator[ProgramState]:
    """What both rings show together, then amber and red for what does not go on."""
    state, onward = _overlaid(shown), _overlaid(following)
    least_s = max(required_seconds(row.get("minDur", "0")) for row in shown)
    most_s = max(required_seconds(row.get("maxDur", row.get("duration", "0"))) for row in shown)
    yield ProgramState(
        duration_s=most_s, state=state, min_duration_s=least_s, max_duration_s=most_s
    )
    ending = [row for row in shown if row not in following]
    for attribute, letter, default in (("yellow", "y", _NEMA_AMBER_S), ("red", "r", "0")):
        yield ProgramState(
            duration_s=max(
                (required_seconds(row.get(attribute, default)) for row in ending), default=0.0
            ),
            state="".join(
                letter if now in "gG" and then not in "gG" else now
                for now, then in zip(state, onward, strict=True)
            ),
            min_duration_s=None,
            max_duration_s=None,
        )


def _overlaid(rows: Sequence[Element]) -> str:
    """States of phases that are shown together."""
    columns = zip(*(row.get("state", "") for row in rows), strict=True)
    return "".join(max(column, key=_STRONGER.find) for column in columns)
