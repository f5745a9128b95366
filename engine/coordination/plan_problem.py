"""From a network and its demand to the arrays that the performance index reads."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ampelwerk.engine.city import FREE_SHARE, JAM_SPACING_M, ROAD_USER_WEIGHT
from ampelwerk.engine.coordination.lane_flows import following_order, lane_flows
from ampelwerk.engine.coordination.stage_sequence import StageSequence
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.engine.kernels.dispersion import EARLIEST, smoothing
from ampelwerk.engine.kernels.performance_index import Plans, Problem
from ampelwerk.engine.rows import Rows, floats, ints
from ampelwerk.models.network import Network

START_UP_S = 2.0
"""Time lost by the first vehicle of a queue. [s]"""
USE_OF_AMBER_S = 1.0
"""Departures go on so long after the end of green. [s]"""
DISPERSION = 0.2
"""Robertson's K, as SUMO disperses platoons. [1/s]"""
LEAST_PART = 0.02
"""A stream that is a smaller part of a lane's traffic is taken as even. [-]"""
STOP_S, SPILL = 4.0, 2.0
"""Price of one stop, as delay [s]; and of a vehicle that does not fit into its lane [-]."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Traffic from one stop line to another."""

    source: int
    """Lane it leaves."""
    lane: int
    """Lane it comes to."""
    veh_h: float
    """How much it is. [veh/h]"""
    travel_s: float
    """Undelayed travel time. [s]"""


class Streets:
    """What stays the same whatever the plans are; lanes as in `Network.lanes`.

    Parameters
    ----------
    demand_veh_h : (L,) arrivals at the stop lines. [veh/h]
    period_h : time for which they last. [h]
    """

    def __init__(
        self, network: Network, demand: TrafficDemand, demand_veh_h: FloatArray, period_h: float
    ) -> None:
        self.network, self.demand_veh_h, self.period_h = network, demand_veh_h, period_h
        self.lane_flows = lane_flows(network, demand)
        self.lanes_of: dict[int, list[int]] = defaultdict(list)
        for number, lane in enumerate(network.lanes):
            self.lanes_of[lane.intersection].append(number)
        self.streams = _streams(network, demand, demand_veh_h)

    def problem(
        self, signals: Sequence[int], sequences: Sequence[StageSequence], *, stop_s: float = STOP_S
    ) -> Problem:
        """The arrays for some signals with their stages; traffic from others comes evenly."""
        network = self.network
        lanes = [lane for i in signals for lane in self.lanes_of[i]]
        place = {lane: k for k, lane in enumerate(lanes)}
        number_of = {i: k for k, i in enumerate(signals)}
        most = max((len(sequence.stages) for sequence in sequences), default=1)
        mean, flow, opposed, late = (np.zeros((len(lanes), most)) for _ in range(4))
        foes: list[list[tuple[int, ...]]] = [[()] * most for _ in lanes]
        lane_ptr, step_ptr, least_s = [0], [0], list[int]()
        for i, sequence in zip(signals, sequences, strict=True):
            for lane in self.lanes_of[i]:
                row = place[lane]
                for k, stage in enumerate(sequence.stages):
                    if service := self.lane_flows.get((lane, stage)):
                        mean[row, k] = service.mean_veh_s
                        flow[row, k], opposed[row, k] = service.flow_veh_s, service.opposed_veh_s
                        foes[row][k] = tuple(place[foe] for foe in service.foes)
                        late[row, k] = self._late_s(i, lane, sequence, k)
            lane_ptr.append(lane_ptr[-1] + len(self.lanes_of[i]))
            step_ptr.append(step_ptr[-1] + len(sequence.stages))
            least_s += sequence.least_s
        visits = [
            following_order(
                {row: {foe for step in foes[row] for foe in step} for row in range(first, last)}
            )
            for first, last in itertools.pairwise(lane_ptr)
        ]
        sources = [list[Stream]() for _ in lanes]
        sinks = [set[int]() for _ in signals]
        for stream in self.streams:
            if stream.lane in place and stream.source in place:
                sources[place[stream.lane]].append(stream)
                here = number_of[network.lanes[stream.source].intersection]
                if number_of[network.lanes[stream.lane].intersection] != here:
                    sinks[here].add(place[stream.lane])
        rows, sink_rows, foe_rows, visit_rows = Rows(), Rows(), Rows(), Rows()
        for found in sources:
            rows.add(place[stream.source] for stream in found)
        for chosen in sinks:
            sink_rows.add(_with_those_who_give_way(chosen, visits, foes))
        for lane_foes in foes:
            for step_foes in lane_foes:
                foe_rows.add(step_foes)
        for order in visits:
            visit_rows.add(lane for lane, _ in order)
        flat = [stream for found in sources for stream in found]
        return Problem(
            lane_ptr=ints(lane_ptr),
            step_ptr=ints(step_ptr),
            least_s=ints(least_s),
            flow_veh_s=flow,
            opposed_veh_s=opposed,
            mean_veh_s=mean,
            foe_ptr=ints(foe_rows.ptr),
            foe_lane=ints(foe_rows.value),
            visit_ptr=ints(visit_rows.ptr),
            visit_lane=ints(visit_rows.value),
            visit_counts=ints(int(counts) for order in visits for _, counts in order),
            late_s=late,
            demand_veh_s=floats(self.demand_veh_h[lane] / 3600.0 for lane in lanes),
            weight=floats(
                ROAD_USER_WEIGHT.get(network.lanes[lane].road_user, 1.0) for lane in lanes
            ),
            storage_veh=floats(
                max(1.0, network.lanes[lane].reach_m / JAM_SPACING_M) for lane in lanes
            ),
            source_ptr=ints(rows.ptr),
            source_lane=ints(rows.value),
            source_share=floats(s.veh_h / max(self.demand_veh_h[s.source], 1e-9) for s in flat),
            source_s=ints(round(EARLIEST * s.travel_s) for s in flat),
            source_factor=floats(smoothing(s.travel_s, DISPERSION) for s in flat),
            sink_ptr=ints(sink_rows.ptr),
            sink_lane=ints(sink_rows.value),
            lane_signal=ints(number_of[network.lanes[lane].intersection] for lane in lanes),
            use_of_amber_s=USE_OF_AMBER_S,
            period_h=self.period_h,
            stop_s=stop_s,
            spill=SPILL,
        )

    def _late_s(self, i: int, lane: int, sequence: StageSequence, k: int) -> float:
        """From the begin of step k to the first departure of a lane that turns green in it. [s]"""
        site = self.network.intersections[i]
        groups = {site.movements[m].group for m in self.network.lanes[lane].movements}
        entering = [sequence.late_s[k][g] for g in sorted(groups) if g in sequence.late_s[k]]
        going_on = groups & set(site.stages[sequence.stages[k]].groups) - set(sequence.late_s[k])
        return sum(entering) / len(entering) + START_UP_S if entering and not going_on else 0.0


