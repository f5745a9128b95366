"""The rolling horizon's other form: rollouts of a base policy instead of the dynamic programme.

Each first decision is tried with a few lengths, then the base policy goes on to the horizon: the stage
that serves most vehicles a second of its time, `priority-index` after Lämmer & Helbing (2008). The
cheapest trial of a first decision stands for it (rollout: Bertsekas, Tsitsiklis & Wu 1997). Model,
costs, margins and supervisor are those of `rolling-horizon`. Kept for `benchmarks.ablation`, which
compares both; docs/decisions.md says why the product has the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.city import lay_out
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels.city import City, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import Choice, Signals
from ampelwerk.engine.kernels.plan_model import Model, Weights, no_model
from ampelwerk.engine.kernels.plan_search import UNSET
from ampelwerk.engine.kernels.rolling_horizon import Margins, conclude, prepare
from ampelwerk.engine.kernels.supervision import may_decide
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.strategies.rolling_horizon import DEFAULT, REASON, Parameters
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.engine.strategies.wishes import no_choice, wishes_of
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.sim.controls import Controlled, loop_roles

HOLDS_S = (1.0, 3.0, 6.0, 10.0)
"""Lengths tried for going on; the time until the queues have cleared besides. [s]"""
PLATOON_S = 5.0
"""Another stage is tried for its minimum green, until cleared, and so much longer. [s]"""
DECIDE_S, KEEP, LONGEST_S = 2, 1.1, 40.0
"""The base policy decides every so often, favours the present stage, looks so far. [s], [-], [s]"""


class Room(NamedTuple):
    """Room for one trial."""

    queue_veh: FloatArray
    """(L,) queues. [veh]"""
    gone_veh: FloatArray
    """(L,) departures of this green. [veh]"""
    came_veh: FloatArray
    """(H + 1, L) arrivals up to each second. [veh]"""
    cost: FloatArray
    """(P + 1,) least cost by first decision, as `Labels.best`. [veh s]"""


@kernel
def _begin(model: Model, room: Room, lanes: int) -> None:
    """Queues as they are now."""
    for lane in range(lanes):
        room.queue_veh[lane], room.gone_veh[lane] = model.queue_veh[lane], 0.0


@kernel
def _came_veh(room: Room, lane: int, begin_s: float, end_s: float) -> float:
    """Arrivals between two moments, none beyond the horizon. [veh]"""
    last = len(room.came_veh) - 1
    begin, end = min(last, int(begin_s)), min(last, int(end_s))
    return float(room.came_veh[end, lane] - room.came_veh[begin, lane])


@kernel
def _clear_s(model: Model, room: Room, q: int, lanes: int, now_s: float, lost_s: float) -> float:
    """Service until the queues of a stage have cleared. [s]"""
    length_s = 1.0
    for _ in range(2):
        needed_s = 1.0
        for lane in range(lanes):
            flow = model.flow_veh_s[q, lane]
            if flow > 0.0:
                came = _came_veh(room, lane, now_s, now_s + lost_s + length_s)
                needed_s = max(needed_s, (room.queue_veh[lane] + came) / flow)
        length_s = min(LONGEST_S, needed_s)
    return length_s


@kernel
def _index(model: Model, room: Room, q: int, lanes: int, now_s: float, lost_s: float) -> float:
    """Vehicles served a second of commitment. [veh/s]"""
    length_s = _clear_s(model, room, q, lanes, now_s, lost_s)
    served = 0.0
    for lane in range(lanes):
        flow = model.flow_veh_s[q, lane]
        if flow > 0.0:
            demand = room.queue_veh[lane] + _came_veh(room, lane, now_s, now_s + lost_s + length_s)
            served += model.weight[lane] * min(demand, flow * length_s, model.cap_veh[q, lane])
    return served / (lost_s + length_s)


@kernel
def _base_policy(
    model: Model, weights: Weights, room: Room, p: int, stages: int, lanes: int, now_s: float
) -> int:
    """The stage with the best index, the present one favoured."""
    best, value = p, KEEP * _index(model, room, p, lanes, now_s, 0.0)
    for q in range(stages):
        if q != p and model.allowed[q]:
            lost_s = model.lost_s[p, q] + weights.start_up_s
            other = _index(model, room, q, lanes, now_s, lost_s)
            if other > value:
                best, value = q, other
    return best


@kernel
def _flow_veh_s(model: Model, room: Room, q: int, lane: int, lanes: int, span_s: float) -> float:
    """Service of a lane at this moment: who gives way waits while a queue departs. [veh/s]"""
    flow, mask = model.flow_veh_s[q, lane], model.foes[q, lane]
    if flow <= 0.0 or mask == 0:
        return float(flow)
    free = 1.0
    for foe in range(lanes):
        theirs = model.flow_veh_s[q, foe]
        if (mask >> foe) & 1 and theirs > 0.0:
            if room.queue_veh[foe] >= 0.5:
                return float(min(flow, model.opposed_veh_s[q, lane]))
            rate = room.came_veh[len(room.came_veh) - 1, foe] / span_s
            free *= max(0.1, 1.0 - rate / theirs)
    opposed = min(flow, model.opposed_veh_s[q, lane])
    return float(opposed + (flow - opposed) * free)


@kernel
def _try(
    model: Model,
    weights: Weights,
    room: Room,
    present: int,
    first: int,
    dwell_s: float,
    stages: int,
    lanes: int,
) -> float:
    """Cost of one trial: a stage for so long, then the base policy. [veh s]"""
    horizon = len(room.came_veh) - 1
    _begin(model, room, lanes)
    p, before, open_s, cost = present, present, 0.0, 0.0
    free_s = dwell_s
    wanted = first
    for second in range(horizon):
        if second > 0:
            wanted = p
            if second >= free_s and second % DECIDE_S == 0:
                wanted = _base_policy(model, weights, room, p, stages, lanes, float(second))
        if wanted != p:
            lost_s = model.lost_s[p, wanted]
            for lane in range(lanes):
                if model.flow_veh_s[wanted, lane] <= 0.0:
                    room.gone_veh[lane] = 0.0
                    if model.flow_veh_s[p, lane] > 0.0:
                        came = min(1.0, room.came_veh[horizon, lane])
                        cost += weights.stop_s * model.weight[lane] * came
            before, p = p, wanted
            open_s = second + lost_s + weights.start_up_s
            free_s = second + np.ceil(lost_s) + model.min_green_s[p]
            if second == 0:
                free_s = max(free_s, second + np.ceil(lost_s) + dwell_s)
        for lane in range(lanes):
            room.queue_veh[lane] += room.came_veh[second + 1, lane] - room.came_veh[second, lane]
            share = min(1.0, max(0.0, second + 1.0 - open_s))
            if model.flow_veh_s[before, lane] > 0.0:
                share = 1.0
            able = _flow_veh_s(model, room, p, lane, lanes, float(horizon)) * share
            left = min(room.queue_veh[lane], able, model.cap_veh[p, lane] - room.gone_veh[lane])
            room.queue_veh[lane] -= max(0.0, left)
            room.gone_veh[lane] += max(0.0, left)
            cost += model.weight[lane] * room.queue_veh[lane]
    for lane in range(lanes):
        wait_s = 0.0 if model.flow_veh_s[p, lane] > 0.0 else weights.red_s
        length = room.queue_veh[lane]
        cost += model.weight[lane] * length * (length * model.drain_s[lane] / 2 + wait_s)
    return float(cost)


@kernel
def roll_out(
    model: Model, weights: Weights, room: Room, present: int, stages: int, lanes: int
) -> None:
    """Fill `room.cost` with the cheapest trial of each first decision."""
    horizon = len(room.came_veh) - 1
    for lane in range(lanes):
        for second in range(horizon):
            came = room.came_veh[second, lane] + model.arriving_veh[second, lane]
            room.came_veh[second + 1, lane] = came
    room.cost[:] = UNSET
    _begin(model, room, lanes)
    clear_s = _clear_s(model, room, present, lanes, 0.0, 0.0)
    for dwell_s in HOLDS_S:
        cost = _try(model, weights, room, present, present, dwell_s, stages, lanes)
        room.cost[stages] = min(room.cost[stages], cost)
    cost = _try(model, weights, room, present, present, clear_s, stages, lanes)
    room.cost[stages] = min(room.cost[stages], cost)
    for q in range(stages):
        if q == present or not model.allowed[q]:
            continue
        _begin(model, room, lanes)
        lost_s = model.lost_s[present, q] + weights.start_up_s
        clear_s = _clear_s(model, room, q, lanes, 0.0, lost_s)
        for longer_s in (-LONGEST_S, 0.0, PLATOON_S):
            dwell_s = max(float(model.min_green_s[q]), clear_s + longer_s)
            cost = _try(model, weights, room, present, q, dwell_s, stages, lanes)
            room.cost[q] = min(room.cost[q], cost)


@kernel
def choose(
    city: City,
    traffic: Traffic,
    signals: Signals,
    weights: Weights,
    margins: Margins,
    grid_s: IntArray,
    now_s: float,
    model: Model,
    arrivals_veh: FloatArray,
    room: Room,
    out: Choice,
) -> None:
    """Decide for every intersection that may."""
    for i in range(len(signals.stage)):
        if not may_decide(city, traffic, signals, i, now_s, out):
            continue
        waiting = prepare(city, traffic, signals, margins, grid_s, i, now_s, arrivals_veh, model)
        lanes = city.lane_ptr[i + 1] - city.lane_ptr[i]
        stages = city.stage_ptr[i + 1] - city.stage_ptr[i]
        roll_out(model, weights, room, signals.stage[i], stages, lanes)
        conclude(city, traffic, signals, margins, model, room.cost, i, waiting, now_s, out)


class Rollouts:
    """Estimation as ever, decisions by rollouts."""

    def __init__(self, loop: Controlled, control: str, parameters: Parameters = DEFAULT) -> None:
        city, p = lay_out(loop.network), parameters
        health = LoopHealth(city, loop.begin_s, loop_roles(control))
        self._estimator = Estimator(city, loop.begin_s, loop.step_s, health)
        self._city, self._signals = city, loop.signals
        self.alarms: Sequence[LoopAlarm] = health.alarms
        lanes = int(np.diff(city.lane_ptr).max(initial=1))
        stages = int(np.diff(city.stage_ptr).max(initial=1))
        self._weights, self._margins = p.weights, p.margins
        self._grid_s = np.arange(p.horizon_s + 1)
        self._model = no_model(lanes, stages, p.horizon_s + 1)
        self._arrivals_veh = np.zeros(p.horizon_s)
        self._room = Room(
            np.zeros(lanes),
            np.zeros(lanes),
            np.zeros((p.horizon_s + 1, lanes)),
            np.zeros(stages + 1),
        )
        self._choice = no_choice(len(loop.signals.stage))

    def observe(self, frame: DetectorFrame) -> None:
        """What the loops report."""
        self._estimator.update(frame, self._signals)

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes for the intersections whose stage should change."""
        choose(
            self._city, self._estimator.traffic, self._signals, self._weights, self._margins,
            self._grid_s, now_s, self._model, self._arrivals_veh, self._room, self._choice,
        )  # fmt: skip
        return wishes_of(self._choice, self._signals, REASON)
