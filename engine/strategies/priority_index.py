"""`priority-index`: the stage that serves most vehicles per second of commitment comes next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ampelwerk.engine.kernels import decision
from ampelwerk.engine.kernels import priority_index as kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Choice, Signals
from ampelwerk.engine.kernels.priority_index import Parameters
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.strategies.strategy import Wish

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
            self._scratch_veh,
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
