"""What the witness reads of a net by itself: foes by link, and what the programs show together.

It shares no code with the importer beyond the opening of XML files. Links are found through their
internal lanes: the last internal lane of a connection names its row in the junction's right-of-way
matrix. A crossing's row is that of the crossing lane itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from ampelwerk.sim.net_file import elements

GREEN = frozenset("Gg")


@dataclass(slots=True)
class SignalLinks:
    """One signal as the net has it."""

    foes: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of link indices whose paths meet, smaller first."""
    together: set[tuple[int, int]] = field(default_factory=set)
    """Pairs that some program shows green at the same time."""
    both_priority: set[tuple[int, int]] = field(default_factory=set)
    """Pairs that some program shows with G at the same time."""
    inside: dict[str, int] = field(default_factory=dict)
    """Internal lane -> link index that leads over it."""


@dataclass(slots=True)
class _Raw:
    """A net's elements, as far as they matter here."""

    via: dict[str, list[tuple[str, int, str, str]]] = field(default_factory=dict)
    """signal -> (via lane, link index, from edge, target lane) of its connections."""
    onward: dict[str, str] = field(default_factory=dict)
    """Internal lane -> next internal lane."""
    rows: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Internal lane -> (junction, row)."""
    foes: dict[tuple[str, int], str] = field(default_factory=dict)
    """(junction, row) -> foes, rightmost character first row."""
    states: dict[str, list[str]] = field(default_factory=dict)
    """signal -> states of all programs."""


def read_links(net_file: Path, additional_files: Sequence[Path]) -> dict[str, SignalLinks]:
    """Foes and shared greens of every signal of a net."""
    raw = _Raw()
    for element in elements(net_file, ("connection", "junction", "tlLogic")):
        if element.tag == "connection":
            source, via = element.get("from", ""), element.get("via", "")
            if source.startswith(":") and not element.get("tl"):
                lane = f"{source}_{element.get('fromLane', '0')}"
                if via:
                    raw.onward[lane] = via
            elif element.get("tl") and int(element.get("linkIndex", "-1")) >= 0:
                target = f"{element.get('to', '')}_{element.get('toLane', '0')}"
                raw.via.setdefault(element.get("tl", ""), []).append(
                    (via, int(element.get("linkIndex", "-1")), source, target)
                )
        elif element.tag == "junction":
            name = element.get("id", "")
            if element.get("type") == "internal":
                continue  # a waiting place inside a junction; its lanes are listed for another use
            for row, lane in enumerate(element.get("intLanes", "").split()):
                raw.rows[lane] = (name, row)
            for request in element.iter("request"):
                raw.foes[name, int(request.get("index", "0"))] = request.get("foes", "")
        else:
            _add_states(raw, element.get("id", ""), element.iter("phase"))
    for path in additional_files:
        for element in elements(path, ("tlLogic",)):
            _add_states(raw, element.get("id", ""), element.iter("phase"))
    return {signal: _links_of(raw, signal) for signal in raw.via}


def _add_states(raw: _Raw, signal: str, phases: Iterable[Element]) -> None:
    states = raw.states.setdefault(signal, [])
    for phase in phases:
        states.append(phase.get("state", ""))


def _links_of(raw: _Raw, signal: str) -> SignalLinks:
    """Put one signal together."""
    links = SignalLinks()
    place: dict[int, list[tuple[str, int]]] = {}
    for via, index, source, target in raw.via[signal]:
        lanes = [via] if via else []
        while lanes and lanes[-1] in raw.onward:
            lanes.append(raw.onward[lanes[-1]])
        if source.startswith(":") and target.startswith(":"):
            lanes.append(target)  # from a walking area onto a crossing
        for lane in lanes:
            links.inside.setdefault(lane, index)
        placed = [raw.rows[lane] for lane in lanes if lane in raw.rows]
        if placed:
            place.setdefault(index, []).append(placed[-1])
    for a, rows_a in place.items():
        for b, rows_b in place.items():
            if a < b and any(_meet(raw, p, q) for p in rows_a for q in rows_b):
                links.foes.add((a, b))
    for state in raw.states.get(signal, []):
        green = [k for k, letter in enumerate(state) if letter in GREEN]
        for n, a in enumerate(green):
            for b in green[n + 1 :]:
                links.together.add((a, b))
                if state[a] == state[b] == "G":
                    links.both_priority.add((a, b))
    return links


def _meet(raw: _Raw, first: tuple[str, int], second: tuple[str, int]) -> bool:
    """Either row of the right-of-way matrix names the other."""
    if first[0] != second[0]:
        return False
    for here, there in ((first, second), (second, first)):
        row = raw.foes.get(here, "")
        if there[1] < len(row) and row[-1 - there[1]] == "1":
            return True
    return False
