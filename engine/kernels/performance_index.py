"""What a set of timing plans costs: TRANSYT's performance index, signal by signal.

The index is the mean number of vehicles held up, over all lanes, plus a price for every stop and for
queues longer than their lane. Departures of one stop line, dispersed, are the arrivals at the next
(Robertson 1969). Time is cut into seconds; all signals of one problem repeat after a common cycle,
which a signal may run through more than once (double cycle).

A lane whose turning vehicles give way serves, in each second of a stage in which they do,
opposed + (flow - opposed) * product over its foes of (1 - leaving / flow of the foe): hardly anybody
while an opposing queue departs, in the gaps that later arrivals leave, and freely while nobody comes
(the unblocked part of green of the Highway Capacity Manual 2000, chapter 16, appendix C, second by
second). Foes are followed before those who give way to them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import FloatArray, IntArray
from ampelwerk.engine.kernels.cyclic_queue import cyclic_queue, incremental_delay
from ampelwerk.engine.kernels.dispersion import add_dispersed

MOST_S = 240
"""Longest common cycle. [s]"""
STORAGE_SHARE = 0.85
"""A queue beyond this share of its lane begins to hinder others. [-]"""


class Problem(NamedTuple):
    """Streets, demand and stages. I signals, L lanes, S steps, K most steps of a signal.

    A *step* is one stage in a signal's cycle, from the amber of the stage before on.
    """

    lane_ptr: IntArray
    """(I+1,) lanes of each signal."""
    step_ptr: IntArray
    """(I+1,) steps of each signal."""
    least_s: IntArray
    """(S,) shortest step: intergreen and minimum green. [s]"""
    flow_veh_s: FloatArray
    """(L, K) saturation flow of the lane in each step, nobody in its way; 0 at red. [veh/s]"""
    opposed_veh_s: FloatArray
    """(L, K) the same while a queue departs to which it gives way. [veh/s]"""
    mean_veh_s: FloatArray
    """(L, K) the same over a whole green as it was measured or assumed. [veh/s]"""
    foe_ptr: IntArray
    """(L * K + 1,) lanes of its signal to which a lane gives way in a step."""
    foe_lane: IntArray
    """Lanes for `foe_ptr`."""
    visit_ptr: IntArray
    """(I+1,) order in which the lanes of a signal are followed."""
    visit_lane: IntArray
    """Lanes for `visit_ptr`: foes first. Those that give way to each other come twice."""
    visit_counts: IntArray
    """For each of `visit_lane`: 0 for the first of two times, as if nobody were in the way."""
    late_s: FloatArray
    """(L, K) from the begin of a step to the first departure of a lane that turns green in it. [s]"""
    demand_veh_s: FloatArray
    """(L,) arrivals. [veh/s]"""
    weight: FloatArray
    """(L,) weight of one vehicle. [-]"""
    storage_veh: FloatArray
    """(L,) vehicles the lane can hold. [veh]"""
    source_ptr: IntArray
    """(L+1,) streams from other signals that come to each lane."""
    source_lane: IntArray
    """Lane each stream leaves."""
    source_share: FloatArray
    """Part of that lane's departures that it is. [-]"""
    source_s: IntArray
    """Seconds until its first vehicles arrive. [s]"""
    source_factor: FloatArray
    """F of Robertson's dispersion. [-]"""
    sink_ptr: IntArray
    """(I+1,) lanes of other signals that each signal's departures come to, and who gives way to them."""
    sink_lane: IntArray
    """Lanes for `sink_ptr`."""
    lane_signal: IntArray
    """(L,) signal of each lane."""
    use_of_amber_s: float
    """Departures go on so long after the end of green. [s]"""
    period_h: float
    """Time for which the demand lasts. [h]"""
    stop_s: float
    """Price of one stop, as delay. [s]"""
    spill: float
    """Price of a vehicle that does not fit into its lane, as vehicles waiting. [-]"""


class Plans(NamedTuple):
    """The plans that are judged."""

    common_s: IntArray
    """(1,) common cycle. [s]"""
    repeats: IntArray
    """(I,) how often a signal's cycle fits into it."""
    offset_s: IntArray
    """(I,) begin of the first step. [s]"""
    step_s: IntArray
    """(S,) length of each step; all of a signal add up to its cycle. [s]"""


