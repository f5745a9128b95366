"""Where most loops are lost or all silent no strategy knows enough: the fixed plan is followed."""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.engine.kernels.city import IntArray
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.strategies.strategy import Strategy, Wish
from ampelwerk.models.network import Network
from ampelwerk.models.plan_schedule import StageSchedule

REASON = "most loops are lost or all silent: fixed plan"


class PlanWhereBlind:
    """A strategy, except at blind intersections: there the plan's stage is wished, second by second.

    Parameters
    ----------
    strategy : decides everywhere else.
    blind : (I,) 1 where most loops are lost or all silent; kept up to date by `kernels.health`.
    """

    def __init__(
        self, strategy: Strategy, network: Network, signals: Signals, blind: IntArray
    ) -> None:
        self.name = strategy.name
        self._strategy = strategy
        self.schedules: list[StageSchedule] = [site.schedule for site in network.intersections]
        """Plan of each intersection; whoever gives one another plan puts it here."""
        self._signals, self._blind = signals, blind

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes for the intersections whose stage should change."""
        wishes = self._strategy.decide(now_s)
        if not self._blind.any():
            return wishes
        now_ds = round(now_s * 10)
        chosen = [wish for wish in wishes if not self._blind[wish.intersection]]
        for i in self._blind.nonzero()[0].tolist():
            stage = self.schedules[i].stage_at(now_ds)
            if stage != self._signals.stage[i]:
                chosen.append(Wish(intersection=i, stage=stage, reason=REASON))
        return chosen
