"""Intergreens of the rilsa profile: worked examples, geometry, refusals."""

from __future__ import annotations

import math

import pytest

from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import RilsaProfile
from ampelwerk.sim.network_import import ImportedSignals, read_intersections
from ampelwerk.sim.rilsa import closest_approach_m, crossings_m, intergreen_s
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


def test_drawn_out_plan_keeps_every_green_as_long_as_it_was(cologne8: ImportedSignals) -> None:
    from ampelwerk.controllers.local import LocalController
    from ampelwerk.models.profile import SumoProfile

    scenario = resolve("cologne8")
    delivered = read_intersections(scenario.net_file, scenario.additional_files, SumoProfile())

    def greens(site: Intersection) -> list[int]:
        """Seconds of green of each group in one cycle of the plan."""
        plan = site.plans[0]
        controller = LocalController(site, tick_ds=10, now_ds=0)
        total = [0] * site.envelope.size
        for second in range(1, plan.cycle_ds // 10 + 1):
            controller.tick(10 * second)
            for group in range(len(total)):
                total[group] += controller.green_mask >> group & 1
        return total

    for longer, given in zip(
        cologne8.intersections,
        delivered.intersections,
        strict=True,
    ):
        assert longer.plans[0].cycle_ds >= given.plans[0].cycle_ds
        for mine, theirs in zip(greens(longer), greens(given), strict=True):
            assert mine >= theirs


def test_speed_without_an_amber_is_refused() -> None:
    scenario = resolve("arterial4x4")
    with pytest.raises(InvalidInputError, match="--profile sumo"):
        read_intersections(
            scenario.net_file,
            scenario.additional_files,
            RilsaProfile(amber_s=((30 / 3.6, 3),)),
        )
