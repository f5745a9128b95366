"""Whom a lane gives way to, at which flows, and the order in which lanes are followed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.engine.coordination.lane_flows import following_order, lane_flows
from ampelwerk.engine.coordination.loop_measurement import LoopMeasurement, demand_of
from ampelwerk.engine.coordination.plan_problem import Streets
from ampelwerk.engine.coordination.stage_sequence import sequence_of, shipped_stages
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.network import Network
from tests.engine.conftest import Street


def demand(network: Network, **flows: object) -> TrafficDemand:
    """Alike lanes."""
    flow = np.full((1, len(network.lanes)), 200.0)
    return TrafficDemand(begin_s=0, interval_s=3600, flow_veh_h=flow, **flows)  # type: ignore[arg-type]


def yielding(network: Network) -> tuple[int, int]:
    """A lane and a stage in which it gives way."""
    return next(key for key, flow in lane_flows(network, demand(network)).items() if flow.foes)


def test_foes_are_followed_first_and_circles_twice() -> None:
    assert following_order({1: {2}, 2: {3}, 3: set()}) == [(3, True), (2, True), (1, True)]
    assert following_order({1: {2}, 2: {1}, 3: set(), 4: {1}}) == [
        (1, False), (2, False), (1, True), (2, True), (3, True), (4, True),
    ]  # fmt: skip


@given(st.lists(st.sets(st.integers(0, 7)), min_size=8, max_size=8))
def test_every_lane_counts_once_and_knows_what_its_foes_do(foes: list[set[int]]) -> None:
    own = {lane: others - {lane} for lane, others in enumerate(foes)}
    order = following_order(own)
    assert sorted(lane for lane, counts in order if counts) == list(range(8))
    seen = set[int]()
    for lane, counts in order:
        if counts:
            assert own[lane] <= seen
        seen.add(lane)


def test_flows_measured_apart_go_before_assumed_ones(street: Street) -> None:
    network = street.network
    key = yielding(network)
    assumed = lane_flows(network, demand(network))[key]
    assert assumed.opposed_veh_s < assumed.mean_veh_s < assumed.flow_veh_s
    measured = lane_flows(network, demand(network, opposed_flow_veh_s={key: (0.05, 0.4)}))[key]
    assert (measured.opposed_veh_s, measured.flow_veh_s) == (0.05, 0.4)
    one = lane_flows(network, demand(network, saturation_flow_veh_s={key: 0.2}))[key]
    assert one.mean_veh_s == one.opposed_veh_s == one.flow_veh_s == 0.2


def test_problem_knows_whom_each_lane_gives_way_to(street: Street) -> None:
    network = street.network
    lane, stage = yielding(network)
    signal = network.lanes[lane].intersection
    veh = demand(network)
    streets = Streets(network, veh, veh.mean_veh_h(), 1.0)
    sequence = sequence_of(
        network.intersections[signal], shipped_stages(network.intersections[signal])
    )
    problem = streets.problem([signal], [sequence])
    row = streets.lanes_of[signal].index(lane)
    step = sequence.stages.index(stage)
    at = row * problem.flow_veh_s.shape[1] + step
    foes = problem.foe_lane[problem.foe_ptr[at] : problem.foe_ptr[at + 1]]
    own = streets.lane_flows[lane, stage]
    assert [streets.lanes_of[signal][foe] for foe in foes] == list(own.foes)
    assert problem.flow_veh_s[row, step] == own.flow_veh_s
    assert problem.opposed_veh_s[row, step] == own.opposed_veh_s
    assert problem.mean_veh_s[row, step] == own.mean_veh_s


class Counted(Street):
    """A street whose loops are counted."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.measurement = LoopMeasurement(network, 0.0, 1.0, 30.0)
        self.estimator = self.measurement.estimator

    def hear(self, frame: DetectorFrame) -> None:
        """What the loops report goes to the measurement."""
        self.measurement.observe(frame, self.signals)


def test_loops_tell_both_flows_of_a_lane_that_gives_way(street: Street) -> None:
    network = street.network
    lane, stage = yielding(network)
    assumed = lane_flows(network, demand(network))[lane, stage]
    site = network.intersections[network.lanes[lane].intersection]
    own = network.lanes[lane].stop_loops[0]
    other = network.lanes[assumed.foes[0]].stop_loops[0]
    groups = {site.movements[m].group for m in network.lanes[lane].movements}
    red = next(k for k, shown in enumerate(site.stages) if not groups & set(shown.groups))
    counted = Counted(network)
    counted.show(red)
    counted.second((own, 0.5, 1))
    counted.estimator.traffic.queue_veh[lane] = 40.0
    counted.show(stage)
    for _ in range(30):  # a queue waits while others pass, second by second
        counted.second((other, 0.2, 1), (other, 0.8, 0))
    counted.wait(3)
    for _ in range(9):  # and then leaves, one vehicle every other second
        counted.estimator.traffic.queue_veh[lane] = 20.0
        counted.second((own, 0.2, 0), (own, 0.8, 1))
        counted.second()
    measured = demand_of([counted.measurement]).opposed_flow_veh_s[lane, stage]
    # Prior as if counted for 20 s; what passes is known a second later.
    assert measured[0] == pytest.approx(20 * assumed.opposed_veh_s / 49, rel=0.05)
    assert measured[1] == pytest.approx((20 * assumed.flow_veh_s + 9) / 39, rel=0.05)
