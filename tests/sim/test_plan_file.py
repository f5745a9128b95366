"""The plan file: what is written is read back, and whatever is wrong in it is named with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.models.calendar import DAY_S, CalendarEntry, Weekday
from ampelwerk.models.envelope import GroupId, IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import StageId
from ampelwerk.models.network import Network
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.plan_set import (
    IntersectionPlans,
    PlannedStage,
    PlanSet,
    network_with_plans,
    plan_set_of,
)
from ampelwerk.models.profile import RilsaProfile, SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.plan_diff import plan_diff
from ampelwerk.sim.plan_file import plans_from_json, plans_json, read_plans, schema, write_plans
from ampelwerk.sim.scenario import resolve

PUBLISHED = Path(__file__).parents[2] / "docs" / "plan-file.schema.json"


@pytest.fixture(scope="module")
def network() -> Network:
    return import_network(resolve("corridor"), SumoProfile())


@pytest.fixture(scope="module")
def plans(network: Network) -> PlanSet:
    return plan_set_of(network.intersections, name="corridor", profile="sumo/1")


@st.composite
def plan_sets(draw: st.DrawFn) -> PlanSet:
    names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    plan_ids = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    sites = []
    for site in draw(st.lists(names, min_size=1, max_size=3, unique=True)):
        stage_ids = draw(st.lists(names, min_size=1, max_size=4, unique=True))
        groups = draw(st.lists(names, max_size=4, unique=True))
        stages = tuple(
            PlannedStage(
                stage_id=StageId(stage_id),
                groups=tuple(GroupId(g) for g in groups[k:]),
                permissive=tuple(GroupId(g) for g in groups[k + 1 :]),
                turn_on_red=tuple(GroupId(g) for g in groups[:k]),
            )
            for k, stage_id in enumerate(stage_ids)
        )
        plans = []
        for plan_id in plan_ids:
            cycle_ds = draw(st.integers(50, 3000))
            starts = sorted(draw(st.sets(st.integers(1, cycle_ds - 1), max_size=5)) | {0})
            picks = st.integers(0, len(stages) - 1)
            plans.append(
                CyclicPlan(
                    plan_id=plan_id,
                    cycle_ds=cycle_ds,
                    offset_ds=draw(st.integers(0, cycle_ds - 1)),
                    steps=tuple(PlanStep(start_ds=s, stage=draw(picks)) for s in starts),
                )
            )
        sites.append(
            IntersectionPlans(
                intersection_id=IntersectionId(site), stages=stages, plans=tuple(plans)
            )
        )
    times = draw(st.sets(st.integers(0, DAY_S - 1), max_size=4))
    return PlanSet(
        name=draw(names),
        version=draw(st.integers(1, 10**9)),
        profile=draw(names),
        intersections=tuple(sites),
        calendar=tuple(
            CalendarEntry(
                days=(Weekday.MON, Weekday.SUN), at_s=at_s, plan_id=draw(st.sampled_from(plan_ids))
            )
            for at_s in times
        ),
    )


@given(plan_sets())
def test_what_is_written_is_read_back(plan_set: PlanSet) -> None:
    text = plans_json(plan_set)
    assert plans_from_json(text, where="here") == plan_set
    assert plan_diff(plan_set, plans_from_json(text, where="here")) == []


def test_published_schema_is_the_one_of_the_program() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema(), (
        "ampelwerk plan schema > docs/plan-file.schema.json"
    )


@pytest.mark.parametrize("profile", [SumoProfile(), RilsaProfile()], ids=lambda p: p.name)
@pytest.mark.parametrize("name", ["cologne1", "grid4x4", "corridor"])
def test_network_is_the_same_with_its_own_plans_from_a_file(
    name: str, profile: SumoProfile | RilsaProfile, tmp_path: Path
) -> None:
    network = import_network(resolve(name), profile)
    write_plans(
        plan_set_of(network.intersections, name=name, profile=profile.label),
        tmp_path / "plans.json",
    )
    assert network_with_plans(network, read_plans(tmp_path / "plans.json")) == network


def _first(content: dict[str, Any]) -> dict[str, Any]:
    site: dict[str, Any] = content["intersections"][0]
    return site


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown field": (
        lambda c: _first(c)["plans"][0].update(cyle_s=1),
        r"intersections\[0\] \(j0\).plans\[0\] \(coordinated\).cyle_s",
    ),
    "cycle is text": (
        lambda c: _first(c)["plans"][0].update(cycle_s="80"),
        r'plans\[0\] \(coordinated\).cycle_s.*number.*not "80"',
    ),
    "hundredths": (lambda c: _first(c)["plans"][0].update(offset_s=0.25), "tenths.*not 0.25"),
    "offset beyond cycle": (lambda c: _first(c)["plans"][0].update(offset_s=999), "less than"),
    "steps out of order": (lambda c: _first(c)["plans"][0]["steps"].reverse(), "steps at"),
    "no stage": (
        lambda c: _first(c)["plans"][0]["steps"][1].update(stage="x"),
        "found: x; allowed",
    ),
    "stage twice": (lambda c: _first(c)["stages"].append(_first(c)["stages"][0]), "used twice"),
    "intersection twice": (lambda c: c["intersections"].append(_first(c)), "used twice"),
    "permissive not green": (
        lambda c: _first(c)["stages"][0].update(permissive=["Z9"]),
        "found: Z9",
    ),
    "calendar without plan": (
        lambda c: c.update(calendar=[{"days": ["mon"], "at": "06:00", "plan": "night"}]),
        "found: night",
    ),
    "no time of day": (
        lambda c: c.update(calendar=[{"days": ["mon"], "at": "24:00", "plan": "coordinated"}]),
        r"calendar\[0\].at",
    ),
    "other format": (lambda c: c.update(format="ampelwerk-plans/2"), "format.*ampelwerk-plans/1"),
    "version 0": (lambda c: c.update(version=0), "version"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_named_with_its_place(fault: str, plans: PlanSet) -> None:
    change, message = FAULTS[fault]
    content = json.loads(plans_json(plans))
    change(content)
    with pytest.raises(InvalidInputError, match=message) as caught:
        plans_from_json(json.dumps(content).encode(), where="my.json")
    assert "my.json" in str(caught.value)
    assert "remedy" in str(caught.value)


def test_editors_may_name_the_schema(plans: PlanSet) -> None:
    content = {"$schema": "plan-file.schema.json", **json.loads(plans_json(plans))}
    assert plans_from_json(json.dumps(content).encode(), where="my.json") == plans


def test_file_cut_short_is_refused(plans: PlanSet) -> None:
    with pytest.raises(InvalidInputError, match=r"Invalid JSON.*line"):
        plans_from_json(plans_json(plans)[:400], where="my.json")


def test_plans_of_another_network_are_refused(network: Network, plans: PlanSet) -> None:
    first = plans.intersections[0]
    stage = replace(first.stages[0], groups=first.stages[1].groups, permissive=())
    other = replace(first, stages=(stage, *first.stages[1:]))
    with pytest.raises(InvalidInputError, match="not the one of that name"):
        network_with_plans(network, replace(plans, intersections=(other,)))
    stage = replace(first.stages[0], groups=(GroupId("Z9"),), permissive=())
    other = replace(first, stages=(stage, *first.stages[1:]))
    with pytest.raises(InvalidInputError, match="does not have; found: Z9"):
        network_with_plans(network, replace(plans, intersections=(other,)))
    other = replace(first, intersection_id=IntersectionId("elsewhere"))
    with pytest.raises(InvalidInputError, match=r"elsewhere.*no signal of that name"):
        network_with_plans(network, replace(plans, intersections=(other,)))


def test_stage_that_the_network_does_not_know_is_added(network: Network, plans: PlanSet) -> None:
    first = plans.intersections[0]
    alone = PlannedStage(stage_id=StageId("alone"), groups=first.stages[0].groups[:1])
    planned = replace(first, stages=(alone, *first.stages[1:]))
    changed = network_with_plans(network, replace(plans, intersections=(planned,)))
    site, before = changed.intersections[0], network.intersections[0]
    assert site.stages[:-1] == before.stages
    assert site.stages[-1].stage_id == "alone"
    assert site.plans[0].steps[0].stage == len(before.stages)


def test_differences_are_told_in_words(plans: PlanSet) -> None:
    first = plans.intersections[0]
    plan = first.plans[0]
    longer = replace(
        plan,
        cycle_ds=plan.cycle_ds + 60,
        offset_ds=35,
        steps=(
            *plan.steps[:-1],
            replace(plan.steps[-1], start_ds=plan.steps[-1].start_ds + 20),
        ),
    )
    night = replace(plan, plan_id="night")
    changed = replace(
        plans,
        version=2,
        intersections=(
            replace(first, plans=(longer, night)),
            *plans.intersections[2:],
        ),
    )
    said = [str(change) for change in plan_diff(plans, changed)]
    cycle, gone = plan.cycle_ds / 10, plans.intersections[1].intersection_id
    assert "version: 1 → 2" in said
    assert f"intersection j0, plan coordinated: cycle time: {cycle:g} s → {cycle + 6:g} s" in said
    assert "intersection j0, plan coordinated: offset: 0 s → 3.5 s" in said
    assert any(line.startswith("intersection j0: plan night: added: cycle") for line in said)
    assert f"intersection {gone}: plans: removed: coordinated" in said
    assert (
        sum("plan coordinated: stage" in line for line in said) == 2
    )  # the last and the one before it


def fills_its_cycle(plan: dict[str, Any]) -> bool:
    """The oracle: steps rise from 0 and lie within the cycle, times are tenths, offset within it."""
    cycle, offset = plan["cycle_s"], plan["offset_s"]
    starts = [step["at_s"] for step in plan["steps"]]
    times = [cycle, offset, *starts]
    tenths = all(abs(10 * time - round(10 * time)) < 1e-6 and 0 <= time <= 86_400 for time in times)
    rising = bool(starts) and starts == sorted(set(starts)) and starts[0] == 0
    return tenths and cycle > 0 and rising and starts[-1] < cycle and offset < cycle


@given(st.data())
def test_times_are_accepted_exactly_where_the_steps_fill_the_cycle(
    plans: PlanSet, data: st.DataObject
) -> None:
    content = json.loads(plans_json(plans))
    plan = _first(content)["plans"][0]
    times = st.one_of(
        st.integers(-10, 120), st.sampled_from([0.05, 0.1, 41.9, 45.25, 90, 86_400, 86_401])
    )
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.sampled_from([plan, *plan["steps"]]))
        name = data.draw(st.sampled_from(sorted(place.keys() & {"cycle_s", "offset_s", "at_s"})))
        place[name] = data.draw(times)
    if data.draw(st.booleans()):
        plan["steps"].pop(data.draw(st.integers(0, len(plan["steps"]) - 1)))
    text = json.dumps(content).encode()
    if fills_its_cycle(plan):
        read = plans_from_json(text, where="here").intersections[0].plans[0]
        assert read.cycle_ds == round(10 * plan["cycle_s"])
    else:
        with pytest.raises(InvalidInputError):
            plans_from_json(text, where="here")
