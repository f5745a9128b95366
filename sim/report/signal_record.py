"""What the signals showed in a run, from signals.csv, as intervals of aspects.

signals.csv has a row whenever the state string of an intersection changes; the state holds until
the next row.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ampelwerk.models.envelope import Aspect
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection

_ASPECT = {
    "G": Aspect.GREEN,
    "g": Aspect.GREEN,
    "y": Aspect.AMBER,
    "Y": Aspect.AMBER,
    "u": Aspect.RED_AMBER,
    "r": Aspect.RED,
    "s": Aspect.RED,
}
"""Lamp letters; o and O are dark or blinking and no aspect."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One aspect from its begin to its end."""

    start_s: float
    """Begin. [s]"""
    end_s: float
    """End. [s]"""
    aspect: Aspect
    """What was shown."""


@dataclass(frozen=True, slots=True)
class StateChanges:
    """State strings of one intersection."""

    times_s: list[float]
    """When a state began. [s]"""
    states: list[str]
    """The states."""

    def at(self, time_s: float) -> str:
        """State at a time; the first one before the record begins."""
        return self.states[max(0, bisect_right(self.times_s, time_s) - 1)]

    def spans(self, begin_s: float, end_s: float) -> list[tuple[float, float, str]]:
        """(start, end, state) between two times."""
        ends = [*self.times_s[1:], end_s]
        return [
            (max(start, begin_s), min(end, end_s), state)
            for start, end, state in zip(self.times_s, ends, self.states, strict=True)
            if end > begin_s and start < end_s
        ]


def read_signals(path: Path) -> dict[str, StateChanges]:
    """State changes by intersection.

    Raises
    ------
    InvalidInputError : it is no signal record.
    """
    record: dict[str, StateChanges] = {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        try:
            columns = [header.index(name) for name in ("time", "intersection", "state")]
            for row in rows:
                time, name, state = (row[column] for column in columns)
                changes = record.setdefault(name, StateChanges([], []))
                changes.times_s.append(float(time))
                changes.states.append(state)
        except (ValueError, IndexError) as error:
            raise InvalidInputError(
                "this is no signal record",
                where=f"{path}, line {rows.line_num}",
                found=str(error),
                limit="columns time, intersection, state",
                remedy="run it again",
            ) from error
    return record


def shown(changes: StateChanges, links: Sequence[int], begin_s: float, end_s: float) -> list[Shown]:
    """Aspects of a movement between two times; neighbours of the same aspect become one.

    Parameters
    ----------
    links : its positions in the state string; the movement is green if any of them is.
    """
    found: list[Shown] = []
    for start_s, stop_s, state in changes.spans(begin_s, end_s):
        aspect = aspect_of(state, links)
        if aspect is None:
            continue
        if found and found[-1].aspect is aspect and found[-1].end_s == start_s:
            found[-1] = Shown(found[-1].start_s, stop_s, aspect)
        else:
            found.append(Shown(start_s, stop_s, aspect))
    return found


def aspect_of(state: str, links: Sequence[int]) -> Aspect | None:
    """Aspect of some links in a state: the one that lets most through, None where all are dark."""
    aspects = {_ASPECT.get(state[link]) for link in links if link < len(state)}
    for aspect in (Aspect.GREEN, Aspect.AMBER, Aspect.RED_AMBER, Aspect.RED):
        if aspect in aspects:
            return aspect
    return None


def group_links(site: Intersection, group: int) -> list[int]:
    """Positions of a signal group in the state string."""
    return [link for link, owner in enumerate(site.sumo_link_group) if owner == group]
