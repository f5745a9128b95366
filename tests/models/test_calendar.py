"""The calendar says which plan is in force, over midnight and the turn of the week."""

from __future__ import annotations

import pytest

from ampelwerk.models.calendar import DAY_S, CalendarEntry, Weekday, in_force, switches
from ampelwerk.models.errors import InvalidInputError

WORKDAYS = (Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI)
WEEK = switches(
    (
        CalendarEntry(days=WORKDAYS, at_s=6 * 3600, plan_id="day"),
        CalendarEntry(days=WORKDAYS, at_s=20 * 3600, plan_id="night"),
        CalendarEntry(days=(Weekday.SAT,), at_s=9 * 3600, plan_id="weekend"),
    )
)


@pytest.mark.parametrize(
    ("week_s", "plan"),
    [
        (0, "weekend"),
        (6 * 3600 - 1, "weekend"),
        (6 * 3600, "day"),
        (20 * 3600, "night"),
        (DAY_S + 5 * 3600, "night"),
        (5 * DAY_S + 8 * 3600, "night"),
        (5 * DAY_S + 9 * 3600, "weekend"),
        (7 * DAY_S - 1, "weekend"),
    ],
)
def test_last_entry_holds_until_the_next(week_s: int, plan: str) -> None:
    assert in_force(WEEK, week_s).plan_id == plan


def test_two_entries_at_one_time_are_refused() -> None:
    entries = [
        CalendarEntry(days=(Weekday.MON, Weekday.TUE), at_s=60, plan_id="a"),
        CalendarEntry(days=(Weekday.TUE,), at_s=60, plan_id="b"),
    ]
    with pytest.raises(InvalidInputError, match=r"tue 00:01.*a and b"):
        switches(entries)


@pytest.mark.parametrize(("days", "at_s"), [((), 0), ((Weekday.MON,) * 2, 0), (WORKDAYS, DAY_S)])
def test_impossible_entries_are_refused(days: tuple[Weekday, ...], at_s: int) -> None:
    with pytest.raises(InvalidInputError):
        CalendarEntry(days=days, at_s=at_s, plan_id="a")
