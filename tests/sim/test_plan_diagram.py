"""The signal timing plan shows what the controller shows, and the intergreens that decide."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ampelwerk.engine.lamp_program import planned_lamps
from ampelwerk.engine.lamp_rules import ASPECT
from ampelwerk.models.envelope import Aspect
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.plan_programs import unrolled
from ampelwerk.sim.report.naming import group_labels
from ampelwerk.sim.report.plan_diagram import drawn_intergreens, plan_picture, shown_in_cycle
from ampelwerk.sim.scenario import resolve

PLACES = [
    ("cologne1", RilsaProfile(), 0),
    ("corridor", RilsaProfile(), 2),
    ("grid4x4", SumoProfile(), 0),
    ("ingolstadt7", SumoProfile(), 2),
]


def site_of(name: str, profile: Profile, number: int) -> Intersection:
    return import_network(resolve(name), profile).intersections[number]


@pytest.mark.parametrize(("name", "profile", "number"), PLACES)
def test_bars_are_what_the_controller_shows(name: str, profile: Profile, number: int) -> None:
    site = site_of(name, profile, number)
    plan = site.plans[0]
    lamps = planned_lamps(plan, site.stages, site.envelope)
    states = [
        state for length, state in unrolled(site, plan, 10).states for _ in range(length // 10)
    ]
    assert len(states) == plan.cycle_ds // 10
    for group in range(site.envelope.size):
        link = site.sumo_link_group.index(group)
        shown = [Aspect(ASPECT[state[link]]) for state in states]
        drawn: list[Aspect | None] = [None] * len(states)
        for item in shown_in_cycle(lamps, group):
            for second in range(round(item.start_s), round(item.end_s)):
                assert drawn[second] is None
                drawn[second] = item.aspect
        assert drawn == shown, site.envelope.groups[group].group_id


@pytest.mark.parametrize(("name", "profile", "number"), PLACES)
def test_every_green_waits_for_the_end_that_decides(
    name: str, profile: Profile, number: int
) -> None:
    site = site_of(name, profile, number)
    lamps = planned_lamps(site.plans[0], site.stages, site.envelope)
    found = drawn_intergreens(lamps, site.envelope)
    assert {item.entering for item in found} == {
        g for g in range(site.envelope.size) if any(site.envelope.conflict[g])
    }
    for item in found:
        required_ds = site.envelope.intergreen_ds[item.leaving][item.entering]
        assert required_ds is not None
        assert item.gap_ds >= item.required_ds >= required_ds
    assert any(item.gap_ds == item.required_ds for item in found)


def test_picture_names_groups_stages_and_times() -> None:
    network = import_network(resolve("corridor"), RilsaProfile())
    site = network.intersections[2]
    picture = plan_picture(site, site.plans[0], group_labels(network, 2), "plan")
    assert picture == plan_picture(site, site.plans[0], group_labels(network, 2), "plan")
    root = ElementTree.fromstring(picture)
    texts = {"".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"F1 pedestrians", "begin", "end", "green [s]", "stage", "11", "5+1"} <= texts
    assert any("cycle time 90 s, offset 45 s" in text and "j2" in text for text in texts)
