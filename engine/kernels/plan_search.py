"""Rolling horizon: the best sequence of stages over the next minute; its first second is carried out.

A forward label-setting dynamic programme over (second, stage), kin of PRODYN (Henry, Farges & Tuffal
1983) and COP (Sen & Head 1997). Each label carries the queues of all lanes, so one pass from a
label through the transition and the green of the next stage settles every possible end of that
green. Stages follow one another in any order. Of the labels that meet at one second in one stage
the cheapest is kept, its cost to come included: an approximation, since they differ in queues.

Every label is first taken as if all lanes stood at red from then on, which sums settle at once; what
a stage saves against that is then followed for the lanes it serves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel, part
from ampelwerk.engine._lanes import least, load, store, together, total
from ampelwerk.engine.kernels.city import FloatArray, IntArray
from ampelwerk.engine.kernels.plan_model import BLOCK, Layout, Model, Weights, lay_out, padded

HOLD = -1
"""First decision of a plan that goes on with the present stage."""
UNSET = 1.0e300
TIE = 1.0e-9
"""A label must be cheaper by this to replace another: where two plans cost the same, rounding, and so
the kind of processor, is not to decide; the one whose last change comes earlier stays. [veh s]"""


class Labels(NamedTuple):
    """What the search remembers."""

    rank: FloatArray
    """(P, G) cost so far and to come. [veh s]"""
    cost: FloatArray
    """(P, G) cost so far, without what the stage saved. [veh s]"""
    first: IntArray
    """(P, G) first decision of the plan that led there: a stage, or `HOLD`."""
    stage: IntArray
    """(P, G) stage before."""
    begin: IntArray
    """(P, G) moment at which it ended."""
    served_veh: FloatArray
    """(P, G, L) queues of the lanes the stage serves, in order of its row. [veh]"""
    saved: FloatArray
    """(P, G, L) cost saved on each against red. [veh s]"""
    queue_veh: FloatArray
    """(P, G, L) queues of all lanes, settled when the label is followed. [veh]"""
    best: FloatArray
    """(P + 1,) least cost of a plan by its first decision; the last is `HOLD`. [veh s]"""
    red: FloatArray
    """(G,) cost so far and to come were all lanes at red since the label that is followed. [veh s]"""
    spent: FloatArray
    """(G,) the part of it that is cost so far. [veh s]"""
    slope: FloatArray
    """(L,) what each arrival adds to it. [veh s]"""
    value: FloatArray
    """(G,) cost so far and to come while a stage is followed. [veh s]"""
    tried_veh: FloatArray
    """(G, L) queues of its lanes meanwhile. [veh]"""
    tried_saved: FloatArray
    """(G, L) cost saved on each. [veh s]"""


@kernel
def search(
    model: Model,
    weights: Weights,
    layout: Layout,
    labels: Labels,
    grid_s: IntArray,
    present: int,
    stages: int,
    lanes: int,
) -> None:
    """Fill `labels.best` with the least cost of a plan for each first decision.

    grid_s : (G,) moments at which a stage may end, from 0 to the horizon.
    stages, lanes : those of the model.
    """
    lay_out(model, grid_s, stages, lanes, weights.red_s, weights.stop_s, layout)
    rank, best, value = labels.rank, labels.best, labels.value
    end = len(grid_s) - 1
    rank[:stages, :] = UNSET
    best[:] = UNSET
    for lane in range(0, lanes, BLOCK):
        store(labels.queue_veh, (present, 0, lane), load(model.queue_veh, (lane,)))
    for g in range(end):
        for p in range(stages):
            so_far = 0.0
            if g == 0:
                if p != present:
                    continue
            elif rank[p, g] >= UNSET:
                continue
            else:
                so_far = _settle(layout, labels, p, g, lanes)
            _stand(model, layout, labels, p, g, end, lanes, so_far, weights.red_s)
            for q in range(stages):
                stay = q == p
                if (stay and g > 0) or not (stay or model.allowed[q]):
                    continue
                decision = labels.first[p, g]
                if g == 0:
                    decision = HOLD if stay else q
                # Shortest time to the end of the stage, in whole seconds.
                shortest_s = int(np.ceil(model.lost_s[p, q])) + model.min_green_s[q]
                until_s = grid_s[g] + (1 if stay else shortest_s)
                ready = layout.moment[until_s] if until_s < grid_s[end] else end
                begin_s = layout.at_s[g] + model.lost_s[p, q] + weights.start_up_s
                stopped = layout.stopped[p, q]
                _follow(layout, labels, p, q, g, ready, end, begin_s, stopped)
                width = layout.row[q + 1] - layout.row[q]
                for k in range(ready, end):
                    if value[k] < rank[q, k] - TIE:
                        rank[q, k], labels.cost[q, k] = value[k], labels.spent[k] + stopped
                        labels.first[q, k] = decision
                        labels.stage[q, k], labels.begin[q, k] = p, g
                        for j in range(0, width, BLOCK):
                            store(labels.served_veh, (q, k, j), load(labels.tried_veh, (k, j)))
                            store(labels.saved, (q, k, j), load(labels.tried_saved, (k, j)))
                slot = stages if decision == HOLD else decision
                best[slot] = min(best[slot], value[end])


@part
def _settle(layout: Layout, labels: Labels, p: int, g: int, lanes: int) -> float:
    """Queues of all lanes at a label; its cost so far."""
    before, begin = labels.stage[p, g], labels.begin[p, g]
    for lane in range(0, lanes, BLOCK):
        came_veh = load(layout.came_then_veh, (g, lane)) - load(layout.came_then_veh, (begin, lane))
        store(
            labels.queue_veh, (p, g, lane), load(labels.queue_veh, (before, begin, lane)) + came_veh
        )
    saved = 0.0
    first = layout.row[p]
    for j in range(layout.served[p]):
        labels.queue_veh[p, g, layout.lane[first + j]] = labels.served_veh[p, g, j]
        saved += labels.saved[p, g, j]
    return float(labels.cost[p, g] - saved)


@part
def _stand(
    model: Model,
    layout: Layout,
    labels: Labels,
    p: int,
    g: int,
    end: int,
    lanes: int,
    so_far: float,
    red_s: float,
) -> None:
    """Cost at each moment from a label on if all lanes stood at red.

    A queue is then what it was less those who had come, plus those who will have come: the cost of
    the sum's square is that of either part, laid out before, and of the product.
    """
    number = rest = 0.0
    for lane in range(lanes):
        weight, old_veh = (
            model.weight[lane],
            labels.queue_veh[p, g, lane] - layout.came_then_veh[g, lane],
        )
        drain = weight * model.drain_s[lane]
        number += weight * old_veh
        rest += old_veh * (drain / 2 * old_veh + weight * red_s)
        labels.slope[lane] = drain * old_veh
    base = so_far - layout.waited[g]
    for k in range((g + 1) // BLOCK * BLOCK, end + 1, BLOCK):
        spent = (load(layout.at_s, (k,)) - layout.at_s[g]) * number + load(layout.waited, (k,))
        spent = spent + base
        store(labels.spent, (k,), spent)
        red = spent + load(layout.drained, (k,)) + rest
        for lane in range(lanes):
            red = red + labels.slope[lane] * load(layout.came_veh, (lane, k))
        store(labels.red, (k,), red)


@part
def _follow(
    layout: Layout,
    labels: Labels,
    p: int,
    q: int,
    g: int,
    ready: int,
    end: int,
    begin_s: float,
    stopped: float,
) -> None:
    """Change from a label to a stage and keep it to the horizon: queues, and cost from `ready` on.

    Lanes that were green before go on; the others begin after the time lost. `stopped` is what the
    change costs those who have to stop. [veh s]
    """
    first = layout.row[q]
    yielding = _clear(layout, labels, p, q, g, begin_s)
    for k in range(ready, end + 1):
        labels.value[k] = labels.red[k] + stopped
    for row in range(first, layout.row[q + 1], BLOCK):
        j = row - first
        queue = together(
            labels.queue_veh[p, g, layout.lane[row]],
            labels.queue_veh[p, g, layout.lane[row + 1]],
            labels.queue_veh[p, g, layout.lane[row + 2]],
            labels.queue_veh[p, g, layout.lane[row + 3]],
        )
        cap, weight = load(layout.cap_veh, (row,)), load(layout.weight, (row,))
        drain, red = load(layout.drain, (row,)), load(layout.red, (row,))
        flow, going_on = load(layout.flow_veh_s, (row,)), load(layout.going_on, (p, row))
        less, clear_s = load(layout.less_veh_s, (row,)), load(layout.clear_s, (row,))
        none = queue * 0.0
        gone = saved = none
        for k in range(g + 1, end + 1):
            step_s = layout.at_s[k] - layout.at_s[k - 1]
            new_s = min(max(layout.at_s[k] - begin_s, 0.0), step_s)
            demand = queue + load(layout.arriving_veh, (k - 1, row))
            open_s = going_on * (step_s - new_s) + new_s
            able = flow * open_s
            if yielding:
                opposed_s = clear_s - layout.at_s[k] + open_s
                opposed_s = least(opposed_s - least(opposed_s, none), open_s)
                able = able - less * opposed_s
            leaving = least(able, least(cap - gone, demand))
            queue = demand - leaving
            left = gone + leaving
            saved = saved + weight * (left * layout.next_s[k] + gone * layout.last_s[k])
            gone = left
            store(labels.tried_veh, (k, j), queue)
            store(labels.tried_saved, (k, j), saved)
            if k >= ready:
                eased = gone * drain * (queue + queue + gone) + red * (queue + gone)
                labels.value[k] -= total(saved + eased)


@part
def _clear(layout: Layout, labels: Labels, p: int, q: int, g: int, begin_s: float) -> bool:
    """When the queues will have gone that turning vehicles of stage q give way to; if there are any."""
    first, last = layout.pair[q], layout.pair[q + 1]
    for n in range(first, last):
        layout.clear_s[layout.yielding[n]] = 0.0
    for n in range(first, last):
        foe, place = layout.foe[n], layout.yielding[n]
        clear_s = layout.at_s[g] if layout.going_on[p, foe] > 0.0 else begin_s
        clear_s += labels.queue_veh[p, g, layout.lane[foe]] / layout.spare_veh_s[foe]
        layout.clear_s[place] = max(layout.clear_s[place], clear_s)
    return bool(last > first)


def no_labels(lanes: int, stages: int, moments: int) -> Labels:
    """Room for the labels of such a model."""
    lanes, moments = padded(lanes), padded(moments)
    return Labels(
        rank=np.zeros((stages, moments)),
        cost=np.zeros((stages, moments)),
        first=np.zeros((stages, moments), dtype=np.int64),
        stage=np.zeros((stages, moments), dtype=np.int64),
        begin=np.zeros((stages, moments), dtype=np.int64),
        served_veh=np.zeros((stages, moments, lanes)),
        saved=np.zeros((stages, moments, lanes)),
        queue_veh=np.zeros((stages, moments, lanes)),
        best=np.zeros(stages + 1),
        red=np.zeros(moments),
        spent=np.zeros(moments),
        slope=np.zeros(lanes),
        value=np.zeros(moments),
        tried_veh=np.zeros((moments, lanes)),
        tried_saved=np.zeros((moments, lanes)),
    )
