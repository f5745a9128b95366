"""Intergreens of the rilsa profile: worked examples, geometry, refusals."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ampelwerk.controllers.local import LocalController
from ampelwerk.models.envelope import GroupId, RoadUser
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import RilsaProfile, SumoProfile
from ampelwerk.sim.conflict_points import closest_approach_m, crossings_m
from ampelwerk.sim.intergreens import Stream, clearing_class, conflict_distances_m, intergreen_s
from ampelwerk.sim.net_file import NetConnection, NetEdge, NetFile, NetLane, Point
from ampelwerk.sim.network_import import ImportedSignals, read_intersections
from ampelwerk.sim.rilsa import rilsa_envelope
from ampelwerk.sim.scenario import resolve

CAR_MPS = 40 / 3.6

VECTORS = [
    ("straight against car", 3, 15, 6, 10, 18, CAR_MPS, 4),
    ("tight right against car", 2, 10, 6, 5, 40, CAR_MPS, 2),
    ("left against car", 2, 30, 6, 7, 20, CAR_MPS, 6),
    ("cyclist against car", 1, 20, 0, 4, 15, CAR_MPS, 5),
    ("pedestrian against car", 0, 7.5, 0, 1.2, 2, CAR_MPS, 7),
    ("a whole number is not rounded up", 3, 14, 6, 10, 0, CAR_MPS, 5),
    ("never below zero", 2, 2, 6, 7, 60, CAR_MPS, 0),
]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector[0] for vector in VECTORS])
def test_rilsa_2015_intergreen(
    vector: tuple[str, float, float, float, float, float, float, int],
) -> None:
    _, t_u, s_0, length, v_r, s_e, v_e, expected = vector
    assert intergreen_s(t_u, s_0, length, v_r, s_e, v_e) == expected


def test_pedestrians_enter_at_once() -> None:
    assert intergreen_s(3, 14, 6, 10, 50, math.inf) == 5


def test_lines_cross_where_geometry_says() -> None:
    assert crossings_m([(0, 0), (10, 0)], [(4, -3), (4, 5)]) == [(4.0, 3.0)]
    assert crossings_m([(0, 0), (10, 0)], [(0, 1), (10, 1)]) == []


def test_merging_lines_meet_at_their_ends() -> None:
    first, second = closest_approach_m([(0, 0), (20, 0)], [(10, -10), (19.5, -0.5)])
    assert first == pytest.approx(19.5, abs=1.0)
    assert second == pytest.approx(math.dist((10, -10), (19.5, -0.5)), abs=1.0)


def connection(direction: str, name: str = "a") -> NetConnection:
    return NetConnection(
        from_lane=f"{name}_0",
        to_lane=f"{name}x_0",
        via_lane="",
        direction=direction,
        tl="T",
        link_index=0,
    )


def stream(
    *path: Point, user: RoadUser = RoadUser.MOTOR, width_m: float = 3.0, direction: str = "s"
) -> Stream:
    return Stream(
        connection=connection(direction),
        user=user,
        path=path,
        width_m=width_m,
        speed_mps=50 / 3.6,
    )


def test_vehicles_clear_to_the_far_edge_of_a_crossing_and_enter_at_the_near_one() -> None:
    car = stream((0, 0), (30, 0))
    crossing = stream((20, -3), (20, 11), user=RoadUser.PEDESTRIAN, width_m=4.0)
    clearing = conflict_distances_m(car, crossing)
    assert clearing is not None
    assert clearing[0] == pytest.approx(22.0, abs=0.3)
    entering = conflict_distances_m(crossing, car)
    assert entering is not None
    assert entering[1] == pytest.approx(18.0, abs=0.3)


def test_pedestrians_clear_the_far_edge_of_the_lane_from_either_kerb() -> None:
    # The lane lies from 1.5 to 4.5 m of 14 m: whoever comes from the far kerb walks 12.5 m.
    car = stream((0, 0), (30, 0))
    crossing = stream((20, -3), (20, 11), user=RoadUser.PEDESTRIAN, width_m=4.0)
    clearing = conflict_distances_m(crossing, car)
    assert clearing is not None
    assert clearing[0] == pytest.approx(12.5, abs=0.3)


def test_paths_a_lane_width_apart_do_not_meet() -> None:
    first = stream((0, 0), (20, 0))
    assert conflict_distances_m(first, stream((20, 3), (0, 3))) is None
    assert conflict_distances_m(first, stream((20, 2), (0, 2))) is not None


def test_a_turn_of_small_radius_clears_slowly() -> None:
    profile = RilsaProfile()

    def turn(radius_m: float, direction: str) -> Stream:
        arc = [k * math.pi / 20 for k in range(11)]
        points = [(radius_m * math.sin(a), radius_m * (1 - math.cos(a))) for a in arc]
        return stream(*points, direction=direction)

    assert clearing_class(turn(6, "r"), profile) == profile.motor_tight
    assert clearing_class(turn(14, "l"), profile) == profile.motor_turning
    assert clearing_class(turn(14, "s"), profile) == profile.motor_straight
    assert clearing_class(stream((0, 0), (9, 0), user=RoadUser.CYCLIST), profile).length_m == 0


def envelope_of(far_m: float, speed_mps: float, direction: str = "s") -> tuple[int, list[str]]:
    """Intergreen of two streams side by side that far apart, and the rules of the findings."""
    net = NetFile(path=Path("made up"))
    for name, y in (("a", 0.0), ("b", far_m)):
        for edge_id, x in ((name, 0.0), (f"{name}x", 20.0)):
            lane_id = f"{edge_id}_0"
            net.edges[edge_id] = NetEdge(
                edge_id=edge_id, function="", from_junction="", to_junction=""
            )
            net.lanes[lane_id] = NetLane(
                lane_id=lane_id,
                edge_id=edge_id,
                index=0,
                speed_mps=speed_mps,
                length_m=10,
                width_m=3.2,
                shape=((x - 10, y), (x, y)) if x == 0 else ((x, y), (x + 10, y)),
                allow=frozenset(),
                disallow=frozenset(),
            )
    rules: list[str] = []
    envelope = rilsa_envelope(
        net,
        "T",
        [[connection(direction, "a")], [connection(direction, "b")]],
        [GroupId("K1"), GroupId("K2")],
        [RoadUser.MOTOR, RoadUser.MOTOR],
        [[False, True], [True, False]],
        RilsaProfile(),
        lambda rule, where, message, remedy: rules.append(rule),
    )
    return envelope.intergreen_ds[0][1] or 0, rules


def test_conflicting_groups_whose_paths_do_not_meet_are_reported_once() -> None:
    gap_ds, rules = envelope_of(30.0, 50 / 3.6)
    assert rules == ["no_conflict_point"]
    assert gap_ds == 40


@pytest.mark.parametrize("direction", ["s", "l"])
def test_above_70_km_h_the_lane_is_named_whatever_its_direction(direction: str) -> None:
    assert envelope_of(2.0, 70 / 3.6, direction)[1] == []
    for speed_mps in (20.0, 80 / 3.6, 100 / 3.6):
        assert envelope_of(2.0, speed_mps, direction) == (
            envelope_of(2.0, 70 / 3.6, direction)[0], ["fast_approach"] * 2
        )  # fmt: skip
    with pytest.raises(InvalidInputError, match=r"T, lane a_0.*110 km/h.*--profile sumo"):
        envelope_of(2.0, 110 / 3.6, direction)


@pytest.fixture(scope="module")
def cologne8() -> ImportedSignals:
    scenario = resolve("cologne8")
    return read_intersections(scenario.net_file, scenario.additional_files, RilsaProfile())


def test_every_conflicting_pair_has_amber_and_red_amber_apart(cologne8: ImportedSignals) -> None:
    for site in cologne8.intersections:
        envelope = site.envelope
        for a, row in enumerate(envelope.intergreen_ds):
            for b, gap_ds in enumerate(row):
                assert (gap_ds is not None) == envelope.conflict[a][b]
                if gap_ds is not None:
                    least = envelope.groups[a].amber_ds + envelope.groups[b].red_amber_ds
                    assert least <= gap_ds <= 130


def test_amber_follows_the_speed_limit(cologne8: ImportedSignals) -> None:
    for site in cologne8.intersections:
        for group in site.envelope.groups:
            assert group.road_user is RoadUser.MOTOR
            assert group.amber_ds in (30, 40, 50)
            assert group.red_amber_ds == 10


def greens_s(site: Intersection) -> list[int]:
    """Seconds of green of each group in one cycle of the plan."""
    plan = site.plans[0]
    controller = LocalController(site, tick_ds=10, now_ds=0)
    total = [0] * site.envelope.size
    for second in range(1, plan.cycle_ds // 10 + 1):
        controller.tick(10 * second)
        for group in range(len(total)):
            total[group] += controller.green_mask >> group & 1
    return total


def test_drawn_out_plan_keeps_every_green_as_long_as_it_was(cologne8: ImportedSignals) -> None:
    scenario = resolve("cologne8")
    delivered = read_intersections(scenario.net_file, scenario.additional_files, SumoProfile())

    for longer, given in zip(
        cologne8.intersections,
        delivered.intersections,
        strict=True,
    ):
        assert longer.plans[0].cycle_ds >= given.plans[0].cycle_ds
        for mine, theirs in zip(greens_s(longer), greens_s(given), strict=True):
            assert mine >= theirs


def test_speed_without_an_amber_is_refused() -> None:
    scenario = resolve("arterial4x4")
    with pytest.raises(InvalidInputError, match="--profile sumo"):
        read_intersections(
            scenario.net_file,
            scenario.additional_files,
            RilsaProfile(amber_s=((30 / 3.6, 3),)),
        )
