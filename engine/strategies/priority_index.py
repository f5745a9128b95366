"""`priority-index`: the stage that serves most vehicles per second of commitment comes next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ampelwerk.engine.kernels import decision
from ampelwerk.engine.kernels import priority_index as kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.priority_index import Parameters
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.engine.strategies.wishes import no_choice, wishes_of

DEFAULT = Parameters(
    horizon_s=40,
    start_up_s=1.0,
    min_service_s=5,
    keep_factor=1.3,
    cleared_veh=1.0,
    look_s=5,
    wait_s=90.0,
)
_REASON = {
    decision.BY_INDEX: "serves most per second",
    decision.BY_SUPERVISOR: "a lane has waited too long",
    decision.BY_REST: "nobody waits elsewhere",
    decision.BY_CLEARED: "the queue has cleared and enough wait elsewhere",
    decision.BY_WALKERS: "pedestrians have been served",
}


class PriorityIndex:
    """Strategy B of the design: an index per stage, a supervisor against starvation."""

    name = "priority-index"

    def __init__(
        self, city: City, traffic: Traffic, signals: Signals, parameters: Parameters = DEFAULT
    ) -> None:
        self.city, self.traffic, self.signals, self.parameters = city, traffic, signals, parameters
        size = len(signals.stage)
        lanes = int(np.diff(city.lane_ptr).max(initial=1))
        longest_s = int(city.transition_s.max(initial=0.0) + parameters.start_up_s) + 2
        self._scratch_veh = np.zeros((lanes + 1, parameters.horizon_s + longest_s))
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
            self._scratch_veh,
            choice,
        )
        if not changes:
            return ()
        return wishes_of(choice, self.signals, _REASON)
