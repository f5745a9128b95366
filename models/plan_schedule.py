"""Which stage the plans of an intersection want at any time, the calendar included.

Time 0 is midnight on a Monday. `plan_takeover` says how one plan follows another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ampelwerk.models.calendar import WEEK_S, CalendarEntry, in_force, switches
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.plan_takeover import Takeover, takeover_between

_SECOND_DS = 10
_WEEK_DS = WEEK_S * _SECOND_DS


class StageSchedule(Protocol):
    """Says which stage is wanted when."""

    @property
    def plans(self) -> tuple[CyclicPlan, ...]:
        """The plans among which it chooses."""
        ...

    def plan_at(self, now_ds: int) -> CyclicPlan:
        """The plan that is wanted; it may not have taken over yet."""
        ...

    def stage_at(self, now_ds: int) -> int:
        """Index of the stage that is wanted at a time."""
        ...

    def takeover(self, now_ds: int) -> Takeover:
        """How the plan that is wanted takes over, or has taken over."""
        ...


class PlanSchedule:
    """The plans of one intersection under its calendar.

    Parameters
    ----------
    plans : at least one; the first is in force where no calendar says otherwise.
    calendar : entries for these plans.
    least_ds : (stages,) time that a step of each stage takes at least. [ds] Empty: not known.
    """

    def __init__(
        self,
        plans: Sequence[CyclicPlan],
        calendar: Sequence[CalendarEntry] = (),
        least_ds: Sequence[int] = (),
    ) -> None:
        self._first = plans[0]
        self._plans = {plan.plan_id: plan for plan in plans}
        self._week = switches(calendar)
        self._least_ds = least_ds
        self._takeovers: dict[int, Takeover] = {}

    @property
    def plans(self) -> tuple[CyclicPlan, ...]:
        """Its plans."""
        return tuple(self._plans.values())

    def plan_at(self, now_ds: int) -> CyclicPlan:
        """The plan that the calendar wants; it may not have taken over yet."""
        if not self._week:
            return self._first
        switch = in_force(self._week, now_ds % _WEEK_DS / _SECOND_DS)
        return self._plans[switch.plan_id]

    def stage_at(self, now_ds: int) -> int:
        """Index of the stage that is wanted at a time."""
        if not self._week:
            return self._first.stage_at(now_ds)
        new = self.plan_at(now_ds)
        takeover = self.takeover(now_ds)
        if now_ds >= takeover.at_ds:
            return new.stage_at(now_ds)
        return takeover.stage_before(now_ds, self.plan_at(takeover.due_ds - 1))

    def takeover(self, now_ds: int) -> Takeover:
        """How the plan in force by the calendar takes over, or has taken over."""
        week_ds = now_ds % _WEEK_DS
        since_ds = in_force(self._week, week_ds / _SECOND_DS).week_s * _SECOND_DS
        due_ds = now_ds - (week_ds - since_ds) % _WEEK_DS
        found = self._takeovers.get(due_ds)
        if found is None:
            old, new = self.plan_at(due_ds - 1), self.plan_at(due_ds)
            found = self._takeovers[due_ds] = takeover_between(old, new, due_ds, self._least_ds)
        return found

    def changes(self, begin_ds: int, end_ds: int) -> Iterator[tuple[int, int]]:
        """(time [ds], stage wanted from then on) between two times, the first at `begin_ds`."""
        last = None
        for start_ds, stop_ds, holds in self._spans(begin_ds, end_ds):
            changes = (
                [(start_ds, holds)]
                if isinstance(holds, int)
                else (holds.changes(start_ds, stop_ds))
            )
            for at_ds, stage in changes:
                if stage != last:
                    yield at_ds, stage
                    last = stage

    def _spans(self, begin_ds: int, end_ds: int) -> Iterator[tuple[int, int, CyclicPlan | int]]:
        """(start [ds], end [ds], plan in force or stage that stays) between two times."""
        now_ds = begin_ds
        while now_ds < end_ds:
            if not self._week:
                yield now_ds, end_ds, self._first
                return
            takeover, until_ds = self.takeover(now_ds), min(end_ds, self._next_due_ds(now_ds))
            old, new = self.plan_at(takeover.due_ds - 1), self.plan_at(now_ds)
            for start_ds, stop_ds, holds in takeover.spans(old, new, until_ds):
                if stop_ds > now_ds:
                    yield max(now_ds, start_ds), stop_ds, holds
            now_ds = until_ds

    def _next_due_ds(self, now_ds: int) -> int:
        """Time of the next calendar entry after a time. [ds]"""
        week_ds = now_ds % _WEEK_DS
        ahead = [(s.week_s * _SECOND_DS - week_ds) % _WEEK_DS or _WEEK_DS for s in self._week]
        return now_ds + min(ahead)
