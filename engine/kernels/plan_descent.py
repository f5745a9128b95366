"""Search for splits and offsets: coordinate descent on the performance index.

Splits start where the degrees of saturation are balanced: second by second the step that serves the
most saturated lane grows (Webster's rule, in a form that also fits lanes green in several stages and
demand that no split can serve). From there seconds are moved from step to step, and offsets tried,
as long as the index falls.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.performance_index import Flows, Plans, Problem, signal_index

GAIN = 1e-6
"""A change is kept if the index falls by more. [veh]"""


@kernel
def balance(problem: Problem, plans: Plans, signal: int) -> int:
    """Fill a signal's cycle so that the greatest degree of saturation is least; 0 if it does not fit."""
    first, last = problem.step_ptr[signal], problem.step_ptr[signal + 1]
    cycle_s = plans.common_s[0] // plans.repeats[signal]
    spare_s = cycle_s
    for k in range(first, last):
        plans.step_s[k] = problem.least_s[k]
        spare_s -= problem.least_s[k]
    if spare_s < 0:
        return 0
    for _ in range(spare_s):
        worst, worst_lane = -1.0, -1
        for lane in range(problem.lane_ptr[signal], problem.lane_ptr[signal + 1]):
            able = 0.0
            for k in range(last - first):
                flow = problem.mean_veh_s[lane, k]
                before = problem.mean_veh_s[lane, k - 1 if k else last - first - 1]
                lost = problem.late_s[lane, k] if before <= 0.0 else 0.0
                able += flow * max(0.0, plans.step_s[first + k] - lost)
            if able <= 0.0:
                continue
            saturation = problem.demand_veh_s[lane] / able
            if saturation > worst:
                worst, worst_lane = saturation, lane
        chosen, best = first, -1.0
        for k in range(last - first):
            if worst_lane >= 0 and problem.mean_veh_s[worst_lane, k] > 0.0:
                # Of several steps that serve it, the one whose lanes have most traffic.
                value = problem.mean_veh_s[worst_lane, k]
                for lane in range(problem.lane_ptr[signal], problem.lane_ptr[signal + 1]):
                    if problem.mean_veh_s[lane, k] > 0.0:
                        value += problem.demand_veh_s[lane]
                if value > best:
                    chosen, best = first + k, value
        plans.step_s[chosen] += 1
    return 1


@kernel
def move_seconds(
    problem: Problem, plans: Plans, flows: Flows, signal: int, linked: bool, index: float
) -> float:
    """Move seconds between steps while the index falls; the index reached."""
    first, last = problem.step_ptr[signal], problem.step_ptr[signal + 1]
    size = 8
    while size > 0:
        moved = False
        for giver in range(first, last):
            for taker in range(first, last):
                if giver == taker:
                    continue
                while plans.step_s[giver] - size >= problem.least_s[giver]:
                    plans.step_s[giver] -= size
                    plans.step_s[taker] += size
                    tried = signal_index(problem, plans, flows, signal, linked, linked)
                    if tried < index - GAIN:
                        index, moved = tried, True
                    else:
                        plans.step_s[giver] += size
                        plans.step_s[taker] -= size
                        break
        if not moved:
            size //= 2
    return index


@kernel
def move_offset(
    problem: Problem, plans: Plans, flows: Flows, signal: int, coarse_s: int, index: float
) -> float:
    """Try offsets all around the cycle, then around the best; the index reached."""
    cycle_s = plans.common_s[0] // plans.repeats[signal]
    best = plans.offset_s[signal]
    started = best
    step = coarse_s
    while step > 0:
        reach = cycle_s // 2 if step == coarse_s else 2 * step
        centre = started if step == coarse_s else best
        shift = -reach
        while shift <= reach:
            candidate = (centre + shift) % cycle_s
            if candidate != best:
                plans.offset_s[signal] = candidate
                tried = signal_index(problem, plans, flows, signal, True, True)
                if tried < index - GAIN:
                    index, best = tried, candidate
            shift += step
        step //= 3
    plans.offset_s[signal] = best
    return index


@kernel
def improve_signal(
    problem: Problem, plans: Plans, flows: Flows, signal: int, linked: bool, splits: bool
) -> float:
    """Offset, then splits, of one signal; by how much the index fell."""
    before = signal_index(problem, plans, flows, signal, linked, linked)
    index = before
    if linked:
        index = move_offset(problem, plans, flows, signal, 5, index)
    if splits:
        index = move_seconds(problem, plans, flows, signal, linked, index)
    signal_index(problem, plans, flows, signal, linked, linked)
    return before - index
