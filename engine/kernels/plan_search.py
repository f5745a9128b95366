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
BLOCK = 4
"""Lanes that are carried side by side."""


class Model(NamedTuple):
    """One intersection as the plan sees it; P stages, L lanes (a multiple of `BLOCK`), G moments."""

    queue_veh: FloatArray
    """(L,) queues now. [veh]"""
    arriving_veh: FloatArray
    """(G, L) arrivals at the stop line between each moment and the next. [veh]"""
    flow_veh_s: FloatArray
    """(P, L) service at green, 0 where the stage does not release the lane. [veh/s]"""
    cap_veh: FloatArray
    """(P, L) vehicles that can leave in one green. [veh]"""
    weight: FloatArray
    """(L,) weight of one vehicle; 0 for lanes that only fill the block. [-]"""
    lost_s: FloatArray
    """(P, P) from the end of one stage to the next in full. [s]"""
    min_green_s: IntArray
    """(P,) shortest green. [s]"""
    allowed: IntArray
    """(P,) 1 if the plan may go to the stage."""
    drain_s: FloatArray
    """(L,) seconds one vehicle takes at the stop line in the lane's best stage. [s]"""


class Labels(NamedTuple):
    """What the search remembers."""

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
    tried_veh: FloatArray
    """(G, L) queues while a stage is followed. [veh]"""
    step_cost: FloatArray
    """(G,) cost of the step before each moment, while a stage is followed. [veh s]"""
    rest_cost: FloatArray
    """(G,) cost to come after each moment. [veh s]"""


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
    red_s: float
    """Wait for green of those left at red at the end of the plan. [s]"""


@kernel
def search(
    model: Model, weights: Weights, labels: Labels, grid_s: IntArray, present: int, stages: int
) -> None:
    """Fill `labels.best` with the least cost of a plan for each first decision.

    grid_s : (G,) moments at which a stage may end, from 0 to the horizon.
    """
    rank, best = labels.rank, labels.best
    rank[:, :] = UNSET
    best[:] = UNSET
    moments = len(grid_s)
    for g in range(moments - 1):
        for p in range(stages):
            if (g == 0 and p != present) or (g > 0 and rank[g, p] >= UNSET):
                continue
            for q in range(stages):
                stay = q == p
                if (stay and g > 0) or not (stay or model.allowed[q]):
                    continue
                if g == 0:
                    from_veh, so_far, decision = model.queue_veh, 0.0, HOLD if stay else q
                else:
                    from_veh = labels.queue_veh[g, p]
                    so_far, decision = labels.cost[g, p], labels.first[g, p]
                _follow(
                    from_veh, model.arriving_veh[g:], model.flow_veh_s[p], model.flow_veh_s[q],
                    model.cap_veh[q], model.weight, model.drain_s, labels.tried_veh[g:],
                    labels.step_cost[g:], labels.rest_cost[g:], grid_s[g:],
                    model.lost_s[p, q] + weights.start_up_s, weights.red_s,
                )  # fmt: skip
                shortest_s = 1.0 if stay else model.lost_s[p, q] + model.min_green_s[q]
                total = so_far
                for k in range(g + 1, moments):
                    total += labels.step_cost[k]
                    value = total + labels.rest_cost[k]
                    if k == moments - 1:
                        slot = stages if decision == HOLD else decision
                        best[slot] = min(best[slot], value)
                    elif value < rank[k, q] and grid_s[k] - grid_s[g] >= shortest_s:
                        rank[k, q], labels.cost[k, q] = value, total
                        labels.first[k, q] = decision
                        for lane in range(len(model.weight)):
                            labels.queue_veh[k, q, lane] = labels.tried_veh[k, lane]


