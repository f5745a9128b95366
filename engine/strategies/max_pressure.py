"""`max-pressure`: the stage with the greatest pressure of estimated queues."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ampelwerk.engine.kernels import decision
from ampelwerk.engine.kernels import max_pressure as kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Choice, Signals
from ampelwerk.engine.kernels.max_pressure import Parameters
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.strategies.strategy import Wish

_REASON = {
    decision.BY_INDEX: "greatest pressure",
    decision.BY_WALKERS: "pedestrians have been served",
}
DEFAULT = Parameters(green_s=15.0, start_up_s=1.0, keep_factor=1.1, wait_veh_s=1 / 30)


class MaxPressure:
    """Queues from loops, decided as soon as minimum green and intergreens allow."""

    name = "max-pressure"

    def __init__(
        self,
        city: City,
        traffic: Traffic,
        signals: Signals,
        step_s: float,
        parameters: Parameters = DEFAULT,
    ) -> None:
        self.city, self.traffic, self.signals = city, traffic, signals
        self.step_s, self.parameters = step_s, parameters
        size = len(signals.stage)
        self._waited = np.zeros(city.lanes)
        self._pressure = np.zeros(city.lanes)
        self._choice = Choice(
            stage=np.full(size, -1, dtype=np.int64),
            runner_up=np.full(size, -1, dtype=np.int64),
            gap=np.zeros(size),
            reason=np.zeros(size, dtype=np.int64),
        )

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes for the intersections whose stage should change."""
        choice = self._choice
        changes = kernel.choose(
            self.city,
            self.traffic,
            self.signals,
            self.parameters,
            now_s,
            self.step_s,
            self._waited,
            self._pressure,
            choice,
        )
        if not changes:
            return ()
        changed = np.flatnonzero((choice.stage >= 0) & (choice.stage != self.signals.stage))
        return [
            Wish(
                intersection=int(i),
                stage=int(choice.stage[i]),
                reason=_REASON[int(choice.reason[i])],
                runner_up=int(choice.runner_up[i]) if choice.runner_up[i] >= 0 else None,
                gap=float(choice.gap[i]),
            )
            for i in changed
        ]
