"""Envelopes and states as arrays, for the transition kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ampelwerk.engine.kernels.transition import IntArray, RuleArrays, StateArrays
from ampelwerk.engine.transition import Rules, State


def pack_rules(rules: Sequence[Rules]) -> RuleArrays:
    """Rules of many intersections, one after the other."""
    sizes = np.array([site.size for site in rules], dtype=np.int64)
    return RuleArrays(
        group_ptr=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        pair_ptr=np.concatenate(([0], np.cumsum(sizes**2)))[:-1].astype(np.int64),
        amber=_joined([site.amber for site in rules]),
        red_amber=_joined([site.red_amber for site in rules]),
        min_green=_joined([site.min_green for site in rules]),
        min_red=_joined([site.min_red for site in rules]),
        conflict=_joined(
            [[int(j in foes) for j in range(site.size)] for site in rules for foes in site.foes]
        ),
        intergreen=_joined([row for site in rules for row in site.intergreen]),
    )


def pack_states(states: Sequence[State]) -> StateArrays:
    """States of many intersections, one after the other."""
    return StateArrays(
        aspect=_joined([state.aspect for state in states]),
        shown=_joined([state.shown for state in states]),
        ended=_joined([state.ended for state in states]),
    )


def pack_requests(requested: Sequence[int]) -> IntArray:
    """Request masks; group 63 takes the sign bit."""
    return np.array(requested, dtype=np.uint64).view(np.int64)


def like(state: StateArrays) -> StateArrays:
    """Arrays for the next state."""
    return StateArrays(*(np.empty_like(times) for times in state))


def _joined(rows: Sequence[Sequence[int]]) -> IntArray:
    """Rows one after the other."""
    return np.array([value for row in rows for value in row], dtype=np.int64)
