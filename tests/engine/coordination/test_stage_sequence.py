"""Shortest steps of an order of stages."""

from __future__ import annotations

from ampelwerk.engine.coordination.stage_sequence import sequence_of
from ampelwerk.engine.lane_service import gives_way
from ampelwerk.models.profile import SumoProfile
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