class Flows(NamedTuple):
    """Room for what the index is computed from."""

    leaving: FloatArray
    """(L, MOST_S) departures in each second of the common cycle. [veh/s]"""
    arriving: FloatArray
    """(MOST_S,) arrivals of the lane at hand. [veh/s]"""
    service: FloatArray
    """(MOST_S,) what it could serve. [veh/s]"""
    clear: FloatArray
    """(MOST_S,) product of what its foes leave free. [-]"""
    saturation: FloatArray
    """(L,) degree of saturation. [-]"""
    delay_s: FloatArray
    """(L,) mean delay of a vehicle. [s]"""
    stopped: FloatArray
    """(L,) share of the vehicles that stop. [-]"""


def no_flows(lanes: int) -> Flows:
    """Room for so many lanes."""
    return Flows(
        leaving=np.zeros((lanes, MOST_S)),
        arriving=np.zeros(MOST_S),
        service=np.zeros(MOST_S),
        clear=np.zeros(MOST_S),
        saturation=np.zeros(lanes),
        delay_s=np.zeros(lanes),
        stopped=np.zeros(lanes),
    )


@kernel
def fill_service(problem: Problem, plans: Plans, lane: int, out: FloatArray) -> float:
    """What a lane could serve with nobody in its way, in each second. [veh/s]; the sum of it. [veh]"""
    i = problem.lane_signal[lane]
    first, last = problem.step_ptr[i], problem.step_ptr[i + 1]
    steps = last - first
    common_s = plans.common_s[0]
    cycle_s = common_s // plans.repeats[i]
    flows, late = problem.flow_veh_s[lane], problem.late_s[lane]
    clock = -plans.offset_s[i] % cycle_s
    step = 0
    since = clock
    while since >= plans.step_s[first + step]:
        since -= plans.step_s[first + step]
        step += 1
    total = 0.0
    for t in range(common_s):
        now = flows[step]
        before = flows[step - 1 if step else steps - 1]
        wait = late[step]
        if now > 0.0:
            opened = min(1.0, max(0.0, since + 1.0 - wait))
            rate = opened * now
            if before > 0.0 and opened < 1.0:
                rate += (1.0 - opened) * min(before, now)
        else:
            left = problem.use_of_amber_s - since
            rate = min(1.0, max(0.0, left)) * before
        out[t] = rate
        total += rate
        since += 1
        if since >= plans.step_s[first + step]:
            since = 0
            step = step + 1 if step + 1 < steps else 0
    return total


