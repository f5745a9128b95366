"""Timing plans: which stage is wanted in which second of the cycle."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ampelwerk.models.errors import InvalidInputError

_SECOND_DS = 10
_SHARE_CHANGED = 5
"""A transition changes a cycle by one in so many parts, unless the plan says otherwise."""


class Transition(StrEnum):
    """How a plan comes to its clock where it cannot take over at the favourable moment."""

    SHORTWAY = "shortway"
    """Cycles are stretched or shortened, whichever is quicker."""
    ADD_ONLY = "add-only"
    """Cycles are stretched."""
    DWELL = "dwell"
    """The stage shown stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """From a second of the cycle on, a stage is wanted."""

    start_ds: int
    """Start on the cycle clock. [ds]"""
    stage: int
    """Index into the intersection's stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclicPlan:
    """A fixed-time plan: the same steps every cycle.

    A step begins when its stage is *requested*, that is with the amber of the stage before; the
    transition is part of the step. The cycle clock is (time - offset) modulo cycle time.

    Raises
    ------
    InvalidInputError : no steps, steps out of order or outside the cycle, cycle time not positive, a
        change of less than a second or more than the cycle.
    """

    plan_id: str
    """Name, unique in the intersection."""
    cycle_ds: int
    """Cycle time. [ds]"""
    offset_ds: int
    """Offset against the common clock. [ds]"""
    steps: tuple[PlanStep, ...]
    """Steps by start, the first at 0."""
    transition: Transition = Transition.SHORTWAY
    """How it comes to its clock."""
    max_change_ds: int | None = None
    """A transition changes a cycle by no more than this; None: by a fifth of it. [ds]"""

    def __post_init__(self) -> None:
        starts = [step.start_ds for step in self.steps]
        if (
            self.cycle_ds <= 0
            or not starts
            or starts[0] != 0
            or starts[-1] >= self.cycle_ds
            or any(a >= b for a, b in itertools.pairwise(starts))
        ):
            raise InvalidInputError(
                "the steps of the plan do not fill its cycle",
                where=f"plan {self.plan_id}",
                found=f"cycle {self.cycle_ds} ds, starts {starts}",
                limit="starts rising from 0, all before the end of the cycle",
            )

        change_ds = self.max_change_ds
        if change_ds is not None and not _SECOND_DS <= change_ds <= self.cycle_ds:
            raise InvalidInputError(
                "a transition can not change a cycle by so much",
                where=f"plan {self.plan_id}",
                found=f"{change_ds / 10:g} s",
                limit=f"1 s to the cycle of {self.cycle_ds / 10:g} s",
            )

    @property
    def most_change_ds(self) -> int:
        """Whole seconds by which a transition changes a cycle at most. [ds]"""
        change_ds = self.max_change_ds or self.cycle_ds // _SHARE_CHANGED
        return max(_SECOND_DS, change_ds // _SECOND_DS * _SECOND_DS)

    def cycle_clock_ds(self, now_ds: int) -> int:
        """Position on the cycle clock. [ds]"""
        return (now_ds - self.offset_ds) % self.cycle_ds

    def stage_at(self, now_ds: int) -> int:
        """Index of the stage that is wanted at a time."""
        clock_ds = self.cycle_clock_ds(now_ds)
        return self.steps[
            bisect_right(self.steps, clock_ds, key=lambda step: step.start_ds) - 1
        ].stage

    def changes(self, begin_ds: int, end_ds: int) -> Iterator[tuple[int, int]]:
        """(time [ds], stage wanted from then on) between two times, the first at `begin_ds`."""
        if begin_ds >= end_ds:
            return
        yield begin_ds, self.stage_at(begin_ds)
        cycle_start_ds = begin_ds - self.cycle_clock_ds(begin_ds)
        while cycle_start_ds < end_ds:
            for step in self.steps:
                at_ds = cycle_start_ds + step.start_ds
                if begin_ds < at_ds < end_ds:
                    yield at_ds, step.stage
            cycle_start_ds += self.cycle_ds
