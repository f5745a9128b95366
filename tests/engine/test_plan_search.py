"""The plan search against a slow one written from its definition, and facts that always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.engine.kernels.plan_model import Model, Weights, no_layout, no_model, time_grid
from ampelwerk.engine.kernels.plan_search import UNSET, no_labels, search
from tests.engine.conftest import COMPILED
from tests.reference import plan_search as reference

EXAMPLES = 150 if COMPILED else 15
"""Without compilation the search is as slow as the reference."""


@st.composite
def models(
    draw: st.DrawFn, most_lanes: int, most_stages: int, moments: int
) -> tuple[Model, int, int]:
    """Any model: the search may not rely on what a street would look like."""
    lanes, stages = draw(st.integers(1, most_lanes)), draw(st.integers(1, most_stages))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    model = no_model(lanes, stages, moments)
    shape = (stages, lanes)
    model.queue_veh[:lanes] = rng.integers(0, 20, lanes) * rng.integers(0, 2, lanes)
    model.arriving_veh[:, :lanes] = rng.poisson(rng.choice([0.05, 0.3, 1.0]), (moments, lanes))
    model.flow_veh_s[:, :lanes] = rng.uniform(0.1, 1.0, shape) * (rng.random(shape) < 0.5)
    model.opposed_veh_s[:, :lanes] = model.flow_veh_s[:, :lanes] * rng.uniform(0.0, 1.1, shape)
    model.foes[:, :lanes] = rng.integers(0, 2**lanes, shape) * rng.integers(0, 2, shape)
    model.cap_veh[:, :lanes] = np.where(rng.random(shape) < 0.8, 1e9, rng.uniform(0, 6, shape))
    model.weight[:lanes] = rng.choice([1.0, 10.0], lanes)
    model.drain_s[:lanes] = rng.uniform(1.0, 4.0, lanes)
    model.lost_s[:] = np.round(rng.uniform(0, 9, (stages, stages)), 1)
    np.fill_diagonal(model.lost_s, 0.0)
    model.min_green_s[:] = rng.integers(1, 10, stages)
    model.allowed[:] = rng.random(stages) < 0.9
    return model, lanes, stages


def grid(weights: Weights) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    room_s = np.zeros(weights.horizon_s + 2, dtype=np.int64)
    return room_s[: time_grid(weights, room_s)]


def found(
    model: Model, weights: Weights, present: int, stages: int, lanes: int
) -> dict[int, float]:
    """What the kernel finds, by first decision."""
    grid_s = grid(weights)
    labels = no_labels(lanes, stages, len(grid_s))
    layout = no_layout(lanes, stages, len(grid_s), weights.horizon_s)
    search(model, weights, layout, labels, grid_s, present, stages, lanes)
    best = {p: float(labels.best[p]) for p in range(stages) if labels.best[p] < UNSET}
    if labels.best[stages] < UNSET:
        best[reference.HOLD] = float(labels.best[stages])
    return best


@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_search_finds_what_the_definition_says(data: st.DataObject) -> None:
    weights = Weights(
        horizon_s=data.draw(st.integers(5, 30)),
        fine_s=data.draw(st.integers(1, 10)),
        coarse_s=data.draw(st.integers(1, 4)),
        start_up_s=data.draw(st.sampled_from([0.0, 1.0, 1.7])),
        red_s=data.draw(st.sampled_from([0.0, 2.0])),
        stop_s=data.draw(st.sampled_from([0.0, 2.0])),
    )
    grid_s = grid(weights)
    model, lanes, stages = data.draw(models(9, 4, len(grid_s)))
    present = data.draw(st.integers(0, stages - 1))
    slow = reference.search(model, weights, [int(s) for s in grid_s], present, stages, lanes)
    fast = found(model, weights, present, stages, lanes)
    assert fast.keys() == slow.keys()
    for decision, cost in slow.items():
        assert fast[decision] == pytest.approx(cost, rel=1e-9, abs=1e-9)


@settings(max_examples=EXAMPLES // 3)
@given(data=st.data())
def test_search_is_never_below_the_best_of_all_sequences(data: st.DataObject) -> None:
    weights = Weights(horizon_s=12, fine_s=12, coarse_s=1, start_up_s=1.0, red_s=2.0, stop_s=2.0)
    grid_s = grid(weights)
    model, lanes, stages = data.draw(models(3, 3, len(grid_s)))
    model.min_green_s[:] = np.maximum(model.min_green_s, 3)
    present = data.draw(st.integers(0, stages - 1))
    best = reference.exhaustive(model, weights, [int(s) for s in grid_s], present, stages, lanes)
    fast = found(model, weights, present, stages, lanes)
    for decision, cost in fast.items():
        assert cost >= best[decision] - 1e-9


def test_only_plan_is_found_exactly() -> None:
    weights = Weights(horizon_s=4, fine_s=4, coarse_s=1, start_up_s=0.0, red_s=2.0, stop_s=2.0)
    model = no_model(1, 1, 5)
    model.queue_veh[0], model.weight[0], model.drain_s[0] = 3.0, 1.0, 2.0
    model.flow_veh_s[0, 0], model.cap_veh[0, 0] = 0.5, 1e9
    # Half a vehicle a second leaves: 2.5, 2, 1.5 and 1 stand; the last one drains in 2 s.
    assert found(model, weights, 0, 1, 1) == {reference.HOLD: 2.5 + 2.0 + 1.5 + 1.0 + 1.0}
