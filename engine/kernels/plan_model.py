"""One intersection as the plan search sees it, and the same laid out for the search.

A queue at red only grows by what arrives, so its cost at any moment follows from sums laid out here
once. Only lanes that a stage serves must be followed second by second: they stand side by side, four
at a time, one row for each stage.

Turning vehicles that give way go fast or hardly at all: as long as a queue departs the other way they
find few gaps, afterwards only what arrives there is in their way. When that queue will have gone
follows from its length, so a lane's service has two values and one moment between them.

Queues count who has not passed the stop line yet. Who had to stop before it loses more time behind it,
until he drives freely again: for the first of a queue v/2a, for those behind soon next to nothing, since
they speed up before the line. So a change costs that of the first vehicle on each lane that loses green.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel, part
from ampelwerk.engine._lanes import WIDTH
from ampelwerk.engine.kernels.city import FloatArray, IntArray

BLOCK = WIDTH
"""Lanes that are carried side by side."""
LEAST_SPARE = 0.1
"""Even where more arrives than is served a queue is taken to shrink, this share of its service. [-]"""


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
    stop_s: float
    """Time lost behind the line by the first of a lane who has to stop. [s]"""


class Model(NamedTuple):
    """One intersection; room for P stages, L lanes (a multiple of `BLOCK`), G moments."""

    queue_veh: FloatArray
    """(L,) queues now. [veh]"""
    arriving_veh: FloatArray
    """(G, L) arrivals at the stop line between each moment and the next. [veh]"""
    flow_veh_s: FloatArray
    """(P, L) service at green, 0 where the stage does not release the lane; of a lane that gives way
    while nobody comes the other way. [veh/s]"""
    opposed_veh_s: FloatArray
    """(P, L) service while a queue departs that the lane gives way to. [veh/s]"""
    foes: IntArray
    """(P, L) bit mask of the lanes it gives way to, 0 for none."""
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


class Layout(NamedTuple):
    """A model laid out; E places of lanes in the rows of the stages, each row filled up to `BLOCK`."""

    row: IntArray
    """(P + 1,) first place of each stage."""
    served: IntArray
    """(P,) lanes the stage serves."""
    lane: IntArray
    """(E,) lane at each place."""
    flow_veh_s: FloatArray
    """(E,) service at green, no queue in the way. [veh/s]"""
    less_veh_s: FloatArray
    """(E,) so much less while a queue it gives way to departs. [veh/s]"""
    clear_s: FloatArray
    """(E,) moment at which that queue will have gone, settled when a stage is followed. [s]"""
    spare_veh_s: FloatArray
    """(E,) service beyond what arrives: how fast a queue of the lane shrinks. [veh/s]"""
    pair: IntArray
    """(P + 1,) first pair of each stage."""
    yielding: IntArray
    """Place of who gives way, pair by pair."""
    foe: IntArray
    """Place of who goes first, pair by pair."""
    cap_veh: FloatArray
    """(E,) vehicles that can leave in one green. [veh]"""
    weight: FloatArray
    """(E,) weight of one vehicle. [-]"""
    drain: FloatArray
    """(E,) cost to come of a queue, per square of its length. [s/veh]"""
    red: FloatArray
    """(E,) and per vehicle, where it stands at red. [s]"""
    going_on: FloatArray
    """(P, E) 1 where a change from the stage does not interrupt the lane: green in both."""
    arriving_veh: FloatArray
    """(G, E) arrivals between each moment and the next. [veh]"""
    came_veh: FloatArray
    """(L, G) arrivals up to each moment. [veh]"""
    came_then_veh: FloatArray
    """(G, L) the same, moment by moment. [veh]"""
    waited: FloatArray
    """(G,) cost up to each moment of all arrivals, were every lane at red. [veh s]"""
    drained: FloatArray
    """(G,) cost to come from there. [veh s]"""
    at_s: FloatArray
    """(G,) the moments. [s]"""
    next_s: FloatArray
    """(G,) share of the step before the moment that counts with the queue at its end. [s]"""
    last_s: FloatArray
    """(G,) and with the queue at its begin. [s]"""
    stopped: FloatArray
    """(P, P) cost of a change from one stage to another for those who have to stop. [veh s]"""
    moment: IntArray
    """(horizon + 1,) first moment at or after each second."""


@kernel
def lay_out(
    model: Model,
    grid_s: IntArray,
    stages: int,
    lanes: int,
    red_s: float,
    stop_s: float,
    out: Layout,
) -> None:
    """Lay a model out; `red_s` and `stop_s` as in `Weights`.

    grid_s : (G,) moments at which a stage may end, from 0 to the horizon.
    lanes : lanes of the model; further ones are without traffic.
    """
    moments = len(grid_s)
    second = 0
    for k in range(moments):
        out.at_s[k] = grid_s[k]
        out.waited[k] = out.drained[k] = 0.0
        while second <= grid_s[k]:
            out.moment[second] = k
            second += 1
    for k in range(1, moments):
        # Beyond the first seconds a step is longer than a second; queues change evenly within it.
        step_s = out.at_s[k] - out.at_s[k - 1]
        out.last_s[k] = 0.5 * (step_s - 1.0)
        out.next_s[k] = step_s - out.last_s[k]
    for lane in range(lanes):
        weight = model.weight[lane]
        drain = weight * model.drain_s[lane] / 2
        came = before = 0.0
        waited = 0.0
        for k in range(1, moments):
            came += model.arriving_veh[k - 1, lane]
            waited += weight * (out.next_s[k] * came + out.last_s[k] * before)
            before = came
            out.came_veh[lane, k] = out.came_then_veh[k, lane] = came
            out.waited[k] += waited
            out.drained[k] += came * (drain * came + weight * red_s)
    place = pairs = 0
    span_s = max(1.0, out.at_s[moments - 1])
    for q in range(stages):
        out.row[q] = place
        for lane in range(lanes):
            flow_veh_s = model.flow_veh_s[q, lane]
            if flow_veh_s <= 0.0:
                continue
            weight = model.weight[lane]
            out.lane[place] = lane
            out.flow_veh_s[place] = flow_veh_s
            out.less_veh_s[place] = out.clear_s[place] = 0.0
            rate_veh_s = out.came_veh[lane, moments - 1] / span_s
            out.spare_veh_s[place] = max(LEAST_SPARE * flow_veh_s, flow_veh_s - rate_veh_s)
            out.cap_veh[place] = model.cap_veh[q, lane]
            out.weight[place] = weight
            out.drain[place] = weight * model.drain_s[lane] / 2
            out.red[place] = weight * red_s
            for p in range(stages):
                out.going_on[p, place] = 1.0 if model.flow_veh_s[p, lane] > 0.0 else 0.0
            for k in range(moments - 1):
                out.arriving_veh[k, place] = model.arriving_veh[k, lane]
            place += 1
        out.served[q] = place - out.row[q]
        out.pair[q] = pairs
        pairs = _give_way(model, q, out.row[q], place, pairs, out)
        while place % BLOCK:
            # Fills the row up: nobody comes, nobody leaves, nothing is counted.
            out.lane[place] = 0
            out.flow_veh_s[place] = out.cap_veh[place] = 0.0
            out.less_veh_s[place] = out.clear_s[place] = out.spare_veh_s[place] = 0.0
            out.weight[place] = out.drain[place] = out.red[place] = 0.0
            for p in range(stages):
                out.going_on[p, place] = 0.0
            for k in range(moments - 1):
                out.arriving_veh[k, place] = 0.0
            place += 1
    out.row[stages], out.pair[stages] = place, pairs
    for p in range(stages):
        for q in range(stages):
            stopped = 0.0
            for lane in range(lanes):
                if model.flow_veh_s[p, lane] > 0.0 and model.flow_veh_s[q, lane] <= 0.0:
                    stopped += model.weight[lane] * min(1.0, out.came_veh[lane, moments - 1])
            out.stopped[p, q] = stop_s * stopped


@part
def _give_way(model: Model, q: int, first: int, last: int, pairs: int, out: Layout) -> int:
    """Who gives way to whom in a stage, and their service for it; how many pairs there are by then.

    What arrives the other way once the queue has gone takes its share of the time.
    """
    for here in range(first, last):
        lane = out.lane[here]
        mask = model.foes[q, lane]
        if mask == 0:
            continue
        free = 1.0
        for there in range(first, last):
            foe = out.lane[there]
            if (mask >> foe) & 1:
                out.yielding[pairs], out.foe[pairs] = here, there
                pairs += 1
                free *= out.spare_veh_s[there] / model.flow_veh_s[q, foe]
        opposed_veh_s = model.opposed_veh_s[q, lane]
        gain_veh_s = max(0.0, model.flow_veh_s[q, lane] - opposed_veh_s) * free
        out.flow_veh_s[here] = min(opposed_veh_s, model.flow_veh_s[q, lane]) + gain_veh_s
        out.less_veh_s[here] = gain_veh_s
    return pairs


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


def padded(number: int) -> int:
    """So many lanes or moments fill whole blocks."""
    return -(-number // BLOCK) * BLOCK


def no_model(lanes: int, stages: int, moments: int) -> Model:
    """Room for a model of at most so many lanes and stages."""
    lanes = padded(lanes)
    return Model(
        queue_veh=np.zeros(lanes),
        arriving_veh=np.zeros((moments, lanes)),
        flow_veh_s=np.zeros((stages, lanes)),
        opposed_veh_s=np.zeros((stages, lanes)),
        foes=np.zeros((stages, lanes), dtype=np.int64),
        cap_veh=np.zeros((stages, lanes)),
        weight=np.zeros(lanes),
        lost_s=np.zeros((stages, stages)),
        min_green_s=np.zeros(stages, dtype=np.int64),
        allowed=np.zeros(stages, dtype=np.int64),
        drain_s=np.zeros(lanes),
    )


def no_layout(lanes: int, stages: int, moments: int, horizon_s: int) -> Layout:
    """Room for such a model laid out."""
    lanes, moments = padded(lanes), padded(moments)
    places = stages * lanes
    return Layout(
        row=np.zeros(stages + 1, dtype=np.int64),
        served=np.zeros(stages, dtype=np.int64),
        lane=np.zeros(places, dtype=np.int64),
        flow_veh_s=np.zeros(places),
        less_veh_s=np.zeros(places),
        clear_s=np.zeros(places),
        spare_veh_s=np.zeros(places),
        pair=np.zeros(stages + 1, dtype=np.int64),
        yielding=np.zeros(places * lanes, dtype=np.int64),
        foe=np.zeros(places * lanes, dtype=np.int64),
        cap_veh=np.zeros(places),
        weight=np.zeros(places),
        drain=np.zeros(places),
        red=np.zeros(places),
        going_on=np.zeros((stages, places)),
        arriving_veh=np.zeros((moments, places)),
        came_veh=np.zeros((lanes, moments)),
        came_then_veh=np.zeros((moments, lanes)),
        waited=np.zeros(moments),
        drained=np.zeros(moments),
        at_s=np.zeros(moments),
        next_s=np.zeros(moments),
        last_s=np.zeros(moments),
        stopped=np.zeros((stages, stages)),
        moment=np.zeros(horizon_s + 1, dtype=np.int64),
    )