def _with_those_who_give_way(
    lanes: set[int],
    visits: Sequence[Sequence[tuple[int, bool]]],
    foes: Sequence[Sequence[tuple[int, ...]]],
) -> list[int]:
    """Some lanes and those that give way to them, foes first."""
    found = dict.fromkeys(lanes)
    order = [lane for signal in visits for lane, counts in signal if counts]
    for lane in order:
        if any(foe in found for step in foes[lane] for foe in step):
            found[lane] = None
    return [lane for lane in order if lane in found]


def no_plans(problem: Problem, common_s: int) -> Plans:
    """Room for plans with a common cycle; every step as short as it may be."""
    signals = len(problem.lane_ptr) - 1
    return Plans(
        common_s=ints([common_s]),
        repeats=np.ones(signals, dtype=np.int64),
        offset_s=np.zeros(signals, dtype=np.int64),
        step_s=problem.least_s.copy(),
    )


def _streams(network: Network, demand: TrafficDemand, demand_veh_h: FloatArray) -> list[Stream]:
    """Streams between stop lines, no more of them to a lane than were counted there."""
    exit_of = {
        (exit_.intersection, movement): number
        for number, exit_ in enumerate(network.exits)
        for movement in exit_.movements
    }
    veh_h: dict[tuple[int, int], float] = defaultdict(float)
    travel: dict[tuple[int, int], float] = {}
    for source, lane in enumerate(network.lanes):
        exits: dict[int, float] = {}
        for m in lane.movements:
            number = exit_of.get((lane.intersection, m))
            if number is not None:
                inside_m = network.intersections[lane.intersection].movements[m].length_m
                exits.setdefault(number, inside_m)
        for number, inside_m in exits.items():
            exit_ = network.exits[number]
            share = demand.turning_share.get((source, number), 1.0 / len(exits))
            ahead = [target for target in exit_.leads_to if target != source]
            total = sum(demand_veh_h[target] for target in ahead)
            if total * demand_veh_h[source] * share <= 0.0:
                continue
            for target in ahead:
                part = demand_veh_h[source] * share * demand_veh_h[target] / total
                veh_h[source, target] += part
                speed_mps = FREE_SHARE * network.lanes[target].speed_mps
                travel[source, target] = (exit_.length_m + inside_m) / speed_mps
    arriving: dict[int, float] = defaultdict(float)
    for (_, target), part in veh_h.items():
        arriving[target] += part
    found = []
    for (source, target), part in sorted(veh_h.items()):
        part *= min(1.0, demand_veh_h[target] / max(arriving[target], 1e-9))
        if part > 0 and part >= LEAST_PART * demand_veh_h[target]:
            found.append(Stream(source, target, part, travel[source, target]))
    return found
