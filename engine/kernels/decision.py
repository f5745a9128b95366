"""What strategies are told about the signals, and what they decide."""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.engine.kernels.city import FloatArray, IntArray


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
    """(I,) index of the chosen stage minus that of the runner-up. [veh/s]"""
    reason: IntArray
    """(I,) BY_INDEX, BY_SUPERVISOR or BY_REST."""
