"""The local controller keeps greens back on request, for a while."""

from __future__ import annotations

import pytest

from ampelwerk.controllers.local import FAR_DS, HOLD_DS, LocalController
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.report.signal_record import group_links
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario

VALID_DS = 10_000


@pytest.fixture
def site(small: SmallScenario) -> Intersection:
    scenario = resolve(str(small.net), routes=[small.routes])
    return import_network(scenario, SumoProfile()).intersections[0]


def settled(site: Intersection, stage: int = 0) -> tuple[LocalController, int]:
    """A controller that has shown a stage for long, and the time. [ds]"""
    controller = LocalController(site, tick_ds=10, now_ds=0)
    for second in range(1, 61):
        controller.want(stage, VALID_DS)
        controller.tick(10 * second)
    assert controller.green_mask == site.stages[stage].mask
    return controller, 600


def start_ds(site: Intersection, hold_ticks: int) -> int:
    """Time from asking for a stage that shares no green until it shows, holding for some ticks. [ds]"""
    controller, now_ds = settled(site)
    stage = next(
        k
        for k, other in enumerate(site.stages)
        if other.mask and not other.mask & site.stages[0].mask
    )
    begun_ds = now_ds
    for tick in range(60):
        controller.want(stage, VALID_DS)
        if 0 < tick <= hold_ticks:
            controller.hold()
        now_ds += 10
        controller.tick(now_ds)
        if controller.decidable_from_ds < FAR_DS:
            assert controller.green_mask == site.stages[stage].mask
            return now_ds - begun_ds
    raise AssertionError("the stage never came")


def test_greens_wait_while_asked_to_and_no_longer_than_the_limit(site: Intersection) -> None:
    unheld_ds = start_ds(site, 0)
    for ticks in range(20):  # held from the second tick of the transition on
        end_ds = 10 * (ticks + 2)
        assert start_ds(site, ticks) == max(unheld_ds, min(end_ds, unheld_ds + HOLD_DS))


def test_greens_that_go_on_are_not_held() -> None:
    site = import_network(resolve("ingolstadt1"), SumoProfile()).intersections[0]
    first, stage, both = next(
        (j, k, both)
        for j, one in enumerate(site.stages)
        for k, other in enumerate(site.stages)
        if (both := one.mask & other.mask) and one.mask & ~both and other.mask & ~both
    )
    controller, now_ds = settled(site, first)
    for _ in range(10):
        controller.want(stage, VALID_DS)
        controller.hold()
        now_ds += 10
        controller.tick(now_ds)
        assert controller.green_mask & both == both


def test_a_stage_in_full_is_not_held(site: Intersection) -> None:
    controller, now_ds = settled(site)
    shown, decidable_ds = controller.green_mask, controller.decidable_from_ds
    for _ in range(5):
        controller.hold()
        now_ds += 10
        assert not controller.tick(now_ds)
    assert (controller.green_mask, controller.decidable_from_ds) == (shown, decidable_ds)


def test_a_red_amber_step_of_the_program_gives_no_right_of_way() -> None:
    """Asked for while its groups are green already, as after a fault, they yield as before."""
    site = next(
        site
        for site in import_network(resolve("corridor"), SumoProfile()).intersections
        if site.intersection_id == "j0"
    )
    assert {step.stage for step in site.plans[0].steps} <= set(range(len(site.stages)))
    for first, stage in enumerate(site.stages):
        if not stage.permissive:
            continue
        for asked in {step.stage for step in site.plans[0].steps}:
            controller, now_ds = settled(site, first)
            for _ in range(3):
                controller.want(asked, VALID_DS)
                now_ds += 10
                controller.tick(now_ds)
                shown = controller.state
                for group, yields in enumerate(site.yields):
                    letters = {shown[link] for link in group_links(site, group)}
                    foes = {
                        shown[link]
                        for foe, gives_way in enumerate(yields)
                        if gives_way
                        for link in group_links(site, foe)
                    }
                    assert not ("G" in letters and "G" in foes), (first, asked, shown)
