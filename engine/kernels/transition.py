"""The transition function over arrays: one tick of many intersections at once.

The same table as `engine.transition.step`, group by group and in the same order, for bulk runs in
which no interlock object is wanted. That both give the same successor is tested on every state of
the reference junctions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ampelwerk.engine._jit import kernel

IntArray = npt.NDArray[np.int64]

RED, RED_AMBER, GREEN, AMBER = range(4)
"""Aspects, numbered as in `models.envelope.Aspect`."""
SATURATED = 1_000_000
"""Ticks beyond which running times are no longer counted, as in `engine.transition`."""


class RuleArrays(NamedTuple):
    """Envelopes in ticks; I intersections with G groups in all, P ordered pairs of groups."""

    group_ptr: IntArray
    """(I + 1,) first group of each intersection."""
    pair_ptr: IntArray
    """(I,) start of the intersection's (n, n) block in `conflict` and `intergreen`."""
    amber: IntArray
    """(G,) exact amber. [ticks]"""
    red_amber: IntArray
    """(G,) exact red-amber. [ticks]"""
    min_green: IntArray
    """(G,) minimum green. [ticks]"""
    min_red: IntArray
    """(G,) minimum red. [ticks]"""
    conflict: IntArray
    """(P,) 1 where the groups of row and column conflict."""
    intergreen: IntArray
    """(P,) end of green of row to start of green of column. [ticks]"""


class StateArrays(NamedTuple):
    """What all groups show, and for how long."""

    aspect: IntArray
    """(G,) aspects."""
    shown: IntArray
    """(G,) ticks each aspect has been shown, saturating."""
    ended: IntArray
    """(G,) ticks since the end of the last green, 0 at green, saturating."""


@kernel
def step(
    rules: RuleArrays, state: StateArrays, requested: IntArray, clear: IntArray, out: StateArrays
) -> None:
    """The state of every intersection one tick on.

    Parameters
    ----------
    requested : (I,) bit masks of the groups that shall be green, group i at bit i.
    clear : (I,) 1 to bring everything to red at once.
    out : the next state; not the same arrays as `state`.
    """
    for site in range(len(requested)):
        first, end = rules.group_ptr[site], rules.group_ptr[site + 1]
        for i in range(first, end):
            out.aspect[i] = _after_ending(
                rules, state, i, (requested[site] >> (i - first)) & 1, clear[site]
            )
        if not clear[site]:
            for i in range(first, end):
                if (requested[site] >> (i - first)) & 1 and _may_start(rules, state, site, i, out):
                    out.aspect[i] = RED_AMBER if rules.red_amber[i] > 0 else GREEN
        for i in range(first, end):
            same = out.aspect[i] == state.aspect[i]
            out.shown[i] = min(state.shown[i] + 1, SATURATED) if same else 1
            out.ended[i] = 0 if out.aspect[i] == GREEN else min(state.ended[i] + 1, SATURATED)


@kernel
def _after_ending(rules: RuleArrays, state: StateArrays, i: int, requested: int, clear: int) -> int:
    """Aspect of a group after its green, amber or red-amber may have ended."""
    now, shown = state.aspect[i], state.shown[i]
    if now == GREEN and (clear or (not requested and shown >= rules.min_green[i])):
        return AMBER if rules.amber[i] > 0 else RED
    if now == AMBER and shown >= rules.amber[i]:
        return RED
    if now == RED_AMBER:
        if clear:
            return RED
        if shown >= rules.red_amber[i]:
            return GREEN
    return int(now)


@kernel
def _may_start(rules: RuleArrays, state: StateArrays, site: int, i: int, out: StateArrays) -> bool:
    """A red group whose minimum has run, no foe lit, and every intergreen passed at green."""
    if state.aspect[i] != RED or state.shown[i] < rules.min_red[i]:
        return False
    first, end = rules.group_ptr[site], rules.group_ptr[site + 1]
    size = end - first
    for j in range(first, end):
        pair = rules.pair_ptr[site] + (j - first) * size + i - first
        if rules.conflict[pair] and (
            out.aspect[j] != RED or state.ended[j] + rules.red_amber[i] < rules.intergreen[pair]
        ):
            return False
    return True
