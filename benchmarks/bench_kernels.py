"""Time of the kernels on a real network, per call: `make bench`."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import pytest

from ampelwerk.engine.city import lay_out
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.strategies.max_pressure import MaxPressure
from ampelwerk.engine.strategies.priority_index import PriorityIndex
from ampelwerk.engine.strategies.rolling_horizon import RollingHorizon
from ampelwerk.engine.transition import all_red, compile_rules, step
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.network import Network
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.scenario import resolve


@pytest.fixture(scope="module")
def network() -> Network:
    return import_network(resolve("ingolstadt21"), SumoProfile())


@pytest.fixture(scope="module")
def engine(network: Network) -> tuple[Estimator, Signals]:
    """Queues on every lane, every signal free to decide."""
    size = len(network.intersections)
    estimator = Estimator(lay_out(network), 0.0, 1.0)
    estimator.traffic.queue_veh[:] = np.arange(len(estimator.traffic.queue_veh)) % 7
    signals = Signals(
        stage=np.zeros(size, dtype=np.int64),
        green=np.zeros(size, dtype=np.int64),
        since_s=np.zeros(size),
        decidable_s=np.zeros(size),
    )
    return estimator, signals


def frame(network: Network) -> DetectorFrame:
    """A vehicle enters every fifth loop."""
    loops = range(0, len(network.loops), 5)
    return DetectorFrame(
        time_s=1.0,
        loop=array("q", loops),
        at_s=array("d", [0.5] * len(loops)),
        on=array("q", [1] * len(loops)),
    )


def test_estimation(benchmark: Any, network: Network, engine: tuple[Estimator, Signals]) -> None:
    estimator, signals = engine
    benchmark(estimator.update, frame(network), signals)


def test_max_pressure(benchmark: Any, engine: tuple[Estimator, Signals]) -> None:
    estimator, signals = engine
    strategy = MaxPressure(estimator.city, estimator.traffic, signals, 1.0)
    benchmark(strategy.decide, 1.0)


def test_priority_index(benchmark: Any, engine: tuple[Estimator, Signals]) -> None:
    estimator, signals = engine
    strategy = PriorityIndex(estimator.city, estimator.traffic, signals)
    benchmark(strategy.decide, 1.0)


def test_rolling_horizon(benchmark: Any, engine: tuple[Estimator, Signals]) -> None:
    estimator, signals = engine
    strategy = RollingHorizon(estimator.city, estimator.traffic, signals)
    benchmark(strategy.decide, 1.0)


def test_transition(benchmark: Any, network: Network) -> None:
    rules = compile_rules(network.intersections[0].envelope, 10)
    state = all_red(rules)
    benchmark(step, rules, state, network.intersections[0].stages[0].mask)
