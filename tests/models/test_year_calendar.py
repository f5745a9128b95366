"""The calendar of dates: priorities, special days, midnight, and the two nights the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.plan_schedule import StageSchedule
from ampelwerk.models.year_calendar import CalendarDay, YearCalendar, YearSchedule

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY, WORKDAYS = 127, 31


def plan(name: str, cycle_ds: int = 600) -> CyclicPlan:
    steps = (PlanStep(start_ds=0, stage=0), PlanStep(start_ds=300, stage=1))
    return CyclicPlan(plan_id=name, cycle_ds=cycle_ds, offset_ds=0, steps=steps)


def days(table: str, mask: int = EVERY_DAY, priority: int = 0, **more: object) -> CalendarDay:
    usual: dict[str, object] = {
        "first": date(2000, 1, 1),
        "last": date(2099, 12, 31),
        "weekday_mask": mask,
        "special_dates": frozenset(),
        "priority": priority,
        "table_id": table,
    }
    return CalendarDay(**{**usual, **more})  # type: ignore[arg-type]


def schedule(*entries: CalendarDay, **tables: list[tuple[int, str]]) -> YearSchedule:
    calendar = YearCalendar(
        timezone="Europe/Berlin",
        days=entries,
        tables={name: tuple(table) for name, table in tables.items()},
    )
    return YearSchedule([plan("first"), plan("day"), plan("night", 400)], calendar, BERLIN)


def at(text: str) -> int:
    """Unix time of a local time. [ds]"""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)).timestamp()) * 10


def plan_at(found: StageSchedule, text: str) -> str:
    return found.plan_at(at(text)).plan_id


def test_a_plan_holds_until_the_next_switch_over_midnight_and_days_without_a_table() -> None:
    found = schedule(days("work", WORKDAYS), work=[(6 * 3600, "day"), (20 * 3600, "night")])
    assert plan_at(found, "2026-05-08T05:59:59") == "night"
    assert plan_at(found, "2026-05-08T06:00:00") == "day"  # a Friday
    assert plan_at(found, "2026-05-08T20:00:00") == "night"
    assert plan_at(found, "2026-05-10T12:00:00") == "night"  # Sunday goes on with it
    assert plan_at(found, "2026-05-11T06:00:00") == "day"


def test_the_highest_priority_counts_and_special_dates_do_not_ask_for_the_weekday() -> None:
    found = schedule(
        days("work", WORKDAYS),
        days("feast", 0, 5, special_dates=frozenset({date(2026, 5, 14)})),
        days("summer", EVERY_DAY, 2, first=date(2026, 7, 1), last=date(2026, 7, 31)),
        work=[(0, "day")],
        feast=[(0, "night")],
        summer=[(0, "first")],
    )
    assert plan_at(found, "2026-05-13T12:00") == "day"
    assert plan_at(found, "2026-05-14T12:00") == "night"
    assert plan_at(found, "2026-05-15T12:00") == "day"
    assert plan_at(found, "2026-07-31T23:59") == "first"
    assert plan_at(found, "2026-08-03T00:00") == "day"


def test_before_the_first_switch_the_first_plan_holds() -> None:
    entry = days("a", first=date(2026, 6, 1))
    found = schedule(entry, a=[(0, "day")])
    assert plan_at(found, "2026-05-31T23:59:59") == "first"
    assert plan_at(found, "2026-06-01T00:00:00") == "day"


def test_a_switch_in_the_hour_left_out_comes_at_the_first_moment_after_it() -> None:
    found = schedule(days("a"), a=[(2 * 3600 + 1800, "night"), (12 * 3600, "day")])
    assert plan_at(found, "2026-03-29T00:59:59+00:00") == "day"
    assert plan_at(found, "2026-03-29T01:00:00+00:00") == "night"  # 3:00 of the summer time


def test_a_switch_in_the_hour_that_comes_twice_comes_the_first_time_only() -> None:
    found = schedule(days("a"), a=[(2 * 3600, "day"), (2 * 3600 + 1800, "night")])
    moments = ["00:00", "00:29", "00:30", "01:00", "01:29", "01:30"]
    shown = [plan_at(found, f"2026-10-25T{moment}:00+00:00") for moment in moments]
    assert shown == ["day", "day", "night", "night", "night", "night"]


def test_switches_are_found_once_each_and_only_where_the_plan_changes() -> None:
    found = schedule(days("a"), a=[(0, "day"), (3600, "day"), (7200, "night")])
    switches = list(found.switches_between(at("2026-05-04T12:00"), at("2026-05-06T12:00")))
    local = [datetime.fromtimestamp(s / 10, UTC).astimezone(BERLIN).hour for s in switches]
    assert local == [0, 2, 0, 2]


@pytest.mark.parametrize("second", range(0, 120, 7))
def test_the_old_plan_goes_on_until_both_want_the_same_stage(second: int) -> None:
    found = schedule(days("a"), a=[(0, "day"), (7200, "night")])
    due_ds = at("2026-05-05T02:00")
    now_ds = due_ds + second * 10
    takeover = found.takeover(now_ds)
    assert takeover.due_ds == due_ds
    old, new = plan("day"), plan("night", 400)
    if now_ds < takeover.at_ds:
        assert found.stage_at(now_ds) == old.stage_at(now_ds) != new.stage_at(now_ds)
    else:
        assert found.stage_at(now_ds) == new.stage_at(now_ds)
