"""The engine of a whole city: one tick takes detector edges and gives wishes, both as arrays.

The simulator and the service stand on the same parts, `Estimator` and `RollingHorizon`; this puts
them together for many intersections and several threads.
"""

from __future__ import annotations

import numpy as np

from ampelwerk.engine.crew import Crew
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.kernels.city import City, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import Choice, Signals
from ampelwerk.engine.strategies.rolling_horizon import Parameters, RollingHorizon
from ampelwerk.models.errors import InvalidInputError


def no_signals(size: int, now_s: float) -> Signals:
    """Every intersection shows its first stage since now and may decide."""
    return Signals(
        stage=np.zeros(size, dtype=np.int64),
        green=np.zeros(size, dtype=np.int64),
        since_s=np.full(size, now_s),
        decidable_s=np.full(size, now_s),
    )


class CityEngine:
    """Beliefs and decisions for all intersections of a city.

    The owner of the signals keeps `signals` up to date between ticks, in place.
    """

    def __init__(
        self,
        city: City,
        now_s: float,
        step_s: float,
        *,
        signals: Signals | None = None,
        parameters: Parameters | None = None,
        threads: int | None = None,
        pin: bool = False,
    ) -> None:
        self.city = city
        self.signals = signals or no_signals(len(city.lane_ptr) - 1, now_s)
        crew = Crew(threads, pin=pin)
        self.threads = crew.workers
        self.estimator = Estimator(city, now_s, step_s, crew=crew)
        self.strategy = RollingHorizon(city, self.estimator.traffic, self.signals, parameters, crew)

    def tick(self, loop: IntArray, at_s: FloatArray, on: IntArray, now_s: float) -> Choice:
        """One tick: take its edges, carry the beliefs on, decide.

        Parameters
        ----------
        loop, at_s, on : (N,) loop of each edge, its time [s], and 1 where a vehicle came onto it.
        now_s : end of the tick. [s]

        Returns
        -------
        Choice : arrays by intersection, overwritten by the next tick.

        Raises
        ------
        InvalidInputError : an edge of a loop that is not there; nothing was changed.
        """
        known = len(self.city.loop_role)
        if not len(loop) == len(at_s) == len(on):
            raise InvalidInputError(
                "edges need a loop, a time and a direction each",
                found=f"{len(loop)}, {len(at_s)} and {len(on)}",
            )
        if len(loop) and not 0 <= loop.min() <= loop.max() < known:
            raise InvalidInputError(
                "an edge names a loop that is not there",
                found=f"{loop.min()} to {loop.max()}",
                limit=f"0 to {known - 1}",
            )
        self.estimator.take(loop, at_s, on, now_s, self.signals)
        return self.strategy.choose(now_s)
