"""Which stage the plans of an intersection want at any time, the calendar included.

A new plan takes over at the favourable moment (RiLSA: günstiger Umschaltpunkt): the first second at
which both plans want the same stage, so that no stage is cut short and none is shown twice. Where
there is none within two cycles, the stage of the old plan stays (dwell) until the new plan wants it;
where the new plan does not have that stage, it takes over at once and the interlock makes the
transition. Time 0 is midnight on a Monday.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from ampelwerk.models.calendar import WEEK_S, CalendarEntry, in_force, switches
from ampelwerk.models.plan import CyclicPlan

_SECOND_DS = 10
_WEEK_DS = WEEK_S * _SECOND_DS


class Takeover(NamedTuple):
    """A new plan takes over."""

    due_ds: int
    """Time of the calendar entry. [ds]"""
    at_ds: int
    """From then on the new plan holds. [ds]"""
    dwell: int | None
    """Stage that stays until then; None if the old plan goes on."""


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
    """

    def __init__(self, plans: Sequence[CyclicPlan], calendar: Sequence[CalendarEntry] = ()) -> None:
        self._first = plans[0]
        self._plans = {plan.plan_id: plan for plan in plans}
        self._week = switches(calendar)
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
        if takeover.dwell is not None:
            return takeover.dwell
        return self.plan_at(takeover.due_ds - 1).stage_at(now_ds)

    def takeover(self, now_ds: int) -> Takeover:
        """How the plan in force by the calendar takes over, or has taken over."""
        week_ds = now_ds % _WEEK_DS
        since_ds = in_force(self._week, week_ds / _SECOND_DS).week_s * _SECOND_DS
        due_ds = now_ds - (week_ds - since_ds) % _WEEK_DS
        found = self._takeovers.get(due_ds)
        if found is None:
            old, new = self.plan_at(due_ds - 1), self.plan_at(due_ds)
            found = self._takeovers[due_ds] = takeover_between(old, new, due_ds)
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
            holds: CyclicPlan | int = self.plan_at(now_ds)
            if now_ds < takeover.at_ds:
                until_ds = min(until_ds, takeover.at_ds)
                holds = self.plan_at(takeover.due_ds - 1)
                if takeover.dwell is not None:
                    holds = takeover.dwell
            yield now_ds, until_ds, holds
            now_ds = until_ds

    def _next_due_ds(self, now_ds: int) -> int:
        """Time of the next calendar entry after a time. [ds]"""
        week_ds = now_ds % _WEEK_DS
        ahead = [(s.week_s * _SECOND_DS - week_ds) % _WEEK_DS or _WEEK_DS for s in self._week]
        return now_ds + min(ahead)


def takeover_between(old: CyclicPlan, new: CyclicPlan, due_ds: int) -> Takeover:
    """How one plan takes over from another: the favourable moment from `due_ds` on."""
    if old == new:
        return Takeover(due_ds, due_ds, None)
    horizon_ds = due_ds + 2 * max(old.cycle_ds, new.cycle_ds)
    for at_ds in range(due_ds, horizon_ds, _SECOND_DS):
        if old.stage_at(at_ds) == new.stage_at(at_ds):
            return Takeover(due_ds, at_ds, None)
    stays = old.stage_at(due_ds)
    for at_ds in range(due_ds, due_ds + new.cycle_ds, _SECOND_DS):
        if new.stage_at(at_ds) == stays:
            return Takeover(due_ds, at_ds, stays)
    return Takeover(due_ds, due_ds, None)
