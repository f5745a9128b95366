"""Turns out of a short link between two signals do not wait inside the junction."""

from __future__ import annotations

import pytest

from ampelwerk.models.intersection import Intersection, Turn
from ampelwerk.models.network import Network
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.scenario import resolve
from ampelwerk.sim.short_links import SHORT_LINK_M

PAIRS = {"243641585", "gneJ257", "30503246", "30624898"}
"""Signals of ingolstadt21 that stand 12 and 15 m apart."""


@pytest.fixture(scope="module")
def network() -> Network:
    return import_network(resolve("ingolstadt21"), SumoProfile())


def chosen_groups(site: Intersection) -> list[set[int]]:
    return [set(stage.groups) for stage in site.stages if stage.selectable and stage.delivered]


def test_no_stage_to_choose_lets_a_turn_out_of_a_short_link_wait(network: Network) -> None:
    seen = set[str]()
    for lane in network.lanes:
        site = network.intersections[lane.intersection]
        if str(site.intersection_id) not in PAIRS or lane.length_m > SHORT_LINK_M:
            continue
        for m in lane.movements:
            movement = site.movements[m]
            if movement.turn not in (Turn.LEFT, Turn.U_TURN):
                continue
            for stage in site.stages:
                if not (stage.selectable and movement.group in stage.groups):
                    continue
                if not stage.delivered:
                    continue
                assert not set(movement.yields_to) & set(stage.groups), stage
                seen.add(str(site.intersection_id))
    assert seen == PAIRS


def test_every_group_is_still_released_by_a_stage_to_choose(network: Network) -> None:
    for site in network.intersections:
        if str(site.intersection_id) in PAIRS:
            released = set[int]().union(*chosen_groups(site))
            assert released == set(range(len(site.envelope.groups)))


def test_stages_of_the_plan_stay_as_they_are(network: Network) -> None:
    for site in network.intersections:
        for plan in site.plans:
            for step in plan.steps:
                assert not str(site.stages[step.stage].stage_id).endswith("k")
        if str(site.intersection_id) not in PAIRS:
            assert not any(str(stage.stage_id).endswith("k") for stage in site.stages)
