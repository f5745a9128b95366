"""What stands behind the local controllers: the engine in this process, or a server elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ampelwerk.controllers.arbiter import Arbiter
from ampelwerk.controllers.control import Control
from ampelwerk.controllers.frame_border import FrameBorder
from ampelwerk.controllers.local import LocalController
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm

if TYPE_CHECKING:  # a database comes with it
    from ampelwerk.sim.desk import Desk

WISH_VALID_DS = 600
"""A wish lapses unless renewed within a minute. [ds]"""
RENEW_EVERY_DS = 300
"""All wishes are renewed at half their validity. [ds]"""


class Link(Protocol):
    """Carries what loops see and lamps show to a control, and its wishes to local controllers."""

    @property
    def border(self) -> FrameBorder:
        """The frame border that detector data pass."""
        ...

    @property
    def alarms(self) -> Sequence[LoopAlarm]:
        """Loops found faulty or believed again, by time."""
        ...

    @property
    def desk(self) -> Desk | None:
        """Desk of the control room, if it stands behind the link."""
        ...

    def exchange(self, frame: DetectorFrame | None, now_ds: int) -> Sequence[Wish]:
        """One tick: the frame goes up, what is wished reaches the local controllers.

        Parameters
        ----------
        frame : one tick's edges; None if the control looks at no loop.
        """
        ...

    def report(self, changed: Sequence[int], now_ds: int) -> None:
        """End of the tick: these local controllers show something else, or may do so again."""


class InProcess:
    """The control is called directly.

    Parameters
    ----------
    controllers, signals : local controllers, and the arrays in which the control sees them.
    actors : gives who is asked for stages, by intersection.
    loops : number of loops in the network.
    begin_s : begin of the simulation. [s]
    decide_s : wall-clock time of each decision is noted here. [s]
    """

    def __init__(
        self,
        control: Control,
        controllers: Sequence[LocalController],
        actors: Callable[[], Sequence[LocalController | Arbiter]],
        signals: Signals,
        *,
        loops: int,
        begin_s: float,
        decide_s: list[float],
    ) -> None:
        self.control = control
        """Estimator and strategy."""
        self._controllers, self._signals = controllers, signals
        self._actors = actors
        self._decide_s = decide_s
        self._renewed_ds = round(begin_s * 10)
        self.border = FrameBorder(loops)

    @property
    def alarms(self) -> Sequence[LoopAlarm]:
        """Loops found faulty or believed again, by time."""
        return self.control.alarms

    @property
    def desk(self) -> Desk | None:
        """None stands behind it."""
        return None

    def exchange(self, frame: DetectorFrame | None, now_ds: int) -> Sequence[Wish]:
        """Observe, decide, ask the local controllers."""
        now_s, actors = now_ds / 10, self._actors()
        if frame is not None:
            self.control.observe(self.border.passed(frame, now_s))
        started = perf_counter()
        wishes = self.control.decide(now_s)
        self._decide_s.append(perf_counter() - started)
        until_ds = now_ds + WISH_VALID_DS
        for wish in wishes:
            actor = actors[wish.intersection]
            if wish.hold:
                actor.hold()
            else:
                actor.want(wish.stage, until_ds)
        if now_ds - self._renewed_ds >= RENEW_EVERY_DS:
            self._renewed_ds = now_ds
            for actor in actors:
                if not actor.on_plan:
                    actor.renew(until_ds)
        return wishes

    def report(self, changed: Sequence[int], now_ds: int) -> None:
        """Put what is shown into the engine's arrays."""
        for i in changed:
            publish(self._controllers[i], self._signals, i)


def publish(controller: LocalController, signals: Signals, i: int) -> None:
    """What one controller shows, for the engine's arrays."""
    signals.stage[i] = controller.stage
    signals.green[i] = np.uint64(controller.green_mask).view(np.int64)
    signals.since_s[i] = controller.since_ds / 10
    signals.decidable_s[i] = controller.decidable_from_ds / 10
