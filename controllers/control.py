"""What stands behind local controllers: an estimator and a strategy, in this process or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm


class Control(Protocol):
    """Estimator and strategy behind the local controllers."""

    @property
    def alarms(self) -> Sequence[LoopAlarm]:
        """Loops found faulty or believed again, by time."""
        ...

    def observe(self, frame: DetectorFrame) -> None:
        """Take one tick's edges."""

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes that differ from what is shown."""
        ...
