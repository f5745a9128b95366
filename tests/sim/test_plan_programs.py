"""Plain SUMO with the written additional file shows what our controller shows, second by second."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ampelwerk.models.calendar import CalendarEntry, Weekday
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.plan_set import network_with_plans, plan_set_of
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.plan_programs import unrolled, used_names, write_sumo_additional
from ampelwerk.sim.report.signal_record import StateChanges
from ampelwerk.sim.scenario import Scenario, resolve
from tests.sim import odd_networks
from tests.sim.runs import simulate

pytestmark = pytest.mark.sumo


def stretched(plan: CyclicPlan, number: int) -> CyclicPlan:
    """Another cycle time and another offset, neither of them whole seconds."""
    return replace(
        plan,
        cycle_ds=plan.cycle_ds + 15 + number,
        offset_ds=(plan.offset_ds + 37 * number + 4) % plan.cycle_ds,
    )


def as_shipped(plan: CyclicPlan, _: int) -> CyclicPlan:
    return plan


def catalogue(name: str) -> Callable[[Path], Scenario]:
    return lambda _: resolve(name)


@pytest.mark.parametrize(
    ("scenario_of", "profile", "change", "step_s"),
    [
        pytest.param(catalogue("cologne1"), SumoProfile(), as_shipped, 1.0, id="cologne1"),
        pytest.param(catalogue("cologne1"), RilsaProfile(), stretched, 0.5, id="cologne1-rilsa"),
        pytest.param(catalogue("grid4x4"), SumoProfile(), stretched, 1.0, id="grid4x4"),
        pytest.param(odd_networks.crossings, RilsaProfile(), stretched, 1.0, id="crossings"),
        pytest.param(odd_networks.tram, SumoProfile(), stretched, 0.1, id="tram"),
        pytest.param(odd_networks.joined, SumoProfile(), stretched, 1.0, id="joined"),
    ],
)
def test_sumo_shows_the_same_second_by_second(
    scenario_of: Callable[[Path], Scenario],
    profile: Profile,
    change: Callable[[CyclicPlan, int], CyclicPlan],
    step_s: float,
    tmp_path: Path,
) -> None:
    scenario = scenario_of(tmp_path)
    scenario = replace(scenario, step_s=step_s, end_s=scenario.begin_s + 200)
    network = import_network(scenario, profile)
    plans = plan_set_of(
        (
            replace(site, plans=tuple(change(plan, k) for plan in site.plans))
            for k, site in enumerate(network.intersections)
        ),
        name="plans",
        profile=profile.label,
    )
    additional = tmp_path / "plans.add.xml"
    write_sumo_additional(
        network_with_plans(network, plans).intersections,
        additional,
        step_ds=round(10 * step_s),
        taken=used_names(scenario.net_file, scenario.additional_files),
    )
    ours = simulate(scenario, tmp_path / "ours", "plan", profile=profile, plans=plans)
    assert ours["safety"]["violations"] == 0
    native = replace(scenario, additional_files=(*scenario.additional_files, additional))
    simulate(native, tmp_path / "native", "native", profile=profile)
    shown = (tmp_path / "ours" / "signals.csv").read_text(encoding="utf-8")
    assert shown.count("\n") > 12
    assert (tmp_path / "native" / "signals.csv").read_text(encoding="utf-8") == shown


def small_site() -> Intersection:
    return import_network(resolve("cologne1"), SumoProfile()).intersections[0]


def test_cycle_that_is_no_whole_number_of_steps_is_written_out_until_it_is() -> None:
    site = small_site()
    plan = replace(site.plans[0], cycle_ds=925, offset_ds=3)
    found = unrolled(site, plan, 10)
    assert sum(duration_ds for duration_ds, _ in found.states) == 1850
    assert found.offset_ds == 10
    assert unrolled(site, plan, 1).offset_ds == 3


def test_plan_that_never_settles_is_refused() -> None:
    site = small_site()
    big = [k for k, stage in enumerate(site.stages) if stage.selectable and len(stage.groups) > 1]
    steps = tuple(PlanStep(start_ds=k * 10, stage=stage) for k, stage in enumerate(big[:3]))
    hectic = CyclicPlan(plan_id="hectic", cycle_ds=37, offset_ds=0, steps=steps)
    with pytest.raises(InvalidInputError, match=r"plan hectic.*never settles"):
        unrolled(site, hectic, 10)


def test_calendar_switches_plans_while_the_simulation_runs(tmp_path: Path) -> None:
    scenario = odd_networks.crossings(tmp_path)
    network = import_network(scenario, SumoProfile())
    day, night = (
        [replace(stretched(site.plans[0], k), plan_id=name) for site in network.intersections]
        for k, name in ((0, "day"), (30, "night"))
    )
    days = tuple(Weekday)
    plans = plan_set_of(
        (
            replace(site, plans=tuple(pair))
            for site, *pair in zip(network.intersections, day, night, strict=True)
        ),
        name="plans",
        profile="sumo/1",
        calendar=(
            CalendarEntry(days=days, at_s=23 * 3600, plan_id="day"),
            CalendarEntry(days=days, at_s=100, plan_id="night"),
        ),
    )
    measures = simulate(scenario, tmp_path / "run", "plan", plans=plans)
    assert measures["safety"]["violations"] == 0
    with (tmp_path / "run" / "signals.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for site in network_with_plans(network, plans).intersections:
        name = str(site.intersection_id)
        shown = StateChanges(
            [float(row["time"]) for row in rows if row["intersection"] == name],
            [row["state"] for row in rows if row["intersection"] == name],
        )
        settled_s = site.schedule.takeover(1000).at_ds / 10 + 30
        assert 100 <= settled_s < 200
        for plan, begin_s, end_s in ((site.plans[0], 0, 99), (site.plans[1], settled_s, 240)):
            expected = seconds_of(site, plan)
            for now_s in range(int(begin_s), int(end_s)):
                assert shown.at(now_s) == expected(now_s), (name, now_s)


def seconds_of(site: Intersection, plan: CyclicPlan) -> Callable[[int], str]:
    """The state of a plan that has run in, second by second."""
    found = unrolled(site, plan, 10)
    states = [state for length_ds, state in found.states for _ in range(length_ds // 10)]
    return lambda now_s: states[(now_s - found.offset_ds // 10) % len(states)]
