"""Shortest steps of an order of stages."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ampelwerk.engine.coordination.stage_sequence import sequence_of, shipped_stages
from ampelwerk.engine.lane_service import gives_way
from ampelwerk.engine.verification import verify
from ampelwerk.models.certificate import Certificate, PlanRule
from ampelwerk.models.errors import Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.scenario import resolve


def test_part_that_protects_left_turners_lasts_their_minimum_green() -> None:
    site = import_network(resolve("cologne1"), SumoProfile()).intersections[0]
    groups = site.envelope.groups
    free = [
        set(stage.groups)
        - {m.group for m in site.movements if gives_way(m, stage.groups, stage.permissive)}
        for stage in site.stages
    ]
    green = [set(stage.groups) for stage in site.stages]
    numbers = range(len(site.stages))
    # Protected, then giving way, then at red; and giving way before it is protected.
    orders = [
        (p, q, r, group)
        for p in numbers
        for q in numbers
        for r in numbers
        for group in free[p] & (green[q] - free[q])
        if group not in green[r]
    ]
    assert orders
    for p, q, r, group in orders:
        least_s = groups[group].min_green_ds / 10
        leading = sequence_of(site, (p, q, r))
        assert leading.least_s[0] >= leading.late_s[0][group] + least_s
        lagging = sequence_of(site, (q, p, r))
        amber_s = max((groups[g].amber_ds / 10 for g in green[q] - green[p]), default=0)
        assert lagging.least_s[1] >= amber_s + least_s


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("profile", [SumoProfile(), RilsaProfile()], ids=["sumo", "rilsa"])
def test_shortest_steps_are_a_plan_that_verifies_whoever_still_clears(
    number: int, profile: Profile
) -> None:
    # On the corridor pedestrians clear for up to 14 s while the vehicles beside them go on.
    site = import_network(resolve("corridor"), profile).intersections[number]
    shipped = sorted(set(shipped_stages(site)))
    groups = {group for stage in shipped for group in site.stages[stage].groups}
    tried = 0
    for stages in itertools.permutations(shipped, 4):
        if {group for stage in stages for group in site.stages[stage].groups} != groups:
            continue
        least_s = sequence_of(site, stages).least_s
        # Without a second to spare the interlock may never catch up with the plan: that alone may be.
        assert _broken(site, stages, least_s, profile) <= {PlanRule.DELAYED}
        assert not _broken(site, stages, [step_s + 1 for step_s in least_s], profile)
        tried += 1
    assert tried


def _broken(
    site: Intersection, stages: Sequence[int], steps_s: Sequence[int], profile: Profile
) -> set[PlanRule]:
    """Rules that a plan of these stages breaks; how long its cycle is does not matter."""
    starts_s = [sum(steps_s[:k]) for k in range(len(steps_s))]
    plan = CyclicPlan(
        plan_id="p",
        cycle_ds=10 * sum(steps_s),
        offset_ds=0,
        steps=tuple(
            PlanStep(start_ds=10 * start_s, stage=stage)
            for start_s, stage in zip(starts_s, stages, strict=True)
        ),
    )
    verdict = verify(plan, replace(site, plans=(plan,)), profile)
    if isinstance(verdict, Certificate):
        return set()
    return {f.rule for f in verdict if f.severity is Severity.ERROR} - {PlanRule.CYCLE}
