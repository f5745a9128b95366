"""Times of the `sumo` profile: read off the scenario's own program, so only decisions differ.

Amber and red-amber are those shown; the intergreen of a pair is the smallest gap the program shows
between them, and at most the longest time the clearing group takes to make room for a next stage.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.signal_programs import (
    AMBER,
    GREEN,
    RED_AMBER,
    LampState,
    is_selectable,
    last_stage_state,
)

DEFAULT_AMBER_DS = 30
"""Amber of a group that the program never ends, should a generated stage end it. [ds]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTimes:
    """What a program shows of one group."""

    amber_ds: int
    amber_beyond_ds: int
    """How much longer it is than the program's own, by override; negative if shorter. [ds]"""
    red_amber_ds: int
    min_green_ds: int
    clearing_ds: int
    """Longest time from the end of its green to the start of the next stage. [ds]"""
    variable_amber: bool
    """The program shows several ambers; the most frequent is taken."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of the cycle in which a group shows one kind of letter."""

    start_ds: int
    length_ds: int


def _runs(states: list[LampState], group: int, letters: str) -> list[_Run]:
    """Stretches of letters around the cycle; none if the letter never or always shows."""
    shown = [state.letters[group] in letters for state in states]
    if all(shown) or not any(shown):
        return []
    starts, clock = [], 0
    for state in states:
        starts.append(clock)
        clock += state.duration_ds
    runs = []
    for k in range(len(states)):
        if shown[k] and not shown[k - 1]:
            length, m = 0, k
            while shown[m % len(states)]:
                length += states[m % len(states)].duration_ds
                m += 1
            runs.append(_Run(starts[k], length))
    return runs


def _stage_starts(states: list[LampState]) -> list[int]:
    """Moments at which a selectable stage begins. [ds]"""
    starts, clock = [], 0
    for k, state in enumerate(states):
        if is_selectable(state, last_stage_state(states, k)) and (
            states[k - 1].letters != state.letters
        ):
            starts.append(clock)
        clock += state.duration_ds
    return starts


def group_times(
    programs: list[list[LampState]], group: int, profile: SumoProfile, *, pedestrian: bool
) -> GroupTimes:
    """Times of one group over all programs."""
    ambers: Counter[int] = Counter()
    red_ambers: Counter[int] = Counter()
    greens, clearings, declared = list[int](), [0], list[float]()
    for states in programs:
        cycle_ds = sum(state.duration_ds for state in states)
        starts = _stage_starts(states)
        amber_at = {run.start_ds: run.length_ds for run in _runs(states, group, AMBER)}
        for run in _runs(states, group, GREEN):
            greens.append(run.length_ds)
            end_ds = (run.start_ds + run.length_ds) % cycle_ds
            ambers[amber_at.get(end_ds, 0)] += 1
            clearings.append(min(((start - end_ds) % cycle_ds for start in starts), default=0))
        for run in _runs(states, group, RED_AMBER):
            red_ambers[run.length_ds] += 1
        declared += [
            state.min_duration_s
            for state in states
            if state.min_duration_s and state.letters[group] in GREEN
        ]
    amber_ds = ambers.most_common(1)[0][0] if ambers else (0 if pedestrian else DEFAULT_AMBER_DS)
    min_green_ds = round(min([profile.min_green_s, *declared, *(g / 10 for g in greens)]) * 10)
    clearing_ds = max(*clearings, amber_ds) if ambers else amber_ds
    amber_beyond_ds = 0
    if profile.min_green_override_s is not None:
        min_green_ds = round(profile.min_green_override_s * 10)
    if profile.amber_override_s is not None and not pedestrian:
        amber_beyond_ds = round(profile.amber_override_s * 10) - amber_ds
    return GroupTimes(
        amber_ds=amber_ds + amber_beyond_ds,
        amber_beyond_ds=amber_beyond_ds,
        red_amber_ds=red_ambers.most_common(1)[0][0] if red_ambers else 0,
        min_green_ds=max(10, min_green_ds),
        clearing_ds=clearing_ds,
        variable_amber=len(ambers) > 1,
    )


def smallest_gap_ds(programs: list[list[LampState]], first: int, second: int) -> int | None:
    """Smallest time from an end of green of one group to the next start of the other. [ds]"""
    gaps = []
    for states in programs:
        cycle_ds = sum(state.duration_ds for state in states)
        starts = [run.start_ds for run in _runs(states, second, GREEN)]
        for run in _runs(states, first, GREEN):
            end_ds = (run.start_ds + run.length_ds) % cycle_ds
            gaps += [(start - end_ds) % cycle_ds for start in starts]
    return min(gaps, default=None)


def intergreen_ds(
    programs: list[list[LampState]],
    times: list[GroupTimes],
    first: int,
    second: int,
    profile: SumoProfile,
) -> int:
    """Intergreen of a conflicting pair under the `sumo` profile. [ds]

    An amber of another length than the program's makes it as much longer or shorter.
    """
    leaving = times[first]
    if profile.all_red_override_s is not None and leaving.amber_ds:
        return leaving.amber_ds + round(profile.all_red_override_s * 10)
    gap_ds = smallest_gap_ds(programs, first, second)
    shown_ds = leaving.clearing_ds if gap_ds is None else min(gap_ds, leaving.clearing_ds)
    if leaving.amber_beyond_ds:
        return max(shown_ds + leaving.amber_beyond_ds, leaving.amber_ds)
    return shown_ds
