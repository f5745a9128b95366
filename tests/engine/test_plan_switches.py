"""A switch of plans that lets a group wait too long is found, whichever day it is on."""

from __future__ import annotations

from dataclasses import replace

from ampelwerk.engine.plan_switches import switch_findings
from ampelwerk.models.calendar import WEEKDAYS, CalendarEntry, Weekday
from ampelwerk.models.certificate import PlanRule
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan, Transition
from ampelwerk.models.profile import PlanLimits, SumoProfile
from tests.engine.test_verification import plan, site

DAY = replace(plan(60, (0, 0), (30, 1)), plan_id="day", offset_ds=0)
NIGHT = replace(plan(60, (0, 1), (30, 0)), plan_id="night", offset_ds=0)


def switching(*plans: CyclicPlan) -> Intersection:
    """`day` by day, `night` from Tuesday 20:00 on."""
    return replace(
        site((0,), (1, 2)),
        plans=plans,
        calendar=(
            CalendarEntry(days=WEEKDAYS, at_s=6 * 3600, plan_id="day"),
            CalendarEntry(days=(Weekday.TUE,), at_s=20 * 3600, plan_id="night"),
        ),
    )


def limited(max_red_s: float) -> SumoProfile:
    return replace(SumoProfile(), limits=PlanLimits(max_red_s=max_red_s))


def test_stage_that_stays_lets_the_others_wait() -> None:
    # At 20:00 day begins with stage 1, which night wants in 30 s: it stays for a minute.
    here = switching(DAY, replace(NIGHT, transition=Transition.DWELL))
    found = switch_findings(here, "night", limited(50))
    assert {(f.rule, f.groups) for f in found} == {
        (PlanRule.MAX_RED, ("K1",)), (PlanRule.MAX_RED, ("F2",)),
    }  # fmt: skip
    # Road 1 waits its 31 s of amber-free red, and the half minute that stage 1 stays.
    assert {f.groups[0]: f.found_s for f in found} == {"K1": 61.0, "F2": 64.0}
    assert switch_findings(here, "night", limited(64)) == ()
    # The shortest way nobody waits longer than a stretched or shortened cycle makes him.
    assert switch_findings(switching(DAY, NIGHT), "night", limited(50)) == ()


def test_plans_that_agree_at_once_lose_little() -> None:
    longer = replace(plan(70, (0, 0), (40, 1)), plan_id="night", offset_ds=0)
    here = switching(DAY, longer)
    # In its own cycle they are red for 41 and 44 s; stage 1 had gone on for 10 s when it took over.
    assert {f.found_s for f in switch_findings(here, "night", limited(50))} == {51.0, 54.0}
    assert switch_findings(here, "night", limited(54)) == ()


def test_without_calendar_nothing_is_switched() -> None:
    here = replace(switching(DAY, NIGHT), calendar=())
    assert switch_findings(here, "night", limited(1)) == ()
