"""Rollouts play the same model as the plan search: they cannot be better than the best of all plans."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.engine.kernels.plan_model import Model, Weights, no_model
from ampelwerk.engine.kernels.plan_search import UNSET
from benchmarks.rollouts import Room, roll_out
from tests.engine.conftest import COMPILED
from tests.engine.test_plan_search import models
from tests.reference import plan_search as reference

HORIZON_S = 12
WEIGHTS = Weights(
    horizon_s=HORIZON_S, fine_s=HORIZON_S, coarse_s=1, start_up_s=1.0, red_s=2.0, stop_s=2.0
)


def cost_of(
    model: Model, horizon_s: int, present: int, stages: int, lanes: int
) -> dict[int, float]:
    """Cheapest trial by first decision."""
    room = Room(
        np.zeros(lanes), np.zeros(lanes), np.zeros((horizon_s + 1, lanes)), np.zeros(stages + 1)
    )
    roll_out(model, WEIGHTS, room, present, stages, lanes)
    found = {p: float(room.cost[p]) for p in range(stages) if room.cost[p] < UNSET}
    return {**found, reference.HOLD: float(room.cost[stages])}


@settings(max_examples=40 if COMPILED else 5)
@given(data=st.data())
def test_no_trial_is_below_the_best_of_all_sequences(data: st.DataObject) -> None:
    model, lanes, stages = data.draw(models(3, 3, HORIZON_S + 1))
    model.foes[:] = 0
    model.lost_s[:] = np.ceil(model.lost_s)
    model.min_green_s[:] = np.maximum(model.min_green_s, 3)
    present = data.draw(st.integers(0, stages - 1))
    grid_s = list(range(HORIZON_S + 1))
    best = reference.exhaustive(model, WEIGHTS, grid_s, present, stages, lanes)
    for decision, cost in cost_of(model, HORIZON_S, present, stages, lanes).items():
        assert cost >= best[decision] - 1e-9


def test_the_only_plan_costs_what_it_does_by_hand() -> None:
    model = no_model(1, 1, 5)
    model.queue_veh[0], model.weight[0], model.drain_s[0] = 3.0, 1.0, 2.0
    model.flow_veh_s[0, 0], model.cap_veh[0, 0] = 0.5, 1e9
    # Half a vehicle a second leaves: 2.5, 2, 1.5 and 1 stand; the last one drains in 2 s.
    assert cost_of(model, 4, 0, 1, 1) == {reference.HOLD: 2.5 + 2.0 + 1.5 + 1.0 + 1.0}