@kernel
def _follow(
    from_veh: FloatArray,
    arriving_veh: FloatArray,
    before_veh_s: FloatArray,
    flow_veh_s: FloatArray,
    cap_veh: FloatArray,
    weight: FloatArray,
    drain_s: FloatArray,
    tried_veh: FloatArray,
    step_cost: FloatArray,
    rest_cost: FloatArray,
    grid_s: IntArray,
    lost_s: float,
    red_s: float,
) -> None:
    """Change to a stage and keep it to the horizon: queues and cost at each moment.

    Lanes that were green before go on; the others begin after the time lost. Four lanes are carried
    side by side in registers, since a loop over lanes inside spends its time on checks. Beyond
    the first seconds a step is longer than a second; queues then change evenly within it.

    before_veh_s, flow_veh_s : (L,) service in the stage before and in this one. [veh/s]
    """
    moments = len(grid_s)
    step_cost[:] = 0.0
    rest_cost[:] = 0.0
    begin_s = grid_s[0] + lost_s
    for a in range(0, len(weight), BLOCK):
        b, c, d = a + 1, a + 2, a + 3
        na, nb, nc, nd = from_veh[a], from_veh[b], from_veh[c], from_veh[d]
        la, lb, lc, ld = cap_veh[a], cap_veh[b], cap_veh[c], cap_veh[d]
        fa, fb, fc, fd = flow_veh_s[a], flow_veh_s[b], flow_veh_s[c], flow_veh_s[d]
        wa, wb, wc, wd = weight[a], weight[b], weight[c], weight[d]
        ha, hb, hc, hd = (
            wa * drain_s[a] / 2,
            wb * drain_s[b] / 2,
            wc * drain_s[c] / 2,
            wd * drain_s[d] / 2,
        )
        # Lanes that go on are served through each step, others for what the start leaves of it.
        oa, ua = (fa, 0.0) if before_veh_s[a] > 0.0 else (0.0, fa)
        ob, ub = (fb, 0.0) if before_veh_s[b] > 0.0 else (0.0, fb)
        oc, uc = (fc, 0.0) if before_veh_s[c] > 0.0 else (0.0, fc)
        od, ud = (fd, 0.0) if before_veh_s[d] > 0.0 else (0.0, fd)
        ra = 0.0 if fa > 0.0 else wa * red_s
        rb = 0.0 if fb > 0.0 else wb * red_s
        rc = 0.0 if fc > 0.0 else wc * red_s
        rd = 0.0 if fd > 0.0 else wd * red_s
        for k in range(moments - 1):
            step_s = float(grid_s[k + 1] - grid_s[k])
            new_s = grid_s[k + 1] - begin_s
            new_s = 0.0 if new_s < 0.0 else (min(new_s, step_s))
            half = 0.5 * (step_s - 1.0)
            rest = step_s - half
            ya, yb = na + arriving_veh[k, a], nb + arriving_veh[k, b]
            yc, yd = nc + arriving_veh[k, c], nd + arriving_veh[k, d]
            sa, sb = oa * step_s + ua * new_s, ob * step_s + ub * new_s
            sc, sd = oc * step_s + uc * new_s, od * step_s + ud * new_s
            sa, sb = (min(sa, la)), (min(sb, lb))
            sc, sd = (min(sc, lc)), (min(sd, ld))
            sa, sb = (min(sa, ya)), (min(sb, yb))
            sc, sd = (min(sc, yc)), (min(sd, yd))
            la, lb, lc, ld = la - sa, lb - sb, lc - sc, ld - sd
            xa, xb, xc, xd = ya - sa, yb - sb, yc - sc, yd - sd
            step_cost[k + 1] += (
                wa * (rest * xa + half * na)
                + wb * (rest * xb + half * nb)
                + wc * (rest * xc + half * nc)
                + wd * (rest * xd + half * nd)
            )
            rest_cost[k + 1] += (
                xa * (ha * xa + ra)
                + xb * (hb * xb + rb)
                + xc * (hc * xc + rc)
                + xd * (hd * xd + rd)
            )
            na, nb, nc, nd = xa, xb, xc, xd
            tried_veh[k + 1, a], tried_veh[k + 1, b] = xa, xb
            tried_veh[k + 1, c], tried_veh[k + 1, d] = xc, xd


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


def padded(lanes: int) -> int:
    """Lanes that fill whole blocks."""
    return -(-lanes // BLOCK) * BLOCK


def no_model(lanes: int, stages: int, moments: int) -> Model:
    """Room for a model of at most so many lanes and stages."""
    lanes = padded(lanes)
    return Model(
        queue_veh=np.zeros(lanes),
        arriving_veh=np.zeros((moments, lanes)),
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
    lanes = padded(lanes)
    return Labels(
        rank=np.zeros((moments, stages)),
        cost=np.zeros((moments, stages)),
        queue_veh=np.zeros((moments, stages, lanes)),
        first=np.zeros((moments, stages), dtype=np.int64),
        best=np.zeros(stages + 1),
        tried_veh=np.zeros((moments, lanes)),
        step_cost=np.zeros(moments),
        rest_cost=np.zeros(moments),
    )
