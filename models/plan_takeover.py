"""How one cyclic plan takes over from another, so that no stage is cut short.

A new plan takes over at the favourable moment (RiLSA: günstiger Umschaltpunkt): the first second at
which both plans want the same stage. Where there is none within two cycles, it goes by what the new
plan says (NTCIP 1202: dwell, shortway, add only). Dwell: the stage shown stays until the new plan wants
it. Else the new plan begins with that stage at once, and its next cycles are stretched or shortened
until its clock is the common one. Where the new plan does not have that stage, it takes over at once
and the interlock makes the transition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from ampelwerk.models.plan import CyclicPlan, PlanStep, Transition

_SECOND_DS = 10


class Takeover(NamedTuple):
    """A new plan takes over."""

    due_ds: int
    """When it is wanted: the time of the calendar entry. [ds]"""
    at_ds: int
    """From then on the new plan holds. [ds]"""
    bridge: tuple[tuple[int, CyclicPlan | int], ...] = ()
    """(from then on [ds], plan or stage that holds until `at_ds`), by time; empty: the old plan."""

    def spans(
        self, old: CyclicPlan, new: CyclicPlan, until_ds: int
    ) -> Iterator[tuple[int, int, CyclicPlan | int]]:
        """(start [ds], end [ds], plan or stage that holds) from `due_ds` to a time."""
        parts = [*(self.bridge or ((self.due_ds, old),)), (self.at_ds, new), (until_ds, new)]
        for (start_ds, holds), (end_ds, _) in pairwise(parts):
            if start_ds < min(end_ds, until_ds):
                yield start_ds, min(end_ds, until_ds), holds

    def stage_before(self, now_ds: int, old: CyclicPlan) -> int:
        """Index of the stage wanted at a time between `due_ds` and `at_ds`."""
        holds: CyclicPlan | int = old
        for since_ds, part in self.bridge:
            if since_ds <= now_ds:
                holds = part
        return holds if isinstance(holds, int) else holds.stage_at(now_ds)


def takeover_between(
    old: CyclicPlan, new: CyclicPlan, due_ds: int, least_ds: Sequence[int] = ()
) -> Takeover:
    """How one plan takes over from another from `due_ds` on.

    Parameters
    ----------
    least_ds : (stages,) time that a step of each stage takes at least. [ds] Empty: not known, so that
        no step is shortened.
    """
    if old == new:
        return Takeover(due_ds, due_ds)
    horizon_ds = due_ds + 2 * max(old.cycle_ds, new.cycle_ds)
    for at_ds in range(due_ds, horizon_ds, _SECOND_DS):
        if old.stage_at(at_ds) == new.stage_at(at_ds):
            return Takeover(due_ds, at_ds)
    shown = old.stage_at(due_ds)
    if all(step.stage != shown for step in new.steps):
        return Takeover(due_ds, due_ds)
    if new.transition is Transition.DWELL:
        return _dwell(new, shown, due_ds)
    return _correction(new, shown, due_ds, least_ds)


def _dwell(new: CyclicPlan, shown: int, due_ds: int) -> Takeover:
    """The stage shown stays until the new plan wants it."""
    for at_ds in range(due_ds, due_ds + new.cycle_ds, _SECOND_DS):
        if new.stage_at(at_ds) == shown:
            return Takeover(due_ds, at_ds, ((due_ds, shown),))
    return Takeover(due_ds, due_ds)


class _Correction(NamedTuple):
    """A way for a plan beside its clock to come back to it; the least is the best."""

    cycles: int
    """Cycles that are changed."""
    size_ds: int
    """By how much, together. [ds]"""
    change_ds: int
    """The same, below 0 if they are shortened. [ds]"""
    clock_ds: int
    """Where on its cycle clock the plan begins. [ds]"""


def _correction(new: CyclicPlan, shown: int, due_ds: int, least_ds: Sequence[int]) -> Takeover:
    """The new plan begins with the stage shown, beside its clock, and comes back to it."""
    lengths_ds = [end - start for start, end in pairwise(_bounds_ds(new))]
    spare_ds = [0] * len(lengths_ds)
    if least_ds:
        spare_ds = [
            max(0, length_ds - max(least_ds[step.stage], _SECOND_DS)) // _SECOND_DS * _SECOND_DS
            for step, length_ds in zip(new.steps, lengths_ds, strict=True)
        ]
    most_ds = new.most_change_ds
    less_ds = min(most_ds, sum(spare_ds)) if new.transition is Transition.SHORTWAY else 0
    clock_ds = new.cycle_clock_ds(due_ds)
    ways = list[_Correction]()
    for step, (start_ds, _), spare in zip(
        new.steps, pairwise(_bounds_ds(new)), spare_ds, strict=True
    ):
        if step.stage != shown:
            continue
        # After a later entry the stage would not get what it needs if it had only just begun.
        for entry_ds in range(start_ds, start_ds + spare + 1, _SECOND_DS):
            behind_ds = (clock_ds - entry_ds) % new.cycle_ds
            for change_ds, limit_ds in ((new.cycle_ds - behind_ds, most_ds), (-behind_ds, less_ds)):
                if limit_ds:
                    size_ds = abs(change_ds)
                    ways.append(_Correction(-(-size_ds // limit_ds), size_ds, change_ds, entry_ds))
    best = min(ways)
    bridge: list[tuple[int, CyclicPlan | int]] = [
        (due_ds, replace(new, offset_ds=(due_ds - best.clock_ds) % new.cycle_ds))
    ]
    start_ds, left_ds = due_ds - best.clock_ds + new.cycle_ds, best.size_ds
    for cycles in range(best.cycles, 0, -1):
        part_ds = min(left_ds, -(-left_ds // cycles // _SECOND_DS) * _SECOND_DS)
        left_ds -= part_ds
        if best.change_ds > 0:
            changed = _changed(new, part_ds, lengths_ds, start_ds)
        else:
            changed = _changed(new, -part_ds, spare_ds, start_ds)
        bridge.append((start_ds, changed))
        start_ds += changed.cycle_ds
    return Takeover(due_ds, start_ds, tuple(bridge))


def _bounds_ds(plan: CyclicPlan) -> list[int]:
    """(steps + 1,) starts of the steps and the end of the cycle. [ds]"""
    return [*(step.start_ds for step in plan.steps), plan.cycle_ds]


def _changed(
    plan: CyclicPlan, change_ds: int, weights_ds: Sequence[int], start_ds: int
) -> CyclicPlan:
    """The plan with another cycle time that begins at a time, its steps changed by their weights."""
    cycle_ds, total_ds = plan.cycle_ds + change_ds, sum(weights_ds)
    sign, size_ds = (1, change_ds) if change_ds > 0 else (-1, -change_ds)
    before_ds = [0, *accumulate(weights_ds)]
    steps = tuple(
        PlanStep(
            start_ds=step.start_ds
            + sign * (size_ds * weight_ds // total_ds // _SECOND_DS * _SECOND_DS),
            stage=step.stage,
        )
        for step, weight_ds in zip(plan.steps, before_ds, strict=False)
    )
    return replace(plan, cycle_ds=cycle_ds, offset_ds=start_ds % cycle_ds, steps=steps)
