"""What the rolling horizon makes of its plans: switch, or go on for another second.

The model of an intersection is gathered from beliefs and signals, `plan_search` finds the best plan
for each first decision, and the present stage is left only for a plan that is clearly better. A
supervisor overrules it for a lane that has waited too long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.arrivals import predict
from ampelwerk.engine.kernels.city import City, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import (
    BY_LINK,
    BY_PLAN,
    BY_SUPERVISOR,
    EXIT_FULL,
    HEAD_BLOCKED,
    LINK_FULL,
    WAIT_LIMIT,
    Choice,
    Signals,
    binding_rule,
    transition_s,
)
from ampelwerk.engine.kernels.estimation import crossing_veh
from ampelwerk.engine.kernels.plan_model import Layout, Model, Weights, no_layout, no_model
from ampelwerk.engine.kernels.plan_search import UNSET, Labels, no_labels, search
from ampelwerk.engine.kernels.saturation_flow import (
    flow_veh_s,
    opposed_flow_veh_s,
    unopposed_flow_veh_s,
)
from ampelwerk.engine.kernels.short_links import fills, may_fill
from ampelwerk.engine.kernels.supervision import (
    STUCK_S,
    busy_elsewhere,
    exit_share,
    longest_waiting,
    may_decide,
    serves,
)
from ampelwerk.engine.kernels.traffic import Traffic


class Margins(NamedTuple):
    """When a plan is better enough; tuned on cologne1 and grid4x4."""

    keep_veh_s: float
    """Least gain of a change of stage. [veh s]"""
    keep_share: float
    """Least gain as a share of the cost of going on. [-]"""
    wait_s: float
    """A lane without departure for this long while vehicles wait is served next. [s]"""


class Scratch(NamedTuple):
    """Room for one decision at a time; every thread needs its own."""

    model: Model
    layout: Layout
    labels: Labels
    arrivals_veh: FloatArray
    """(horizon,) arrivals of one lane. [veh]"""


@kernel
def choose(
    city: City,
    traffic: Traffic,
    signals: Signals,
    weights: Weights,
    margins: Margins,
    grid_s: IntArray,
    now_s: float,
    scratch: Scratch,
    out: Choice,
    first: int,
    last: int,
) -> None:
    """Decide for every intersection that may.

    first, last : the intersections from the one to before the other.
    """
    for i in range(first, last):
        if not may_decide(city, traffic, signals, i, now_s, out):
            continue
        waiting = prepare(
            city, traffic, signals, margins, grid_s, i, now_s, scratch.arrivals_veh, scratch.model
        )
        stages = city.stage_ptr[i + 1] - city.stage_ptr[i]
        lanes = city.lane_ptr[i + 1] - city.lane_ptr[i]
        search(
            scratch.model,
            weights,
            scratch.layout,
            scratch.labels,
            grid_s,
            signals.stage[i],
            stages,
            lanes,
        )
        conclude(
            city, traffic, signals, margins, scratch.model, scratch.labels.best, i, waiting, now_s,
            out,
        )  # fmt: skip


@kernel
def prepare(
    city: City,
    traffic: Traffic,
    signals: Signals,
    margins: Margins,
    grid_s: IntArray,
    i: int,
    now_s: float,
    arrivals_veh: FloatArray,
    out: Model,
) -> int:
    """The model of an intersection, and the lane that has waited too long, or -1."""
    first_stage, present = city.stage_ptr[i], signals.stage[i]
    waiting = longest_waiting(city, traffic, i, first_stage + present, now_s, margins.wait_s)
    late = waiting < 0 and busy_elsewhere(city, traffic, i, first_stage + present)
    _gather(city, traffic, signals, grid_s, i, now_s, arrivals_veh, out)
    for p in range(city.stage_ptr[i + 1] - first_stage):
        # Pedestrians who come late wait for the next change: letting them go now would delay it.
        if late and city.without_walkers[first_stage + p] == present:
            out.allowed[p] = 0
        if fills(city, first_stage + p):
            out.allowed[p] = may_fill(city, traffic, first_stage + p)
    return int(waiting)


@kernel
def conclude(
    city: City,
    traffic: Traffic,
    signals: Signals,
    margins: Margins,
    model: Model,
    cost: FloatArray,
    i: int,
    waiting: int,
    now_s: float,
    out: Choice,
) -> None:
    """What follows from the cost of the best plan of each first decision.

    cost : (P + 1,) as `Labels.best`. [veh s]
    waiting : lane that has waited too long, or -1.
    """
    first_stage, present = city.stage_ptr[i], signals.stage[i]
    stages = city.stage_ptr[i + 1] - first_stage
    best, second = -1, -1
    for p in range(stages):
        if p == present or cost[p] >= UNSET:
            continue
        if waiting >= 0 and not serves(city, first_stage + p, waiting):
            continue
        if best < 0 or cost[p] < cost[best]:
            best, second = p, best
        elif second < 0 or cost[p] < cost[second]:
            second = p
    if best < 0:
        return
    if waiting >= 0:
        out.stage[i], out.runner_up[i], out.reason[i] = best, second, BY_SUPERVISOR
        out.binding[i] = WAIT_LIMIT
        out.gap[i] = 0.0 if second < 0 else cost[second] - cost[best]
        return
    stay = cost[stages]
    gain = stay - cost[best]
    if gain > max(margins.keep_veh_s, margins.keep_share * stay):
        out.stage[i], out.runner_up[i], out.gap[i] = best, present, gain
    elif fills(city, first_stage + present) and not model.allowed[present]:
        out.stage[i], out.runner_up[i], out.gap[i] = best, present, gain
        out.reason[i], out.binding[i] = BY_LINK, LINK_FULL
        return
    else:
        out.stage[i], out.runner_up[i], out.gap[i] = present, best, -gain
    out.reason[i] = BY_PLAN
    out.binding[i] = _binding(city, traffic, signals, model, i, out.stage[i], now_s)


@kernel
def _binding(
    city: City, traffic: Traffic, signals: Signals, model: Model, i: int, chosen: int, now_s: float
) -> int:
    """What kept lanes of other stages back, or else whether the change could not come earlier."""
    first_lane, first_stage = city.lane_ptr[i], city.stage_ptr[i]
    for p in range(city.stage_ptr[i + 1] - first_stage):
        if p == chosen:
            continue
        for entry in range(city.entry_ptr[first_stage + p], city.entry_ptr[first_stage + p + 1]):
            lane = city.entry_lane[entry]
            if model.flow_veh_s[p, lane - first_lane] > 0.0 or traffic.queue_veh[lane] < 1.0:
                continue
            if exit_share(city, traffic, lane) == 0.0:
                return EXIT_FULL
            return HEAD_BLOCKED
    return binding_rule(signals, i, now_s, 1.0)


@kernel
def _gather(
    city: City,
    traffic: Traffic,
    signals: Signals,
    grid_s: IntArray,
    i: int,
    now_s: float,
    arrivals_veh: FloatArray,
    out: Model,
) -> None:
    """The model of one intersection from what is believed.

    arrivals_veh : (horizon,) room for the arrivals of one lane.
    """
    first_lane, first_stage = city.lane_ptr[i], city.stage_ptr[i]
    stages = city.stage_ptr[i + 1] - first_stage
    lanes = city.lane_ptr[i + 1] - first_lane
    present, block = signals.stage[i], city.transition_ptr[i]
    out.flow_veh_s[:stages, :lanes] = 0.0
    out.drain_s[:lanes] = 1.0e3
    for lane in range(lanes):
        number = first_lane + lane
        queue_veh = traffic.queue_veh[number] - crossing_veh(city, traffic, number, now_s)
        out.queue_veh[lane] = max(0.0, queue_veh) + traffic.behind_veh[number]
        out.weight[lane] = city.lane_weight[number]
        predict(city, traffic, number, now_s, arrivals_veh)
        before = 0.0
        for g in range(len(grid_s) - 1):
            until = arrivals_veh[grid_s[g + 1] - 1]
            out.arriving_veh[g, lane] = until - before
            before = until
    for p in range(stages):
        out.allowed[p] = city.selectable[first_stage + p]
        filling = fills(city, first_stage + p)
        out.min_green_s[p] = city.min_green_s[first_stage + p]
        for q in range(stages):
            out.lost_s[p, q] = city.transition_s[block + p * stages + q]
        for entry in range(city.entry_ptr[first_stage + p], city.entry_ptr[first_stage + p + 1]):
            number = city.entry_lane[entry]
            lane = number - first_lane
            share = exit_share(city, traffic, number)
            flow = flow_veh_s(city, traffic, entry)
            if not filling:
                out.drain_s[lane] = min(out.drain_s[lane], 1.0 / flow)
            foes = 0
            for k in range(city.entry_foe_ptr[entry], city.entry_foe_ptr[entry + 1]):
                foes |= 1 << (city.entry_foe[k] - first_lane)
            if foes:
                flow = unopposed_flow_veh_s(city, traffic, entry)
                out.opposed_veh_s[p, lane] = opposed_flow_veh_s(city, traffic, entry) * share
            out.foes[p, lane] = foes
            flow *= share
            if now_s - traffic.stuck_s[entry] < STUCK_S:
                flow = 0.0
            out.flow_veh_s[p, lane] = flow
            out.cap_veh[p, lane] = city.entry_cap[entry]
    for q in range(stages):
        if q != present:
            out.lost_s[present, q] = transition_s(city, signals, i, q, now_s)


def no_scratch(lanes: int, stages: int, moments: int, horizon_s: int) -> Scratch:
    """Room for intersections of at most so many lanes and stages."""
    return Scratch(
        model=no_model(lanes, stages, moments),
        layout=no_layout(lanes, stages, moments, horizon_s),
        labels=no_labels(lanes, stages, moments),
        arrivals_veh=np.zeros(horizon_s),
    )
