"""Rolling horizon: the best sequence of stages over the next minute; its first second is carried out.

A forward label-setting dynamic programme over (second, stage), kin of PRODYN (Henry, Farges & Tuffal
1983) and COP (Sen & Head 1997). Each label carries the queues of all lanes, so one pass from a
label through the transition and the green of the next stage settles every possible end of that
green. Stages follow one another in any order. Of the labels that meet at one second in one stage
the cheapest is kept, its cost to come included: an approximation, since they differ in queues.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import FloatArray, IntArray

HOLD = -1
"""First decision of a plan that goes on with the present stage."""
UNSET = 1.0e300


class Model(NamedTuple):
    """One intersection as the plan sees it; P stages, L lanes, H seconds."""

    queue_veh: FloatArray
    """(L,) queues now. [veh]"""
    arriving_veh: FloatArray
    """(H, L) arrivals at the stop line in each second to come. [veh]"""
    flow_veh_s: FloatArray
    """(P, L) service at green, 0 where the stage does not release the lane. [veh/s]"""
    cap_veh: FloatArray
    """(P, L) vehicles that can leave in one green. [veh]"""
    weight: FloatArray
    """(L,) weight of one vehicle. [-]"""
    lost_s: FloatArray
    """(P, P) from the end of one stage to the next in full. [s]"""
    min_green_s: IntArray
    """(P,) shortest green. [s]"""
    allowed: IntArray
    """(P,) 1 if the plan may go to the stage."""
    drain_s: FloatArray
    """(L,) seconds one vehicle takes at the stop line in the lane's best stage. [s]"""


class Labels(NamedTuple):
    """What the search remembers; G moments of the time grid."""

    rank: FloatArray
    """(G, P) cost so far and to come. [veh s]"""
    cost: FloatArray
    """(G, P) cost so far. [veh s]"""
    queue_veh: FloatArray
    """(G, P, L) queues then. [veh]"""
    first: IntArray
    """(G, P) first decision of the plan that led there: a stage, or `HOLD`."""
    best: FloatArray
    """(P + 1,) least cost of a plan by its first decision; the last is `HOLD`. [veh s]"""
    now_veh: FloatArray
    """(L,) queues while a plan is followed. [veh]"""
    left_veh: FloatArray
    """(L,) rest of the caps while a plan is followed. [veh]"""


class Weights(NamedTuple):
    """Weights and lengths of the search; tuned on cologne1 and grid4x4."""

    horizon_s: int
    """Length of the plan. [s]"""
    fine_s: int
    """Stages may end at every second up to here. [s]"""
    coarse_s: int
    """And then every so many seconds. [s]"""
    start_up_s: float
    """Time lost by the first vehicle of a queue. [s]"""
    stop_s: float
    """Cost of a stop, beside the time it takes in the queue. [s]"""
    red_s: float
    """Wait for green of those left at red at the end of the plan. [s]"""


@kernel
def search(
    model: Model, weights: Weights, labels: Labels, grid_s: IntArray, present: int, stages: int
) -> None:
    """Fill `labels.best` with the least cost of a plan for each first decision.

    grid_s : (G,) moments at which a stage may end, from 0 to the horizon.
    """
    _search(
        model.queue_veh,
        model.arriving_veh,
        model.flow_veh_s,
        model.cap_veh,
        model.weight,
        model.lost_s,
        model.min_green_s,
        model.allowed,
        model.drain_s,
        labels.rank,
        labels.cost,
        labels.queue_veh,
        labels.first,
        labels.best,
        labels.now_veh,
        labels.left_veh,
        grid_s,
        present,
        stages,
        len(model.queue_veh),
        weights.start_up_s,
        weights.stop_s,
        weights.red_s,
    )


@kernel
def _search(
    queue_veh: FloatArray,
    arriving_veh: FloatArray,
    flow_veh_s: FloatArray,
    cap_veh: FloatArray,
    weight: FloatArray,
    lost_s: FloatArray,
    min_green_s: IntArray,
    allowed: IntArray,
    drain_s: FloatArray,
    rank: FloatArray,
    cost: FloatArray,
    label_veh: FloatArray,
    first: IntArray,
    best: FloatArray,
    now_veh: FloatArray,
    left_veh: FloatArray,
    grid_s: IntArray,
    present: int,
    stages: int,
    lanes: int,
    start_up_s: float,
    stop_s: float,
    red_s: float,
) -> None:
    """`search` on plain arrays: structures of arrays are costly to pass on."""
    moments = len(grid_s)
    rank[:, :] = UNSET
    best[:] = UNSET
    _follow(
        queue_veh, arriving_veh, flow_veh_s, cap_veh, weight, drain_s, rank, cost, label_veh,
        first, best, now_veh, left_veh, grid_s, 0, 0.0, HOLD, present, present, 0.0, 1, lanes,
        start_up_s, stop_s, red_s, stages,
    )  # fmt: skip
    for g in range(moments - 1):
        for p in range(stages):
            if g == 0 and p != present:
                continue
            if g > 0 and rank[g, p] >= UNSET:
                continue
            for q in range(stages):
                if q == p or not allowed[q]:
                    continue
                from_veh = queue_veh if g == 0 else label_veh[g, p]
                so_far = 0.0 if g == 0 else cost[g, p]
                decision = q if g == 0 else first[g, p]
                _follow(
                    from_veh, arriving_veh, flow_veh_s, cap_veh, weight, drain_s, rank, cost,
                    label_veh, first, best, now_veh, left_veh, grid_s, g, so_far, decision, p, q,
                    lost_s[p, q], min_green_s[q], lanes, start_up_s, stop_s, red_s, stages,
                )  # fmt: skip


