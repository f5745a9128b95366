"""What every strategy answers: which stage an intersection should show next, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A stage wanted by a strategy, with its reason."""

    intersection: int
    """Index into `Network.intersections`."""
    stage: int
    """Index into the intersection's stages."""
    reason: str
    """Why, in plain words."""
    runner_up: int | None = None
    """Stage that was next best."""
    gap: float = 0.0
    """By how much the chosen stage was better, in the strategy's own measure."""
    hold: bool = False
    """The stage is on its way; its greens that have not begun had better wait a little longer."""
    binding: str = ""
    """The rule or limit without which the choice would have been another; empty if none."""


class Strategy(Protocol):
    """Decides for all intersections of a network once per tick."""

    name: str
    """Name on the command line."""

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes that differ from what is shown; nothing for an intersection means: go on."""
        ...
