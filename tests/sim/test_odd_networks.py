"""Every odd network runs under control: nothing unsafe, nothing silently left out."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from ampelwerk.models.detection import LoopRole
from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.intersection import Turn
from ampelwerk.models.network import Network
from ampelwerk.models.profile import RilsaProfile, SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.run import read_measures
from tests.sim import odd_inputs, odd_networks
from tests.sim.odd_networks import Builder
from tests.sim.runs import simulate

pytestmark = pytest.mark.sumo

RAIL, OFF, SINGLE, MANY = "rail", "is off", "single stage", "signal groups"
LEFT_TO_SUMO = {
    "left_to_sumo": {"C0": OFF, "D0": SINGLE},
    "railway": {"x": RAIL, "block": RAIL},
    "too_many_groups": {"joinedS": MANY},
}
"""Signals that cannot be controlled, and a word of the reason."""
WITNESS_ERRS = {
    "nema": "monitor_net takes the rows of a NEMA program for whole states",
}
"""Networks where the witness reports what is not wrong."""


def imported(builder: Builder, folder: Path) -> Network:
    return import_network(builder(folder), SumoProfile())


@pytest.mark.parametrize(
    "builder",
    [
        pytest.param(
            builder,
            id=builder.__name__,
            marks=pytest.mark.xfail(strict=True, reason=WITNESS_ERRS[builder.__name__])
            if builder.__name__ in WITNESS_ERRS
            else (),
        )
        for builder in (*odd_networks.NETWORKS, *odd_inputs.INPUTS)
    ],
)
def test_odd_network_runs_under_control(builder: Builder, tmp_path: Path) -> None:
    scenario = builder(tmp_path)
    network = import_network(scenario, SumoProfile())
    for control in ("fixed", "actuated", "priority-index", "rolling-horizon"):
        directory = tmp_path / control
        measures = simulate(scenario, directory, control)
        assert_left_to_sumo(measures, LEFT_TO_SUMO.get(builder.__name__, {}))
        safety = measures["safety"]
        assert (safety["checked_switches"] > 0) == bool(network.intersections)
        assert safety["violations"] == 0, safety
        assert safety["collisions_by_signals"] == 0
        assert measures["completed"] > 0
        assert set(recorded(directory)) == {str(s.intersection_id) for s in network.intersections}
        # An amber that is missing or too short shows here, whoever promised it.
        warnings = (directory / "sumo_warnings.txt").read_text(encoding="utf-8")
        assert "because of a red traffic light" not in warnings


def assert_left_to_sumo(measures: dict[str, Any], expected: dict[str, str]) -> None:
    found = {u["intersection"]: u["reason"] for u in measures["uncontrolled"]}
    for name, word in expected.items():
        matching = [signal for signal in found if signal.startswith(name)]
        assert len(matching) == 1 and word in found.pop(matching[0])
    assert not found


def recorded(directory: Path) -> dict[str, list[str]]:
    """States of each signal in the order shown."""
    states: dict[str, list[str]] = {}
    with (directory / "signals.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            states.setdefault(row["intersection"], []).append(row["state"])
    return states


@pytest.mark.parametrize("name", ["crossings", "mid_block_crossing", "tram", "joined"])
def test_odd_network_runs_under_the_rilsa_profile(name: str, tmp_path: Path) -> None:
    scenario = getattr(odd_networks, name)(tmp_path)
    for control in ("fixed", "priority-index"):
        measures = simulate(scenario, tmp_path / control, control, profile=RilsaProfile())
        assert measures["safety"]["violations"] == 0
        assert measures["completed"] > 0


def test_road_users_are_told_from_lane_permissions(tmp_path: Path) -> None:
    expected = {
        odd_networks.tram: RoadUser.TRAM,
        odd_networks.bus_lane: RoadUser.BUS,
        odd_networks.bicycles: RoadUser.CYCLIST,
    }
    for builder, user in expected.items():
        folder = tmp_path / builder.__name__
        folder.mkdir()
        network = imported(builder, folder)
        assert user in {lane.road_user for lane in network.lanes}


@pytest.mark.parametrize("builder", [odd_networks.left_hand, odd_networks.one_lane])
def test_who_turns_round_does_so_on_either_side_of_the_road(
    builder: Builder, tmp_path: Path
) -> None:
    round_turns = 0
    for site in imported(builder, tmp_path).intersections:
        for movement in site.movements:
            start, end = (
                str(lane).rpartition("_")[0] for lane in (movement.from_lane, movement.to_lane)
            )
            # netgenerate names the way back by the two nodes in the other order.
            back = movement.turn is not Turn.CROSSING and sorted(start) == sorted(end)
            assert (movement.turn is Turn.U_TURN) == back, movement
            round_turns += back
    assert round_turns


def test_both_links_of_a_crossing_are_one_group(tmp_path: Path) -> None:
    site = imported(odd_networks.crossings_signalled_from_both_ends, tmp_path).intersections[0]
    assert site.sumo_link_group[16:20] == site.sumo_link_group[20:24]
    assert len(set(site.sumo_link_group[16:20])) == 4


def test_mid_block_crossing_stops_cars_and_lets_people_walk(tmp_path: Path) -> None:
    (site,) = imported(odd_networks.mid_block_crossing, tmp_path).intersections
    users = [group.road_user for group in site.envelope.groups]
    assert set(users) == {RoadUser.MOTOR, RoadUser.PEDESTRIAN}
    walk = users.index(RoadUser.PEDESTRIAN)
    assert all(site.envelope.conflict[walk][g] for g in range(len(users)) if g != walk)


def test_conflicts_are_found_without_internal_lanes(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    inside = odd_networks.grid(tmp_path / "with", "--default.lanenumber", "2")
    bare = odd_networks.without_insides(tmp_path / "without")
    known = odd_networks.scenario_of(inside, bare.route_files[0])
    for a, b in zip(
        import_network(known, SumoProfile()).intersections,
        import_network(bare, SumoProfile()).intersections,
        strict=True,
    ):
        assert a.envelope.conflict == b.envelope.conflict
        assert a.yields == b.yields


def test_program_loaded_last_is_the_plan(tmp_path: Path) -> None:
    for builder in (odd_inputs.several_programs, odd_inputs.included_program):
        folder = tmp_path / builder.__name__
        folder.mkdir()
        plans = imported(builder, folder).intersections[0].plans
        assert [(plan.plan_id, plan.cycle_ds) for plan in plans] == [("night", 460), ("0", 900)]


def test_program_without_states_moves_an_offset(tmp_path: Path) -> None:
    (plan,) = imported(odd_inputs.moved_offset, tmp_path).intersections[0].plans
    assert (plan.plan_id, plan.offset_ds) == ("0", 130)


def test_nema_rings_become_stages_with_amber(tmp_path: Path) -> None:
    site = imported(odd_inputs.nema, tmp_path).intersections[0]
    assert {group.amber_ds for group in site.envelope.groups} == {30}
    assert {group.min_green_ds for group in site.envelope.groups} == {50}
    opposite = [stage for stage in site.stages if stage.selectable and stage.delivered]
    assert [len(stage.groups) for stage in opposite] == [4, 4]
    assert {gap for row in site.envelope.intergreen_ds for gap in row} == {None, 50}


def test_turn_on_red_is_shown(tmp_path: Path) -> None:
    scenario = odd_inputs.right_on_red(tmp_path)
    simulate(scenario, tmp_path / "run", "priority-index")
    assert any("s" in state for state in recorded(tmp_path / "run")["A0"])


def test_loops_that_see_some_vehicles_only_take_no_role(tmp_path: Path) -> None:
    network = imported(odd_inputs.loops_for_some, tmp_path)
    given = {loop.loop_id: loop.role for loop in network.loops if not loop.generated}
    assert given == {"all": LoopRole.STOP_LINE}


def test_odd_names_reach_the_files(tmp_path: Path) -> None:
    scenario = odd_inputs.odd_signal_name(tmp_path)
    simulate(scenario, tmp_path / "run", "actuated")
    assert read_measures(tmp_path / "run")["uncontrolled"] == []
    with (tmp_path / "run" / "decisions.csv").open(newline="", encoding="utf-8") as file:
        names = {row["intersection"] for row in csv.DictReader(file)}
    assert odd_inputs.ODD_SIGNAL in names
