"""Random intersections for the plan search, from empty to oversaturated; by seed."""

from __future__ import annotations

import numpy as np

from ampelwerk.engine.kernels.city import IntArray
from ampelwerk.engine.kernels.plan_model import Model, no_model, time_grid
from ampelwerk.engine.strategies.rolling_horizon import DEFAULT
from tests.engine.synthetic_city import FLOW_VEH_S, LANES, STAGES

WEIGHTS = DEFAULT.weights


def grid() -> IntArray:
    """Moments of the default search."""
    room_s = np.zeros(WEIGHTS.horizon_s + 2, dtype=np.int64)
    return room_s[: time_grid(WEIGHTS, room_s)]


def random_model(stages: int, moments: IntArray, rng: np.random.Generator) -> Model:
    """Twelve lanes, some of them empty, platoons in the first seconds, mean rates beyond."""
    model = no_model(LANES, stages, len(moments))
    full = rng.uniform(0.0, 15.0, LANES) * rng.random()
    model.queue_veh[:LANES] = rng.poisson(full) * (rng.random(LANES) < 0.8)
    rate = rng.uniform(0.01, 0.2, LANES)
    for g, step_s in enumerate(np.diff(moments)):
        near = moments[g] < WEIGHTS.fine_s
        model.arriving_veh[g, :LANES] = rng.poisson(rate) if near else rate * step_s
    for p, lanes in enumerate(STAGES[:stages]):
        model.flow_veh_s[p, list(lanes)] = FLOW_VEH_S * rng.uniform(0.35, 1.1, len(lanes))
        opposed = rng.random(len(lanes)) < 0.3
        model.opposed_veh_s[p, list(lanes)] = 0.1 * FLOW_VEH_S
        everybody = sum(1 << lane for lane in lanes)
        for lane in np.array(lanes)[opposed]:
            model.foes[p, lane] = everybody & ~(1 << int(lane))
        blocked = rng.random(len(lanes)) < 0.1
        model.cap_veh[p, list(lanes)] = np.where(blocked, rng.uniform(1, 5, len(lanes)), 1e9)
    model.weight[:LANES] = 1.0
    model.drain_s[:LANES] = 1.0 / FLOW_VEH_S
    model.lost_s[:] = rng.integers(3, 8, (stages, stages))
    np.fill_diagonal(model.lost_s, 0.0)
    model.min_green_s[:] = rng.integers(5, 11, stages)
    model.allowed[:] = 1
    return model
