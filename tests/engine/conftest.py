"""A small real network laid out for the engine, and a hand to put vehicles over its loops."""

from __future__ import annotations

import os
from array import array

import numpy as np
import pytest

from ampelwerk.engine.city import lay_out
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.network import Network
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
"""Kernels are machine code in this run, not Python."""


class Street:
    """Plays vehicles over loops, second by second, at the signals of a network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        size = len(network.intersections)
        self.signals = Signals(
            stage=np.zeros(size, dtype=np.int64),
            green=np.zeros(size, dtype=np.int64),
            since_s=np.zeros(size),
            decidable_s=np.zeros(size),
        )
        self.city = lay_out(network)
        self.health = LoopHealth(self.city, 0.0, tuple(LoopRole))
        self.estimator = Estimator(self.city, 0.0, 1.0, self.health)
        self.now_s = 0.0

    def show(self, stage: int) -> None:
        """Every signal shows this stage of its own in full."""
        for i, site in enumerate(self.network.intersections):
            self.signals.stage[i] = stage
            self.signals.green[i] = site.stages[stage].mask
            self.signals.since_s[i], self.signals.decidable_s[i] = self.now_s, self.now_s

    def second(self, *edges: tuple[int, float, int]) -> None:
        """One second with edges (loop, seconds into it, 1 rising or 0 falling)."""
        frame = DetectorFrame(
            time_s=self.now_s + 1.0,
            loop=array("q", [loop for loop, _, _ in edges]),
            at_s=array("d", [self.now_s + at_s for _, at_s, _ in edges]),
            on=array("q", [on for _, _, on in edges]),
        )
        self.now_s += 1.0
        self.hear(frame)

    def hear(self, frame: DetectorFrame) -> None:
        """What the loops report goes to the estimator."""
        self.estimator.update(frame, self.signals)

    def wait(self, seconds: int) -> None:
        """Nothing passes a loop."""
        for _ in range(seconds):
            self.second()

    def pass_over(self, loop: int) -> None:
        """A vehicle crosses a loop within a second."""
        self.second((loop, 0.2, 1), (loop, 0.5, 0))

    def queue(self, lane: int) -> float:
        """Estimated queue of a stop-line lane. [veh]"""
        return float(self.estimator.traffic.queue_veh[lane])


@pytest.fixture
def street(small: SmallScenario) -> Street:
    scenario = resolve(str(small.net), routes=[small.routes])
    return Street(import_network(scenario, SumoProfile()))
