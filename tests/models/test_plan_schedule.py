"""A new plan takes over at the favourable moment; nothing is cut short."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.models.calendar import WEEK_S, WEEKDAYS, CalendarEntry, Weekday
from ampelwerk.models.plan import CyclicPlan, PlanStep, Transition
from ampelwerk.models.plan_schedule import PlanSchedule

NOON_S = 12 * 3600
NOON_DS = NOON_S * 10


def plan(plan_id: str, cycle_s: int, *steps: tuple[int, int], offset_s: int = 0) -> CyclicPlan:
    return CyclicPlan(
        plan_id=plan_id,
        cycle_ds=10 * cycle_s,
        offset_ds=10 * offset_s,
        steps=tuple(PlanStep(start_ds=10 * at_s, stage=stage) for at_s, stage in steps),
    )


def at_noon(old: CyclicPlan, new: CyclicPlan) -> PlanSchedule:
    """`old` until noon, `new` from then on, every day."""
    return PlanSchedule(
        (old, new),
        (
            CalendarEntry(days=WEEKDAYS, at_s=0, plan_id=old.plan_id),
            CalendarEntry(days=WEEKDAYS, at_s=NOON_S, plan_id=new.plan_id),
        ),
        (100, 80, 120, 50),
    )


def test_without_a_calendar_the_first_plan_is_in_force() -> None:
    first = plan("a", 60, (0, 0), (30, 1))
    schedule = PlanSchedule((first, plan("b", 60, (0, 2))))
    assert schedule.plan_at(5) == first
    assert list(schedule.changes(0, 700)) == [(0, 0), (300, 1), (600, 0)]


def test_takes_over_at_the_first_second_in_which_both_want_the_same_stage() -> None:
    old = plan("old", 60, (0, 0), (30, 1))  # noon is the start of a cycle of 60 s and of 80 s
    new = plan("new", 80, (0, 1), (50, 0))
    schedule = at_noon(old, new)
    assert schedule.takeover(NOON_DS) == (NOON_DS, NOON_DS + 300, ())
    assert list(schedule.changes(NOON_DS - 100, NOON_DS + 900)) == [
        (NOON_DS - 100, 1),
        (NOON_DS, 0),
        (NOON_DS + 300, 1),
        (NOON_DS + 500, 0),
        (NOON_DS + 800, 1),
    ]


def test_stage_stays_where_the_plans_never_agree() -> None:
    old = plan("old", 60, (0, 0), (30, 1))
    new = replace(plan("new", 60, (0, 1), (30, 0)), transition=Transition.DWELL)
    schedule = at_noon(old, new)
    assert schedule.takeover(NOON_DS) == (NOON_DS, NOON_DS + 300, ((NOON_DS, 0),))
    assert list(schedule.changes(NOON_DS, NOON_DS + 600)) == [(NOON_DS, 0)]


def test_takes_over_at_once_where_the_new_plan_lacks_the_stage() -> None:
    schedule = at_noon(plan("old", 60, (0, 0), (30, 1)), plan("new", 60, (0, 2), (30, 3)))
    assert schedule.takeover(NOON_DS).at_ds == NOON_DS


def test_plan_of_last_week_holds_until_the_first_entry() -> None:
    old, new = plan("old", 60, (0, 0)), plan("new", 60, (0, 1))
    schedule = PlanSchedule(
        (old, new),
        (
            CalendarEntry(days=(Weekday.WED,), at_s=0, plan_id="new"),
            CalendarEntry(days=(Weekday.FRI,), at_s=0, plan_id="old"),
        ),
    )
    assert schedule.plan_at(0) == old
    assert schedule.plan_at(-1) == old
    assert schedule.stage_at(3 * 864_000) == 1
    assert schedule.stage_at(10 * WEEK_S + 3 * 864_000) == 1


@st.composite
def plans(draw: st.DrawFn, plan_id: str) -> CyclicPlan:
    cycle_s = draw(st.integers(20, 120))
    starts = sorted(draw(st.sets(st.integers(1, cycle_s - 1), max_size=4)) | {0})
    steps = tuple((s, draw(st.integers(0, 3))) for s in starts)
    return plan(plan_id, cycle_s, *steps, offset_s=draw(st.integers(0, cycle_s - 1)))


@given(plans("old"), plans("new"), st.sampled_from(Transition), st.booleans())
def test_changes_tell_the_same_as_asking_every_second(
    old: CyclicPlan, new: CyclicPlan, transition: Transition, opposite: bool
) -> None:
    new = replace(new, transition=transition)
    if opposite:  # the same steps, another stage in each
        steps = tuple(replace(step, stage=(step.stage + 1) % 4) for step in old.steps)
        new = replace(old, plan_id="new", steps=steps, transition=transition)
    schedule = at_noon(old, new)
    begin_ds, end_ds = NOON_DS - 1500, NOON_DS + 4000
    changes = list(schedule.changes(begin_ds, end_ds))
    assert all(a[1] != b[1] for a, b in itertools.pairwise(changes))
    told = dict(changes)
    stage = -1
    for now_ds in range(begin_ds, end_ds, 10):
        stage = told.get(now_ds, stage)
        assert schedule.stage_at(now_ds) == stage
    after_ds = max(end_ds, schedule.takeover(NOON_DS).at_ds)
    assert schedule.stage_at(after_ds) == new.stage_at(after_ds)