@kernel
def give_way(problem: Problem, plans: Plans, flows: Flows, lane: int) -> float:
    """Take from `Flows.service` what foes of the lane do not let pass; what is left. [veh]"""
    i = problem.lane_signal[lane]
    first, last = problem.step_ptr[i], problem.step_ptr[i + 1]
    steps, most = last - first, problem.flow_veh_s.shape[1]
    common_s = plans.common_s[0]
    begin = plans.offset_s[i] % (common_s // plans.repeats[i])
    for _ in range(plans.repeats[i]):
        for step in range(steps):
            length_s = plans.step_s[first + step]
            # After the end of green those who use the amber still give way as they did.
            shown, used_s = step, length_s
            if problem.flow_veh_s[lane, step] <= 0.0:
                shown = step - 1 if step else steps - 1
                used_s = min(length_s, math.ceil(problem.use_of_amber_s))
            row = lane * most + shown
            if problem.foe_ptr[row + 1] > problem.foe_ptr[row]:
                _leave_opposed(problem, flows, lane, shown, begin, used_s, common_s)
            begin += length_s
    total = 0.0
    for t in range(common_s):
        total += flows.service[t]
    return total


@kernel
def _leave_opposed(
    problem: Problem, flows: Flows, lane: int, step: int, begin: int, length_s: int, common_s: int
) -> None:
    """The part of `give_way` for some seconds of one step."""
    row = lane * problem.flow_veh_s.shape[1] + step
    for t in range(length_s):
        flows.clear[t] = 1.0
    for j in range(problem.foe_ptr[row], problem.foe_ptr[row + 1]):
        foe = problem.foe_lane[j]
        leaving, per_flow = flows.leaving[foe], 1.0 / problem.flow_veh_s[foe, step]
        k = begin % common_s
        for t in range(length_s):
            flows.clear[t] *= 1.0 - min(1.0, leaving[k] * per_flow)
            k += 1
            if k == common_s:
                k = 0
    opposed = problem.opposed_veh_s[lane, step] / problem.flow_veh_s[lane, step]
    k = begin % common_s
    for t in range(length_s):
        flows.service[k] *= opposed + (1.0 - opposed) * flows.clear[t]
        k += 1
        if k == common_s:
            k = 0


@kernel
def lane_index(
    problem: Problem, plans: Plans, flows: Flows, lane: int, linked: bool, yielding: bool
) -> float:
    """The lane's part of the index; its departures and measures are kept in `flows`.

    linked : arrivals follow the departures of the signals before; else they are even.
    yielding : it gives way to the departures of its foes; else nobody is in its way.
    """
    common_s = plans.common_s[0]
    demand = problem.demand_veh_s[lane]
    most = problem.flow_veh_s.shape[1]
    served = fill_service(problem, plans, lane, flows.service)
    if yielding and problem.foe_ptr[(lane + 1) * most] > problem.foe_ptr[lane * most]:
        served = give_way(problem, plans, flows, lane)
    arriving = flows.arriving
    even = demand
    if linked:
        for j in range(problem.source_ptr[lane], problem.source_ptr[lane + 1]):
            source = problem.source_lane[j]
            even -= problem.source_share[j] * problem.demand_veh_s[source]
    even = max(0.0, even)
    for t in range(common_s):
        arriving[t] = even
    came = even * common_s
    if linked:
        for j in range(problem.source_ptr[lane], problem.source_ptr[lane + 1]):
            source = problem.source_lane[j]
            add_dispersed(
                flows.leaving[source],
                problem.source_share[j],
                problem.source_s[j],
                problem.source_factor[j],
                common_s,
                arriving,
            )
        came = 0.0
        for t in range(common_s):
            came += arriving[t]
    saturation = came / served if served > 0.0 else (10.0 if came > 0.0 else 0.0)
    share = 1.0 if saturation <= 1.0 else 1.0 / saturation
    queue, stopped, longest = cyclic_queue(
        arriving, flows.service, share, common_s, flows.leaving[lane]
    )
    rate = came / common_s
    overflow = 0.0
    if rate > 0.0:
        overflow = rate * incremental_delay(
            saturation, 3600.0 * served / common_s, problem.period_h
        )
    flows.saturation[lane] = saturation
    flows.delay_s[lane] = (queue + overflow) / rate if rate > 0.0 else 0.0
    flows.stopped[lane] = stopped if saturation <= 1.0 else 1.0
    beyond = max(0.0, longest + overflow - STORAGE_SHARE * problem.storage_veh[lane])
    return float(
        problem.weight[lane]
        * (queue + overflow + problem.stop_s * rate * flows.stopped[lane] + problem.spill * beyond)
    )


@kernel
def signal_index(
    problem: Problem, plans: Plans, flows: Flows, signal: int, linked: bool, onward: bool
) -> float:
    """Index of a signal's lanes; with `onward` also of the lanes its departures come to next."""
    total = 0.0
    for j in range(problem.visit_ptr[signal], problem.visit_ptr[signal + 1]):
        counts = problem.visit_counts[j]
        total += counts * lane_index(
            problem, plans, flows, problem.visit_lane[j], linked, counts > 0
        )
    if onward:
        for j in range(problem.sink_ptr[signal], problem.sink_ptr[signal + 1]):
            total += lane_index(problem, plans, flows, problem.sink_lane[j], linked, True)
    return total


@kernel
def performance_index(
    problem: Problem, plans: Plans, flows: Flows, linked: bool, sweeps: int
) -> float:
    """Index of all signals. Streams run in circles, so departures settle over some sweeps.

    They begin with what leaves if everything arrives evenly.
    """
    signals = len(problem.lane_ptr) - 1
    total = 0.0
    if linked:
        for signal in range(signals):
            signal_index(problem, plans, flows, signal, False, False)
    for _ in range(sweeps):
        total = 0.0
        for signal in range(signals):
            total += signal_index(problem, plans, flows, signal, linked, False)
    return total
