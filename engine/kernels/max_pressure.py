"""Pressure of a stage: queues it serves less queues it feeds, weighted by saturation flow.

After Varaiya (2013); waiting adds to the pressure (Liu & Gayah 2022), a filling exit takes it away
(Gregoire et al. 2014), and the switching loss discounts every stage but the present one.
"""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import (
    BY_INDEX,
    UNBOUND,
    Choice,
    Signals,
    release_walkers,
    transition_s,
)
from ampelwerk.engine.kernels.estimation import update
from ampelwerk.engine.kernels.saturation_flow import flow_veh_s
from ampelwerk.engine.kernels.traffic import NEVER, Traffic


class Parameters(NamedTuple):
    """Tuned on cologne1 and grid4x4."""

    green_s: float
    """Green over which a transition is written off. [s]"""
    start_up_s: float
    """Start-up loss added to every transition. [s]"""
    keep_factor: float
    """Another stage must be better than the present one by this factor. [-]"""
    wait_veh_s: float
    """Pressure added per vehicle and second of waiting. [1/s]"""


@kernel
def tick(
    city: City,
    traffic: Traffic,
    signals: Signals,
    parameters: Parameters,
    loop: IntArray,
    at_s: FloatArray,
    on: IntArray,
    now_s: float,
    step_s: float,
    waited: FloatArray,
    pressure: FloatArray,
    out: Choice,
) -> int:
    """Estimation and choice: on a small network, handing the arrays over takes as long as either.

    Arguments and result as in `estimation.update` and `choose`.
    """
    update(city, traffic, signals, loop, at_s, on, now_s, step_s)
    return choose(city, traffic, signals, parameters, now_s, step_s, waited, pressure, out)


@kernel
def choose(
    city: City,
    traffic: Traffic,
    signals: Signals,
    parameters: Parameters,
    now_s: float,
    step_s: float,
    waited: FloatArray,
    pressure: FloatArray,
    out: Choice,
) -> int:
    """Stage of greatest discounted pressure; the number of intersections that should change.

    waited : (L,) integral of the queue since the lane's last green, kept between calls. [veh s]
    pressure : (L,) room for the pressure of every lane. [veh]
    """
    _press(city, traffic, parameters, step_s, waited, pressure)
    changes = 0
    for i in range(len(signals.stage)):
        out.stage[i] = -1
        if now_s >= signals.decidable_s[i]:
            _choose_one(city, traffic, signals, parameters, i, now_s, pressure, out)
            changes += out.stage[i] != signals.stage[i]
    return changes


@kernel
def _press(
    city: City,
    traffic: Traffic,
    parameters: Parameters,
    step_s: float,
    waited: FloatArray,
    out_pressure: FloatArray,
) -> None:
    """Pressure of every lane. [veh]"""
    for lane in range(len(out_pressure)):
        queue_veh = traffic.queue_veh[lane]
        if traffic.green_since_s[lane] > NEVER:
            waited[lane] = 0.0
        else:
            waited[lane] += queue_veh * step_s
        exits = city.lane_exit_ptr[lane + 1] - city.lane_exit_ptr[lane]
        downstream_veh, room = 0.0, 1.0
        for j in range(city.lane_exit_ptr[lane], city.lane_exit_ptr[lane + 1]):
            number = city.lane_exit[j]
            ahead_veh = 0.0
            storage_veh = 1.0
            for k in range(city.exit_next_ptr[number], city.exit_next_ptr[number + 1]):
                ahead_veh += traffic.queue_veh[city.exit_next[k]]
                storage_veh += city.lane_storage_veh[city.exit_next[k]]
            if traffic.full[number]:
                ahead_veh = storage_veh
            downstream_veh += ahead_veh / exits
            room -= min(1.0, ahead_veh / storage_veh) / exits
        load = queue_veh + parameters.wait_veh_s * waited[lane] - downstream_veh
        out_pressure[lane] = max(0.0, load) * max(0.0, room) * city.lane_weight[lane]


@kernel
def _choose_one(
    city: City,
    traffic: Traffic,
    signals: Signals,
    parameters: Parameters,
    i: int,
    now_s: float,
    pressure: FloatArray,
    out: Choice,
) -> None:
    """Stage of greatest discounted pressure at one intersection."""
    if release_walkers(city, signals.stage[i], i, out):
        return
    first_stage, present = city.stage_ptr[i], signals.stage[i]
    stages = city.stage_ptr[i + 1] - first_stage
    best, second = present, -1
    best_value = second_value = -1.0
    for p in range(stages):
        if not city.selectable[first_stage + p] and p != present:
            continue
        value = 0.0
        for entry in range(city.entry_ptr[first_stage + p], city.entry_ptr[first_stage + p + 1]):
            value += flow_veh_s(city, traffic, entry) * pressure[city.entry_lane[entry]]
        if p == present:
            value *= parameters.keep_factor
        else:
            lost_s = transition_s(city, signals, i, p, now_s) + parameters.start_up_s
            value *= parameters.green_s / (parameters.green_s + lost_s)
        if value > best_value or (value == best_value and p == present):
            second, second_value = best, best_value
            best, best_value = p, value
        elif value > second_value:
            second, second_value = p, value
    out.stage[i] = best
    out.runner_up[i] = second
    out.gap[i] = best_value - second_value
    out.reason[i], out.binding[i] = BY_INDEX, UNBOUND
