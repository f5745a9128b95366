"""The performance index in plain NumPy, written from TRANSYT's description and not from the kernel.

Every lane is followed by itself: arrays over the seconds of the common cycle, loops where a second
depends on the one before.
"""

from __future__ import annotations

import math

import numpy as np

from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.engine.kernels.performance_index import STORAGE_SHARE, Plans, Problem


def robertson(leaving: FloatArray, earliest_s: int, factor: float) -> FloatArray:
    """Steady arrivals of a cyclic stream: a share F (1 - F)^n comes n seconds after the earliest.

    Seconds that are whole cycles apart are the same second, so their shares add up to a geometric
    series over the cycles.
    """
    cycle_s = len(leaving)
    share = factor * (1 - factor) ** np.arange(cycle_s) / (1 - (1 - factor) ** cycle_s)
    second = np.arange(cycle_s)
    came_from = (second[:, None] - second[None, :] - earliest_s) % cycle_s
    arriving: FloatArray = leaving[came_from] @ share
    return arriving


def service(
    problem: Problem, plans: Plans, lane: int, leaving: FloatArray | None = None
) -> FloatArray:
    """What a lane could serve in each second, over the whole cycle of its signal and around.

    leaving : (lanes, seconds) departures of everybody it may have to give way to; nobody if not given.
    """
    i = int(problem.lane_signal[lane])
    steps = plans.step_s[problem.step_ptr[i] : problem.step_ptr[i + 1]]
    cycle = np.zeros(int(steps.sum()))
    under = np.full(len(cycle), -1)  # the step whose rules hold, also in the amber after it
    begin = 0
    for k, length in enumerate(steps):
        now, before = problem.flow_veh_s[lane, k], problem.flow_veh_s[lane, k - 1]
        since = np.arange(int(length))
        if now > 0:
            opened = np.clip(since + 1 - problem.late_s[lane, k], 0, 1)
            going_on = min(now, before) if before > 0 else 0.0
            cycle[begin : begin + length] = opened * now + (1 - opened) * going_on
            under[begin : begin + length] = k
        else:
            under[begin : begin + length] = (k - 1) % len(steps)
            cycle[begin : begin + length] = before * np.clip(problem.use_of_amber_s - since, 0, 1)
        begin += int(length)
    repeats, offset_s = int(plans.repeats[i]), int(plans.offset_s[i])
    able: FloatArray = np.roll(np.tile(cycle, repeats), offset_s)
    if leaving is not None:
        under = np.roll(np.tile(under, repeats), offset_s)
        for k in range(len(steps)):
            able[under == k] *= passing(problem, lane, k, leaving)[under == k]
    return able


def passing(problem: Problem, lane: int, step: int, leaving: FloatArray) -> FloatArray:
    """The share of its flow that a lane gets through its foes in each second if a step is shown."""
    row = lane * problem.flow_veh_s.shape[1] + step
    foes = problem.foe_lane[problem.foe_ptr[row] : problem.foe_ptr[row + 1]]
    if not len(foes):
        return np.ones(leaving.shape[1])
    busy = np.clip(leaving[foes] / problem.flow_veh_s[foes, step][:, None], 0, 1)
    opposed = problem.opposed_veh_s[lane, step] / problem.flow_veh_s[lane, step]
    share: FloatArray = opposed + (1 - opposed) * np.prod(1 - busy, axis=0)
    return share


def incremental(saturation: float, capacity_veh_h: float, period_h: float) -> float:
    """HCM 2000, equation 16-12, k = 0.5 and I = 1. [s]"""
    above = saturation - 1
    return (
        900
        * period_h
        * (above + math.sqrt(above**2 + 8 * 0.5 * saturation / (capacity_veh_h * period_h)))
    )


def index(problem: Problem, plans: Plans, *, linked: bool, sweeps: int) -> float:
    """The index of all signals."""
    common_s = int(plans.common_s[0])
    lanes = len(problem.lane_signal)
    leaving = np.zeros((lanes, common_s))
    total = 0.0
    for sweep in range(sweeps + linked):
        total = 0.0
        coupled = linked and sweep > 0
        for lane, counts in zip(problem.visit_lane, problem.visit_counts, strict=True):
            able = service(problem, plans, lane, leaving if counts else None)
            sources = range(problem.source_ptr[lane], problem.source_ptr[lane + 1])
            even = problem.demand_veh_s[lane]
            arriving = np.zeros(common_s)
            for j in sources if coupled else ():
                source = problem.source_lane[j]
                share = problem.source_share[j]
                even -= share * problem.demand_veh_s[source]
                arriving += share * robertson(
                    leaving[source], int(problem.source_s[j]), problem.source_factor[j]
                )
            arriving += max(0.0, even)
            total += counts * _lane(problem, lane, arriving, able, leaving)
    return total


def _lane(
    problem: Problem, lane: int, arriving: FloatArray, able: FloatArray, leaving: FloatArray
) -> float:
    common_s = len(able)
    rate = arriving.sum() / common_s
    served = able.sum()
    saturation = arriving.sum() / served if served else (10.0 if rate > 0 else 0.0)
    entering = arriving / max(1.0, saturation)
    queue = 0.0
    queues = np.zeros(common_s)
    for _ in range(2):
        for t in range(common_s):
            present = queue + entering[t]
            leaving[lane, t] = min(present, able[t])
            queue = present - leaving[lane, t]
            queues[t] = queue
    stops = np.minimum(entering, queues).sum() / max(entering.sum(), 1e-9)
    stops = stops if saturation <= 1 else 1.0
    overflow = 0.0
    if rate > 0:
        capacity = 3600 * served / common_s
        late_s = (
            incremental(saturation, capacity, problem.period_h)
            if served
            else 1800 * problem.period_h
        )
        overflow = rate * late_s
    beyond = max(0.0, queues.max() + overflow - STORAGE_SHARE * problem.storage_veh[lane])
    return float(
        problem.weight[lane]
        * (queues.mean() + overflow + problem.stop_s * rate * stops + problem.spill * beyond)
    )