@kernel
def _follow(
    from_veh: FloatArray,
    arriving_veh: FloatArray,
    flow_veh_s: FloatArray,
    cap_veh: FloatArray,
    weight: FloatArray,
    drain_s: FloatArray,
    rank: FloatArray,
    cost: FloatArray,
    label_veh: FloatArray,
    first: IntArray,
    best: FloatArray,
    now_veh: FloatArray,
    left_veh: FloatArray,
    grid_s: IntArray,
    start: int,
    so_far: float,
    decision: int,
    p: int,
    q: int,
    gap_s: float,
    shortest_s: int,
    lanes: int,
    start_up_s: float,
    stop_s: float,
    red_s: float,
    stages: int,
) -> None:
    """Go from stage p to q (p = q: stay) and keep q to the horizon; a label at each possible end."""
    moments = len(grid_s)
    begin_s = grid_s[start]
    for lane in range(lanes):
        now_veh[lane] = from_veh[lane]
        left_veh[lane] = cap_veh[q, lane]
    total = so_far
    g = start + 1
    for second in range(begin_s, grid_s[moments - 1]):
        after_s = second + 1 - begin_s
        new = min(1.0, max(0.0, after_s - gap_s - start_up_s))
        for lane in range(lanes):
            flow = flow_veh_s[q, lane]
            coming = arriving_veh[second, lane]
            waiting = now_veh[lane] + coming
            if flow > 0.0 and flow_veh_s[p, lane] == 0.0:
                flow *= new
            leaving = min(waiting, flow, left_veh[lane])
            left_veh[lane] -= leaving
            rest = waiting - leaving
            now_veh[lane] = rest
            total += weight[lane] * (rest + stop_s * min(coming, rest))
        if second + 1 == grid_s[g]:
            last = g == moments - 1
            if after_s - gap_s >= shortest_s or last:
                value = total
                for lane in range(lanes):
                    n = now_veh[lane]
                    wait_s = 0.0 if flow_veh_s[q, lane] > 0.0 else red_s
                    value += weight[lane] * n * (0.5 * n * drain_s[lane] + wait_s)
                if last:
                    slot = decision if decision >= 0 else stages
                    best[slot] = min(best[slot], value)
                elif value < rank[g, q]:
                    rank[g, q] = value
                    cost[g, q] = total
                    first[g, q] = decision
                    for lane in range(lanes):
                        label_veh[g, q, lane] = now_veh[lane]
            g += 1
            if g == moments:
                return


@kernel
def time_grid(weights: Weights, out_s: IntArray) -> int:
    """Moments at which a stage may end; how many there are."""
    count, at_s = 0, 0
    while at_s < weights.horizon_s:
        out_s[count] = at_s
        count += 1
        at_s += 1 if at_s < weights.fine_s else weights.coarse_s
    out_s[count] = weights.horizon_s
    return count + 1


def no_model(lanes: int, stages: int, horizon_s: int) -> Model:
    """Room for a model of at most so many lanes and stages."""
    return Model(
        queue_veh=np.zeros(lanes),
        arriving_veh=np.zeros((horizon_s, lanes)),
        flow_veh_s=np.zeros((stages, lanes)),
        cap_veh=np.zeros((stages, lanes)),
        weight=np.zeros(lanes),
        lost_s=np.zeros((stages, stages)),
        min_green_s=np.zeros(stages, dtype=np.int64),
        allowed=np.zeros(stages, dtype=np.int64),
        drain_s=np.zeros(lanes),
    )


def no_labels(lanes: int, stages: int, moments: int) -> Labels:
    """Room for the labels of such a model."""
    return Labels(
        rank=np.zeros((moments, stages)),
        cost=np.zeros((moments, stages)),
        queue_veh=np.zeros((moments, stages, lanes)),
        first=np.zeros((moments, stages), dtype=np.int64),
        best=np.zeros(stages + 1),
        now_veh=np.zeros(lanes),
        left_veh=np.zeros(lanes),
    )
