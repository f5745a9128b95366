"""`rolling-horizon`: plans the next minute every second, and carries out its first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ampelwerk.engine.crew import SOLO, Crew
from ampelwerk.engine.kernels import decision, plan_model
from ampelwerk.engine.kernels import rolling_horizon as kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Choice, Signals
from ampelwerk.engine.kernels.plan_model import Weights
from ampelwerk.engine.kernels.rolling_horizon import Margins
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.engine.strategies.wishes import no_choice, wishes_of


class Parameters(NamedTuple):
    """Tuned on cologne1 and grid4x4; explained at `Weights` and `Margins`."""

    horizon_s: int
    fine_s: int
    coarse_s: int
    start_up_s: float
    red_s: float
    stop_s: float
    keep_veh_s: float
    keep_share: float
    wait_s: float

    @property
    def weights(self) -> Weights:
        """Those of the search."""
        return Weights(*(getattr(self, name) for name in Weights._fields))

    @property
    def margins(self) -> Margins:
        """Those of the decision."""
        return Margins(*(getattr(self, name) for name in Margins._fields))


DEFAULT = Parameters(
    horizon_s=30,
    fine_s=12,
    coarse_s=3,
    start_up_s=1.0,
    red_s=2.0,
    stop_s=2.0,
    keep_veh_s=0.5,
    keep_share=0.01,
    wait_s=90.0,
)
REASON = {
    decision.BY_PLAN: "the best plan switches now",
    decision.BY_LINK: "a short link is emptied before it is full",
    decision.BY_SUPERVISOR: "a lane has waited too long",
    decision.BY_WALKERS: "pedestrians have been served",
}
"""Codes of `Choice.reason` in words."""


class RollingHorizon:
    """The best plan of the next minute, made anew every tick."""

    name = "rolling-horizon"

    def __init__(
        self,
        city: City,
        traffic: Traffic,
        signals: Signals,
        parameters: Parameters | None = None,
        crew: Crew = SOLO,
    ) -> None:
        p = parameters or DEFAULT
        self.city, self.traffic, self.signals = city, traffic, signals
        self._weights, self._margins = p.weights, p.margins
        size = len(signals.stage)
        lanes = int(np.diff(city.lane_ptr).max(initial=1))
        stages = int(np.diff(city.stage_ptr).max(initial=1))
        room_s = np.zeros(p.horizon_s + 2, dtype=np.int64)
        self._grid_s = room_s[: plan_model.time_grid(self._weights, room_s)]
        self._scratch = [
            kernel.no_scratch(lanes, stages, len(self._grid_s), p.horizon_s)
            for _ in range(crew.workers)
        ]
        self._choice = no_choice(size)
        self._crew = crew

    def choose(self, now_s: float) -> Choice:
        """What is best at every intersection that may change; overwritten by the next call."""
        city, traffic, signals, choice = self.city, self.traffic, self.signals, self._choice
        weights, margins, grid_s = self._weights, self._margins, self._grid_s
        scratch = self._scratch

        def choose(first: int, last: int, worker: int) -> None:
            kernel.choose(
                city, traffic, signals, weights, margins, grid_s, now_s, scratch[worker], choice,
                first, last,
            )  # fmt: skip

        self._crew.share(choose, len(choice.stage))
        return choice

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes for the intersections whose stage should change."""
        return wishes_of(self.choose(now_s), self.signals, REASON)
