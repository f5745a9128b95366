"""From a kernel's choices to wishes in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ampelwerk.engine.kernels import decision
from ampelwerk.engine.kernels.decision import Choice, Signals
from ampelwerk.engine.strategies.strategy import Wish

BINDING = {
    decision.UNBOUND: "",
    decision.MIN_GREEN: "minimum green: no earlier change was allowed",
    decision.WAIT_LIMIT: "longest wait of a lane",
    decision.EXIT_FULL: "a full exit keeps back a lane of another stage",
    decision.HEAD_BLOCKED: "a first vehicle that did not move at green",
    decision.LINK_FULL: "one more vehicle might not fit into the short link ahead",
    decision.CLEARANCE: "pedestrians clear while vehicles still run",
}
"""Codes of `Choice.binding` in words."""

HOLD = "greens waited for vehicles late in leaving the junction"
"""Binding on a transition that was held."""


def no_choice(size: int) -> Choice:
    """Room for the decisions of so many intersections."""
    return Choice(
        stage=np.full(size, -1, dtype=np.int64),
        runner_up=np.full(size, -1, dtype=np.int64),
        gap=np.zeros(size),
        reason=np.zeros(size, dtype=np.int64),
        hold=np.zeros(size, dtype=np.int64),
        binding=np.zeros(size, dtype=np.int64),
    )


def wishes_of(choice: Choice, signals: Signals, reasons: Mapping[int, str]) -> list[Wish]:
    """Wishes for the intersections whose stage should change, or whose next greens should wait.

    Parameters
    ----------
    reasons : codes of `Choice.reason` in words.
    """
    wishes = []
    for i in np.flatnonzero((choice.stage >= 0) & (choice.stage != signals.stage)).tolist():
        runner_up = choice.runner_up.item(i)
        wishes.append(
            Wish(
                intersection=i,
                stage=choice.stage.item(i),
                reason=reasons[choice.reason.item(i)],
                runner_up=runner_up if runner_up >= 0 else None,
                gap=choice.gap.item(i),
                binding=BINDING[choice.binding.item(i)],
            )
        )
    for i in np.flatnonzero(choice.hold).tolist():
        stage = signals.stage.item(i)
        wishes.append(Wish(intersection=i, stage=stage, reason="", hold=True, binding=HOLD))
    return wishes
