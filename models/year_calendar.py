"""The calendar of the live system: which plan is in force at which local time of which date.

Days name a table of switches; of several that hold on a date the one of the highest priority counts.
A day without a table goes on with the plan of the day before. When the clock is put forward, a switch
in the hour that is left out comes at the first moment after it; when an hour comes twice, a switch in
it comes the first time only (RFC 5545 treats local times in the same way but for the gap).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.plan_takeover import Takeover, takeover_between

LONGEST_GAP_D = 366
"""Days without a table that a plan goes on for; then the first plan holds. [d]"""

_MOST_DAYS_KEPT = 2 * LONGEST_GAP_D
"""Dates whose switches are kept in mind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """Dates on which a table holds."""

    first: date
    """First date."""
    last: date
    """Last date, included."""
    weekday_mask: int
    """Weekdays between them, bit 0 Monday."""
    special_dates: frozenset[date]
    """Dates besides, whatever the weekday."""
    priority: int
    """The highest counts; of equal ones the first."""
    table_id: str
    """Table that holds."""

    def holds_on(self, day: date) -> bool:
        """Whether it is about a date."""
        between = self.first <= day <= self.last and self.weekday_mask >> day.weekday() & 1
        return bool(between) or day in self.special_dates


@dataclass(frozen=True, slots=True, kw_only=True)
class YearCalendar:
    """Dates, and what is switched on them."""

    timezone: str
    """Name in the IANA time zone database."""
    days: tuple[CalendarDay, ...]
    """Dates."""
    tables: Mapping[str, tuple[tuple[int, str], ...]]
    """(local time after midnight [s], plan) by time, for each table."""

    def switches_on(self, day: date) -> tuple[tuple[int, str], ...]:
        """(local time after midnight [s], plan) of a date."""
        holding = [entry for entry in self.days if entry.holds_on(day)]
        if not holding:
            return ()
        return self.tables[max(holding, key=lambda entry: entry.priority).table_id]


class _Span(NamedTuple):
    """A plan is wanted from one switch to the next."""

    since_ds: int
    until_ds: int
    plan: CyclicPlan


class YearSchedule:
    """Plans under a calendar of dates, in Unix time.

    Parameters
    ----------
    plans : at least one; the first is in force before any switch.
    zone : the time zone that the calendar names.
    least_ds : (stages,) time that a step of each stage takes at least. [ds] Empty: not known.
    """

    def __init__(
        self,
        plans: Sequence[CyclicPlan],
        calendar: YearCalendar,
        zone: tzinfo,
        least_ds: Sequence[int] = (),
    ) -> None:
        self._first, self._calendar, self._zone = plans[0], calendar, zone
        self._least_ds = least_ds
        self._plans = {plan.plan_id: plan for plan in plans}
        self._span = _Span(0, 0, self._first)
        self._takeovers: dict[int, Takeover] = {}
        self._days: dict[date, list[tuple[int, str]]] = {}

    @property
    def plans(self) -> tuple[CyclicPlan, ...]:
        """Its plans."""
        return tuple(self._plans.values())

    def plan_at(self, now_ds: int) -> CyclicPlan:
        """The plan that the calendar wants; it may not have taken over yet."""
        return self._span_at(now_ds).plan

    def stage_at(self, now_ds: int) -> int:
        """Index of the stage that is wanted at a time."""
        span = self._span_at(now_ds)
        takeover = self.takeover(now_ds)
        if now_ds >= takeover.at_ds:
            return span.plan.stage_at(now_ds)
        return takeover.stage_before(now_ds, self.plan_at(span.since_ds - 1))

    def takeover(self, now_ds: int) -> Takeover:
        """How the plan in force by the calendar takes over, or has taken over."""
        span = self._span_at(now_ds)
        found = self._takeovers.get(span.since_ds)
        if found is None:
            before = self._find(span.since_ds - 1).plan
            found = takeover_between(before, span.plan, span.since_ds, self._least_ds)
            self._takeovers = {span.since_ds: found}
        return found

    def switches_between(self, begin_ds: int, end_ds: int) -> Iterator[int]:
        """Moments at which another plan comes into force. [ds]"""
        now_ds = begin_ds
        while (now_ds := self._find(now_ds).until_ds) < end_ds:
            if self._find(now_ds - 1).plan is not self._find(now_ds).plan:
                yield now_ds

    def _span_at(self, now_ds: int) -> _Span:
        if not self._span.since_ds <= now_ds < self._span.until_ds:
            self._span = self._find(now_ds)
        return self._span

    def _find(self, now_ds: int) -> _Span:
        today = datetime.fromtimestamp(now_ds / 10, self._zone).date()
        ahead = [
            at_ds
            for day in (today, today + timedelta(days=1))
            for at_ds, _ in self._instants(day)
            if at_ds > now_ds
        ]
        midnight = datetime.combine(today + timedelta(days=2), time(), self._zone)
        until_ds = min(ahead, default=_unix_ds(midnight))
        for back in range(LONGEST_GAP_D):
            passed = [s for s in self._instants(today - timedelta(days=back)) if s[0] <= now_ds]
            if passed:
                since_ds, plan_id = max(passed)
                return _Span(since_ds, until_ds, self._plans[plan_id])
        return _Span(_unix_ds(datetime.combine(today, time(), self._zone)), until_ds, self._first)

    def _instants(self, day: date) -> list[tuple[int, str]]:
        """(Unix time [ds], plan) of a date."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _MOST_DAYS_KEPT:
                self._days.clear()
            found = self._days[day] = [
                (_unix_ds(_first_valid(day, at_s, self._zone)), plan_id)
                for at_s, plan_id in self._calendar.switches_on(day)
            ]
        return found


def _first_valid(day: date, at_s: int, zone: tzinfo) -> datetime:
    """The first moment at which a local clock shows a time, or has passed it."""
    wall = datetime.combine(day, time(), zone) + timedelta(seconds=at_s)
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment
    # In the gap. The offsets before and after it bound the moment at which the clock is put forward.
    late, early = moment, wall.replace(fold=1).astimezone(UTC)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == late.astimezone(zone).utcoffset():
            late = middle
        else:
            early = middle
    return late


def _unix_ds(moment: datetime) -> int:
    return int(moment.timestamp()) * 10
