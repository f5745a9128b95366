"""Plan files to the wire and back, and everything that a plan may not say."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.controllers.convert import envelope_hash, ruleset_sha256
from ampelwerk.controllers.plan_check import CheckedPlan, check_plan
from ampelwerk.controllers.plan_convert import (
    DAY_S,
    FROM_DATE,
    MOST_DAYS,
    MOST_SWITCHES,
    TO_DATE,
    plan_message,
    read_content,
)
from ampelwerk.models.calendar import CalendarEntry, Weekday
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan, PlanStep, Transition
from ampelwerk.models.plan_set import plans_of
from ampelwerk.models.profile import RilsaProfile, SumoProfile, profile_named
from ampelwerk.proto.v1 import common_pb2, plan_pb2
from tests.controllers.city import crossroads

NOW_MS = 1_800_000_000_000
WEEK = (
    CalendarEntry(days=(Weekday.MON, Weekday.TUE, Weekday.SAT), at_s=6 * 3600, plan_id="day"),
    CalendarEntry(days=(Weekday.MON, Weekday.TUE), at_s=22 * 3600, plan_id="night"),
)


def site(max_red_ds: int | None = None) -> Intersection:
    """The crossroads with a plan for the night."""
    usual = crossroads("north")
    night = CyclicPlan(
        plan_id="night",
        cycle_ds=400,
        offset_ds=70,
        steps=(PlanStep(start_ds=0, stage=1), PlanStep(start_ds=155, stage=0)),
    )
    groups = tuple(replace(g, max_red_ds=max_red_ds) for g in usual.envelope.groups)
    envelope = replace(usual.envelope, groups=groups)
    return replace(usual, envelope=envelope, plans=(*usual.plans, night))


def checked(plan: plan_pb2.Plan, here: Intersection) -> CheckedPlan:
    plan.envelope_sha256 = envelope_hash(here.envelope)
    plan.ruleset_sha256 = ruleset_sha256(here.envelope)
    return check_plan(plan, here, envelope_hash=plan.envelope_sha256, now_unix_ms=NOW_MS)


def calendar() -> plan_pb2.Plan:
    return plan_message(plans_of(site()), WEEK, timezone="Europe/Berlin")


def test_a_plan_is_the_same_behind_the_wire() -> None:
    here = site()
    dwelling = replace(here.plans[0], plan_id="dwell", transition=Transition.DWELL)
    adding = replace(dwelling, plan_id="add", transition=Transition.ADD_ONLY, max_change_ds=70)
    here = replace(here, plans=(*here.plans, dwelling, adding))
    for plan in here.plans:
        message = plan_message(plans_of(here), (), plan_id=plan.plan_id)
        assert sum(stage.split_ms for stage in message.cyclic.stages) == plan.cycle_ds * 100
        content, found = read_content(message, here)
        assert (content is not None and content.plans, found) == ((plan,), [])
    with pytest.raises(InvalidInputError, match="day, night"):
        plan_message(plans_of(here), (), plan_id="noon")


def test_the_calendar_of_a_week_is_the_same_behind_the_wire() -> None:
    content, found = read_content(calendar(), site())
    assert found == []
    assert content is not None
    assert content.calendar is not None
    assert content.plans == site().plans
    day, night = (6 * 3600, "day"), (22 * 3600, "night")
    expected = {4: (day, night), 5: (day, night), 6: (), 7: (), 8: (), 9: (day,), 10: ()}
    for number, table in expected.items():  # 4 May 2026 is a Monday
        assert content.calendar.switches_on(date(2026, 5, number)) == table
    assert checked(calendar(), site()).findings == ()


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("calendar.timezone", "Mars/Phobos", "timezone"),
        ("calendar.timezone", "../../etc/passwd", "timezone"),
        ("calendar.days.0.table_id", "t9", "unknown_table"),
        ("calendar.days.0.date_from", 20260230, "date"),
        ("calendar.days.0.date_to", 19990101, "date"),
        ("calendar.days.0.weekday_mask", 128, "weekdays"),
        ("calendar.tables.0.switches.0.local_time_s", 86_400, "switches"),
        ("calendar.tables.0.switches.0.plan_id", "noon", "unknown_plan"),
        ("calendar.tables.0.switches.0.isolated", True, "target"),
        ("calendar.tables.1.table_id", "t1", "name"),
        ("calendar.plans.1.plan_id", "day", "name"),
        ("calendar.plans.1.plan_id", "a b", "plan_id"),
        ("calendar.plans.0.cycle_ms", 0, "cycle"),
        ("calendar.plans.0.cycle_ms", 60_100, "order"),
        ("calendar.plans.0.offset_ms", 4_000_000_000, "cycle"),
        ("calendar.plans.0.max_change_ms", 900, "max_change"),
        ("calendar.plans.0.max_change_ms", 60_100, "max_change"),
        ("calendar.plans.0.max_change_ms", 1_050, "resolution"),
        ("calendar.plans.0.transition", 9, "transition"),
        ("calendar.plans.0.stages.0.split_ms", 0, "order"),
        ("calendar.plans.0.stages.1.start_ms", 35_050, "resolution"),
        ("calendar.plans.0.stages.1.stage_id", "third", "unknown_stage"),
        ("calendar.plans.0.stages.1.stage_id", "main-stage", "other_stage"),
        ("calendar.plans.0.reference_stage_id", "side-stage", "reference_stage"),
    ],
)
def test_what_a_plan_may_not_say(field: str, value: object, rule: str) -> None:
    message = calendar()
    part: object = message
    *path, last = field.split(".")
    for name in path:
        part = part[int(name)] if name.isdecimal() else getattr(part, name)  # type: ignore[index]
    setattr(part, last, value)
    result = checked(message, site())
    assert result.content is None
    assert rule in {finding.rule for finding in result.findings}
    assert all("north" in finding.message for finding in result.findings)


def test_a_plan_for_somewhere_else_is_noticed() -> None:
    here = site()
    message = plan_message(plans_of(here), ())
    other = check_plan(message, crossroads("south"), envelope_hash=bytes(32), now_unix_ms=NOW_MS)
    assert [f.rule for f in other.findings] == [
        "wrong_intersection", "wrong_envelope", "wrong_ruleset",
    ]  # fmt: skip
    assert [f.rule for f in checked(plan_pb2.Plan(intersection_id="north"), here).findings] == [
        "no_plan"
    ]


def test_a_red_that_grows_too_long_at_a_switch_is_found() -> None:
    assert checked(calendar(), site(max_red_ds=900)).content is not None
    result = checked(calendar(), site(max_red_ds=400))
    assert result.content is None
    (finding,) = result.findings
    assert (finding.rule, finding.limit, finding.unit) == ("MAX_RED", 40.0, "s")
    assert finding.found > 40.0
    assert "calendar" in finding.message


def test_an_envelope_of_an_unknown_profile_takes_no_plan() -> None:
    usual = site()
    here = replace(usual, envelope=replace(usual.envelope, profile="home-made/3"))
    result = checked(plan_message(plans_of(here), ()), here)
    assert [f.rule for f in result.findings] == ["unknown_profile"]


@given(
    st.builds(
        SumoProfile,
        amber_override_s=st.none() | st.integers(1, 9),
        all_red_override_s=st.none() | st.sampled_from([0, 0.5, 2]),
        min_green_override_s=st.none() | st.sampled_from([5, 7.5]),
    )
    | st.builds(RilsaProfile, min_green_s=st.integers(5, 20))
)
def test_a_profile_is_found_again_by_its_label(profile: SumoProfile | RilsaProfile) -> None:
    assert profile_named(profile.label) == profile


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_no_bytes_do_harm(at: int, strange: bytes) -> None:
    content = calendar().SerializeToString()
    at %= len(content)
    plan = plan_pb2.Plan()
    try:
        plan.ParseFromString(content[:at] + strange + content[at + len(strange) :])
    except DecodeError:
        return
    result = checked(plan, site(max_red_ds=900))
    assert (result.content is None) == any(
        finding.severity == common_pb2.SEVERITY_ERROR for finding in result.findings
    )


def test_a_calendar_as_long_as_may_be_is_checked_in_no_time() -> None:
    message = calendar()
    tables, days = message.calendar.tables, message.calendar.days
    del tables[:], days[:]
    for number in range(MOST_DAYS):
        days.add(
            date_from=FROM_DATE, date_to=TO_DATE, weekday_mask=127, priority=number, table_id="t"
        )
    table = tables.add(table_id="t")
    for number in range(MOST_SWITCHES):
        name = ("day", "night")[number % 2]
        table.switches.add(local_time_s=number * DAY_S // MOST_SWITCHES, plan_id=name)
    began_s = time.process_time()
    checked(message, site(max_red_ds=900))
    assert time.process_time() - began_s < 3.0
