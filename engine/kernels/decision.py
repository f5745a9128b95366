"""What strategies are told about the signals, and what they decide."""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City, FloatArray, IntArray


class Signals(NamedTuple):
    """What the signals of all intersections show; I intersections."""

    stage: IntArray
    """(I,) stage requested, counted within the intersection."""
    green: IntArray
    """(I,) bit mask of the green groups."""
    since_s: FloatArray
    """(I,) moment at which the stage was shown in full. [s]"""
    decidable_s: FloatArray
    """(I,) moment from which another stage may be asked for: no intergreen runs and every
    minimum green has passed; far in the future during a transition. [s]"""


class Choice(NamedTuple):
    """Decisions; I intersections."""

    stage: IntArray
    """(I,) stage chosen, -1 where nothing was decided."""
    runner_up: IntArray
    """(I,) next best stage, -1 without."""
    gap: FloatArray
    """(I,) by how much the chosen stage was better than the runner-up, in the strategy's measure."""
    reason: IntArray
    """(I,) BY_INDEX and so on."""
    hold: IntArray
    """(I,) 1 where the greens of a running transition had better not begin yet."""
    binding: IntArray
    """(I,) rule without which the choice would, or might, have been another; `UNBOUND` if none."""


BY_INDEX, BY_SUPERVISOR, BY_REST, BY_WALKERS, BY_PLAN, BY_CLEARED, BY_LINK = range(7)
"""Why a stage was chosen."""
NOT_SHOWN_S = 1.0e15
"""During a transition the next decision is later than this. [s]"""
UNBOUND, MIN_GREEN, WAIT_LIMIT, EXIT_FULL, HEAD_BLOCKED, CLEARANCE, LINK_FULL = range(7)
"""What bound the choice."""


@kernel
def in_transition(signals: Signals, i: int) -> bool:
    """The stage requested at intersection i is not yet shown in full."""
    return bool(signals.decidable_s[i] > NOT_SHOWN_S)


@kernel
def release_walkers(city: City, present: int, i: int, out: Choice) -> bool:
    """End the pedestrians' green as soon as it may, if vehicles can go on without them.

    They have long to clear; ended early, that time passes while vehicles still run.
    """
    without = city.without_walkers[city.stage_ptr[i] + present]
    if without < 0:
        return False
    out.stage[i], out.runner_up[i] = without, present
    out.gap[i], out.reason[i], out.binding[i] = 0.0, BY_WALKERS, CLEARANCE
    return True


@kernel
def binding_rule(signals: Signals, i: int, now_s: float, step_s: float) -> int:
    """Minimum green, if this is the first moment at which another stage may be asked for."""
    return MIN_GREEN if now_s - signals.decidable_s[i] < step_s else UNBOUND


@kernel
def transition_s(city: City, signals: Signals, i: int, p: int, now_s: float) -> float:
    """Time from leaving the present stage of intersection i to stage p in full. [s]

    Pedestrians who were let go before the present stage may still be clearing.
    """
    first_stage, block = city.stage_ptr[i], city.transition_ptr[i]
    stages, present = city.stage_ptr[i + 1] - first_stage, signals.stage[i]
    longest_s = city.transition_s[block + present * stages + p]
    for q in range(stages):
        if city.without_walkers[first_stage + q] == present and q != p:
            running_s = city.transition_s[block + q * stages + p] - (now_s - signals.since_s[i])
            longest_s = max(longest_s, running_s)
    return float(longest_s)
