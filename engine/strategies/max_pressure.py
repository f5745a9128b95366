"""`max-pressure`: the stage with the greatest pressure of estimated queues."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ampelwerk.engine.kernels import decision
from ampelwerk.engine.kernels import max_pressure as kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.max_pressure import Parameters
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.engine.strategies.wishes import no_choice, wishes_of
from ampelwerk.models.detection import DetectorFrame

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
        self._choice = no_choice(size)

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
        return wishes_of(choice, self.signals, _REASON) if changes else ()

    def tick(self, frame: DetectorFrame) -> Sequence[Wish]:
        """Estimation with every loop believed, and `decide`, in one go."""
        choice = self._choice
        changes = kernel.tick(
            self.city,
            self.traffic,
            self.signals,
            self.parameters,
            np.asarray(frame.loop, dtype=np.int64),
            np.asarray(frame.at_s, dtype=np.float64),
            np.asarray(frame.on, dtype=np.int64),
            frame.time_s,
            self.step_s,
            self._waited,
            self._pressure,
            choice,
        )
        return wishes_of(choice, self.signals, _REASON) if changes else ()
