"""`fixed`: no wishes at all, so every local controller executes its own plan."""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.engine.strategies.strategy import Wish


class Fixed:
    """The scenario's program, offsets honoured, through our controller and interlock."""

    name = "fixed"

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Nothing: the plan goes on."""
        return ()
