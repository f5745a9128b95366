"""Vehicles served per second of commitment, stage by stage.

The index of a stage is the greatest mean rate at which it can serve vehicles from now on, the
transition to it counted as lost time (after Lämmer & Helbing 2008; maximised over the length of
service, which is the index that is optimal for a single bandit in Gittins 1979). A supervisor
overrules it for a lane that has waited without a departure for too long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.arrivals import predict
from ampelwerk.engine.kernels.city import City, FloatArray
from ampelwerk.engine.kernels.decision import (
    BY_CLEARED,
    BY_INDEX,
    BY_REST,
    BY_SUPERVISOR,
    UNBOUND,
    WAIT_LIMIT,
    Choice,
    Signals,
    transition_s,
)
from ampelwerk.engine.kernels.saturation_flow import flow_veh_s
from ampelwerk.engine.kernels.supervision import (
    STUCK_S,
    busy_elsewhere,
    exit_share,
    longest_waiting,
    may_decide,
    serves,
)
from ampelwerk.engine.kernels.traffic import NEVER, Traffic

IN_VAIN_VEH = 0.01
"""Charge for releasing a lane whose exits are full, since its vehicles would block the junction,
and a crossing that nobody calls, since it delays the change after it. [veh]"""
CALLS_PER_S = 1 / 45
"""Pedestrians calling at a crossing while nothing better is known. [1/s]"""


class Parameters(NamedTuple):
    """Tuned on cologne1 and grid4x4."""

    horizon_s: int
    """Longest service looked at. [s]"""
    start_up_s: float
    """Start-up loss added to every transition. [s]"""
    min_service_s: int
    """Shortest service of a new stage: its minimum green. [s]"""
    keep_factor: float
    """Another stage must be better than the present one by this factor. [-]"""
    cleared_veh: float
    """A stage with fewer vehicles queued than this has cleared. [veh]"""
    look_s: int
    """Seconds over which arrivals of the present stage are averaged. [s]"""
    wait_s: float
    """A lane without departure for this long while vehicles wait is served next. [s]"""


@kernel
def choose(
    city: City,
    traffic: Traffic,
    signals: Signals,
    parameters: Parameters,
    now_s: float,
    scratch_veh: FloatArray,
    out: Choice,
) -> int:
    """Decide for every intersection that may; the number of those at which something should
    change.

    scratch_veh : (most lanes of one intersection + 1, at least horizon + longest transition + 1).
    """
    changes = 0
    for i in range(len(signals.stage)):
        if may_decide(city, traffic, signals, i, now_s, out):
            _choose_one(city, traffic, signals, parameters, i, now_s, scratch_veh, out)
        changes += out.stage[i] >= 0 and out.stage[i] != signals.stage[i]
        changes += out.hold[i]
    return changes


@kernel
def _choose_one(
    city: City,
    traffic: Traffic,
    signals: Signals,
    parameters: Parameters,
    i: int,
    now_s: float,
    arrivals_veh: FloatArray,
    out: Choice,
) -> None:
    """Index of every stage, the present one favoured; then the supervisor."""
    first_lane, first_stage = city.lane_ptr[i], city.stage_ptr[i]
    for lane in range(first_lane, city.lane_ptr[i + 1]):
        predict(city, traffic, lane, now_s, arrivals_veh[lane - first_lane])
    stages = city.stage_ptr[i + 1] - first_stage
    present = signals.stage[i]
    waiting = longest_waiting(city, traffic, i, first_stage + present, now_s, parameters.wait_s)
    # Pedestrians who come late wait for the next change: letting them go now would delay it.
    late = busy_elsewhere(city, traffic, i, first_stage + present)
    best, second = -1, -1
    best_rate = second_rate = present_rate = -1.0
    for p in range(stages):
        if not city.selectable[first_stage + p] and p != present:
            continue
        if waiting < 0 and late and city.without_walkers[first_stage + p] == present:
            continue
        if waiting >= 0 and (p == present or not serves(city, first_stage + p, waiting)):
            continue
        rate = _rate(city, traffic, signals, parameters, i, p, arrivals_veh, now_s)
        if p == present:
            rate *= parameters.keep_factor
            present_rate = rate
        if rate > best_rate or (rate == best_rate and p == present):
            second, second_rate = best, best_rate
            best, best_rate = p, rate
        elif rate > second_rate:
            second, second_rate = p, rate
    if best < 0:
        return
    reason = BY_INDEX
    if waiting < 0 and city.selectable[first_stage + present]:
        other, other_rate = (best, best_rate) if best != present else (second, second_rate)
        cleared = _queue(city, traffic, first_stage + present) < parameters.cleared_veh
        if cleared and other >= 0 and other_rate > 1e-9:
            due = _worth_leaving(city, traffic, signals, parameters, i, other, arrivals_veh, now_s)
            if due:
                best, best_rate, second, second_rate = other, other_rate, present, present_rate
            else:
                best, best_rate, second, second_rate = present, present_rate, other, other_rate
            reason = BY_CLEARED
    out.binding[i] = UNBOUND
    if waiting >= 0:
        reason, out.binding[i] = BY_SUPERVISOR, WAIT_LIMIT
    elif best_rate <= 1e-9:
        best, reason = present, BY_REST
    out.stage[i], out.runner_up[i], out.reason[i] = best, second, reason
    out.gap[i] = best_rate - second_rate if second >= 0 else 0.0


@kernel
def _queue(city: City, traffic: Traffic, stage: int) -> float:
    """Vehicles queued on the lanes of a stage. [veh]"""
    total = 0.0
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        total += traffic.queue_veh[city.entry_lane[entry]]
    return total


@kernel
def _worth_leaving(
    city: City,
    traffic: Traffic,
    signals: Signals,
    parameters: Parameters,
    i: int,
    other: int,
    arrivals_veh: FloatArray,
    now_s: float,
) -> bool:
    """Enough wait elsewhere to interrupt a stage whose own queue has cleared.

    Serving a side queue every C seconds stops the main flow q for T + C q_w / s each time and lets
    the side wait q_w C / 2 on average. The mean delay is least when the queue has grown to about
    T sqrt(q q_w / (1 - q / s)), T the time lost to and fro.
    """
    first_lane, first_stage = city.lane_ptr[i], city.stage_ptr[i]
    stages = city.stage_ptr[i + 1] - first_stage
    block, present = city.transition_ptr[i], signals.stage[i]
    lost_s = (
        transition_s(city, signals, i, other, now_s)
        + city.transition_s[block + other * stages + present]
        + 2 * parameters.start_up_s
    )
    ahead_s = min(parameters.look_s, arrivals_veh.shape[1])
    flow = coming = waiting = feeding = 0.0
    for entry in range(
        city.entry_ptr[first_stage + present], city.entry_ptr[first_stage + present + 1]
    ):
        lane = city.entry_lane[entry]
        flow += flow_veh_s(city, traffic, entry)
        coming += arrivals_veh[lane - first_lane, ahead_s - 1] / ahead_s
    for lane in range(first_lane, city.lane_ptr[i + 1]):
        if not serves(city, first_stage + present, lane):
            waiting += city.lane_weight[lane] * traffic.queue_veh[lane]
            if not city.lane_is_crossing[lane]:
                feeding += traffic.lane_rate_veh_s[lane]
            elif traffic.queue_veh[lane] > 0.0:
                feeding += CALLS_PER_S
    free = max(0.05, 1.0 - coming / max(flow, 1e-6))
    return bool(waiting >= lost_s * np.sqrt(coming * feeding / free))


@kernel
def _rate(
    city: City,
    traffic: Traffic,
    signals: Signals,
    parameters: Parameters,
    i: int,
    p: int,
    arrivals_veh: FloatArray,
    now_s: float,
) -> float:
    """Greatest mean service rate of stage p over all lengths of service. [veh/s]"""
    first_lane, first_stage = city.lane_ptr[i], city.stage_ptr[i]
    present = signals.stage[i]
    lost_s, shortest_s = 0, 1
    if p != present:
        gap_s = transition_s(city, signals, i, p, now_s)
        lost_s = int(gap_s + parameters.start_up_s + 0.5)
        shortest_s = parameters.min_service_s
    # The last row collects what is served within each length of service.
    served_veh = arrivals_veh[len(arrivals_veh) - 1]
    served_veh[: parameters.horizon_s + 1] = 0.0
    for entry in range(city.entry_ptr[first_stage + p], city.entry_ptr[first_stage + p + 1]):
        lane = city.entry_lane[entry]
        share = exit_share(city, traffic, lane)
        if now_s - traffic.stuck_s[entry] < STUCK_S:
            share = 0.0
        flow = flow_veh_s(city, traffic, entry) * share
        queue_veh = traffic.queue_veh[lane]
        stays_green = p != present and traffic.green_since_s[lane] > NEVER
        for x in range(shortest_s, parameters.horizon_s + 1):
            until = lost_s + x
            demand = queue_veh + arrivals_veh[lane - first_lane, until - 1]
            if demand <= 0.0:
                served_veh[x] -= IN_VAIN_VEH if city.lane_is_crossing[lane] else 0.0
                continue
            if share == 0.0:
                served_veh[x] -= IN_VAIN_VEH
            out_veh = min(demand, flow * (until if stays_green else x), city.entry_cap[entry])
            served_veh[x] += city.lane_weight[lane] * out_veh
    best: float = 0.0
    for x in range(shortest_s, parameters.horizon_s + 1):
        best = max(best, served_veh[x] / (lost_s + x))
    return best
