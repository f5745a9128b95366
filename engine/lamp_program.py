"""What a signal program shows around its cycle, lamp by lamp, and what a plan's times ask for.

A plan says when a stage is wanted. Without an interlock that waits where need be, its times mean:
groups that leave end their green as the step begins; groups that enter turn green as soon as the
intergreens of this transition are over, or with the end of red-amber. Steps that only lead on, such
as the clearing steps of a scenario's program, belong to the transition. This is the signal timing
that an engineer reads off a plan. Whether it is safe is another question: a group that left in an
earlier transition may still be clearing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from ampelwerk.models.envelope import Envelope
from ampelwerk.models.intersection import Stage
from ampelwerk.models.plan import CyclicPlan


class LampProgram(NamedTuple):
    """States around a cycle; a lamp is a signal group, or a link where a program names links."""

    durations_ds: tuple[int, ...]
    """(states,) duration of each. [ds]"""
    states: tuple[str, ...]
    """(states,) one letter per lamp, as in SUMO: r s red, u red-amber, G g green, y amber."""
    group_of: tuple[int, ...]
    """(lamps,) signal group of each lamp; -1 for one that no group drives."""
    by_link: bool = False
    """Lamps are links, else signal groups."""

    @property
    def cycle_ds(self) -> int:
        """Sum of the durations. [ds]"""
        return sum(self.durations_ds)


class GreenTime(NamedTuple):
    """One green of a group as a plan asks for it."""

    group: int
    """Signal group."""
    wanted_ds: int
    """Begin of the step with which the group enters, on the cycle clock. [ds]"""
    start_ds: int
    """Start of green, not before `wanted_ds`; may lie beyond the end of the cycle. [ds]"""
    end_ds: int
    """End of green; not after `start_ds` if the step is over before green could begin. [ds]"""


def plan_greens(plan: CyclicPlan, stages: Sequence[Stage], envelope: Envelope) -> list[GreenTime]:
    """Greens of all groups that are neither always nor never wanted.

    Parameters
    ----------
    stages : those of the intersection.
    """
    wanted = [frozenset(stages[step.stage].groups) for step in plan.steps]
    count = len(wanted)
    found = []
    for k, here in enumerate(wanted):
        left_ds = _left_before_ds(plan, stages, k)
        for group in sorted(here - wanted[k - 1]):
            steps = next(m for m in range(1, count + 1) if group not in wanted[(k + m) % count])
            begin_ds = plan.steps[k].start_ds
            last = k + steps
            end_ds = plan.steps[last % count].start_ds + last // count * plan.cycle_ds
            lead_ds = max(
                envelope.groups[group].red_amber_ds,
                *(
                    required_gap_ds(envelope, foe, group) - since_ds
                    for foe, since_ds in left_ds.items()
                    if envelope.conflict[foe][group]
                ),
                0,
            )
            found.append(GreenTime(group, begin_ds, begin_ds + lead_ds, end_ds))
    return found


def _left_before_ds(plan: CyclicPlan, stages: Sequence[Stage], k: int) -> dict[int, int]:
    """Groups that leave in the transition to a step -> how long before the step begins. [ds]

    Those that leave as the step begins; and where steps that only lead on come before it, such as an
    all-red of the scenario's program, those that leave with these.
    """
    found: dict[int, int] = {}
    wanted = [frozenset(stages[step.stage].groups) for step in plan.steps]
    start_ds = plan.steps[k].start_ds
    for back in range(len(wanted)):
        at = (k - back) % len(wanted)
        since_ds = (start_ds - plan.steps[at].start_ds) % plan.cycle_ds
        for group in wanted[at - 1] - wanted[at]:
            found.setdefault(group, since_ds)
        before = stages[plan.steps[at - 1].stage]
        if before.selectable and before.groups:
            break
    return found


def required_gap_ds(envelope: Envelope, leaving: int, entering: int) -> int:
    """Intergreen of a conflicting pair, never below amber and red-amber together. [ds]"""
    least_ds = envelope.groups[leaving].amber_ds + envelope.groups[entering].red_amber_ds
    return max(envelope.intergreen_ds[leaving][entering] or 0, least_ds)


def planned_lamps(plan: CyclicPlan, stages: Sequence[Stage], envelope: Envelope) -> LampProgram:
    """What the times of a plan ask for, signal group by signal group."""
    cycle_ds = plan.cycle_ds
    columns = [[(0, cycle_ds, "r")] for _ in range(envelope.size)]
    wanted = [frozenset(stages[step.stage].groups) for step in plan.steps]
    for group in range(envelope.size):
        if all(group in here for here in wanted):
            columns[group].append((0, cycle_ds, "G"))
    greens = plan_greens(plan, stages, envelope)
    for green in greens:
        amber_ds = envelope.groups[green.group].amber_ds
        if green.end_ds > green.start_ds:
            columns[green.group].append((green.end_ds, green.end_ds + amber_ds, "y"))
    for green in greens:
        red_amber_ds = envelope.groups[green.group].red_amber_ds
        lit_ds = green.start_ds - red_amber_ds
        if green.end_ds > lit_ds:  # else the step is over before anything of it shows
            columns[green.group].append((lit_ds, min(green.start_ds, green.end_ds), "u"))
        if green.end_ds > green.start_ds:
            columns[green.group].append((green.start_ds, green.end_ds, "G"))
    marks = {step.start_ds for step in plan.steps}
    marks |= {at_ds % cycle_ds for column in columns for span in column for at_ds in span[:2]}
    cuts = sorted(marks)
    states = [_state(plan, stages, columns, at_ds) for at_ds in cuts]
    ends = [*cuts[1:], cycle_ds]
    spans = [(end - start, s) for start, end, s in zip(cuts, ends, states, strict=True)]
    merged = [
        (sum(length for length, _ in run), state)
        for state, run in ((s, list(r)) for s, r in groupby(spans, key=lambda span: span[1]))
    ]
    return LampProgram(
        durations_ds=tuple(length for length, _ in merged),
        states=tuple(state for _, state in merged),
        group_of=tuple(range(envelope.size)),
    )


def _state(
    plan: CyclicPlan,
    stages: Sequence[Stage],
    columns: Sequence[Sequence[tuple[int, int, str]]],
    at_ds: int,
) -> str:
    """Letters of all groups at a time of the cycle; what was laid on last shows."""
    stage = stages[plan.stage_at(at_ds + plan.offset_ds)]
    letters = []
    for group, column in enumerate(columns):
        letter = next(
            letter
            for start_ds, end_ds, letter in reversed(column)
            if (at_ds - start_ds) % plan.cycle_ds < end_ds - start_ds
        )
        if letter == "G" and group in stage.permissive:
            letter = "g"
        elif letter == "r" and group in stage.turn_on_red:
            letter = "s"
        letters.append(letter)
    return "".join(letters)


def spells(
    program: LampProgram, lamp: int, kind_of: dict[str, int]
) -> Iterator[tuple[int, int, int]]:
    """(kind, start [ds], length [ds]) of every stretch around the cycle that is of one kind.

    A lamp that never changes has one stretch as long as the cycle. A stretch that runs over the end
    of the cycle is told once, with its start.

    Parameters
    ----------
    kind_of : letter -> kind.
    """
    kinds = [kind_of[state[lamp]] for state in program.states]
    starts, clock_ds = [], 0
    for duration_ds in program.durations_ds:
        starts.append(clock_ds)
        clock_ds += duration_ds
    turns = [k for k in range(len(kinds)) if kinds[k] != kinds[k - 1]]
    if not turns:
        yield kinds[0], 0, clock_ds
        return
    for place, k in enumerate(turns):
        after = turns[(place + 1) % len(turns)]
        yield kinds[k], starts[k], (starts[after] - starts[k]) % clock_ds or clock_ds
