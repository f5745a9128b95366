"""The interlock's transition function: which aspects follow from a request, one tick on.

Pure integer Python without clock or I/O; the interlock, the verification and the proofs all use
this one table. The rules, by name: SEQUENCE (red, red-amber, green, amber, red), CONFLICT (of a
conflicting pair at most one is not red), INTERGREEN (from the end of green of one to the start of
green of the other, however long ago it ended), MIN_GREEN, MIN_RED, and AMBER and RED_AMBER exact.
A request that cannot be met yet waits; nothing unsafe follows from any request.
"""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.models.envelope import Aspect, Envelope

RED, RED_AMBER, GREEN, AMBER = (
    int(a) for a in (Aspect.RED, Aspect.RED_AMBER, Aspect.GREEN, Aspect.AMBER)
)

SATURATED = 1_000_000
"""Ticks beyond which running times are no longer counted; longer than any rule asks for."""


class Rules(NamedTuple):
    """An envelope in ticks; n signal groups."""

    size: int
    """Number of signal groups."""
    amber: tuple[int, ...]
    """(n,) exact amber. [ticks]"""
    red_amber: tuple[int, ...]
    """(n,) exact red-amber. [ticks]"""
    min_green: tuple[int, ...]
    """(n,) minimum green. [ticks]"""
    min_red: tuple[int, ...]
    """(n,) minimum red. [ticks]"""
    foes: tuple[tuple[int, ...], ...]
    """(n,) conflicting groups of each group."""
    intergreen: tuple[tuple[int, ...], ...]
    """(n, n) end of green of row to start of green of column, 0 without conflict. [ticks]"""


class State(NamedTuple):
    """What the groups show, and for how long."""

    aspect: tuple[int, ...]
    """(n,) aspects."""
    shown: tuple[int, ...]
    """(n,) ticks each aspect has been shown, saturating."""
    ended: tuple[int, ...]
    """(n,) ticks since the end of the last green, 0 at green, saturating."""


def compile_rules(envelope: Envelope, tick_ds: int) -> Rules:
    """Rules of an envelope for a tick length; times are rounded up to whole ticks."""
    size = envelope.size

    def ticks(time_ds: int) -> int:
        return -(-time_ds // tick_ds)

    return Rules(
        size=size,
        amber=tuple(ticks(group.amber_ds) for group in envelope.groups),
        red_amber=tuple(ticks(group.red_amber_ds) for group in envelope.groups),
        min_green=tuple(ticks(group.min_green_ds) for group in envelope.groups),
        min_red=tuple(ticks(group.min_red_ds) for group in envelope.groups),
        foes=tuple(tuple(j for j in range(size) if envelope.conflict[i][j]) for i in range(size)),
        intergreen=tuple(
            tuple(ticks(gap_ds or 0) for gap_ds in row) for row in envelope.intergreen_ds
        ),
    )


def all_red(rules: Rules) -> State:
    """Every group red since long ago."""
    return State((RED,) * rules.size, (SATURATED,) * rules.size, (SATURATED,) * rules.size)


def just_red(rules: Rules) -> State:
    """Every group red from now on, the past unknown: all running times begin."""
    return State((RED,) * rules.size, (0,) * rules.size, (0,) * rules.size)


def unchanged(state: State, ticks: int) -> State:
    """The state after some ticks in which no aspect changed."""
    return State(
        state.aspect,
        tuple([min(t + ticks, SATURATED) for t in state.shown]),
        tuple(
            [
                0 if aspect == GREEN else min(e + ticks, SATURATED)
                for aspect, e in zip(state.aspect, state.ended, strict=True)
            ]
        ),
    )


def step(rules: Rules, state: State, requested: int, clear: bool = False) -> State:
    """The state one tick on.

    Parameters
    ----------
    requested : bit mask of the groups that shall be green, group i at bit i.
    clear : bring everything to red at once; minimum green is waived and red-amber withdrawn,
        amber is kept.
    """
    before, shown = state.aspect, state.shown
    aspect = list(before)
    waiting: list[int] = []
    for i, now in enumerate(before):
        if now == RED:
            if requested >> i & 1 and not clear:
                waiting.append(i)
        elif now == GREEN:
            if clear or (not requested >> i & 1 and shown[i] >= rules.min_green[i]):
                aspect[i] = AMBER if rules.amber[i] else RED
        elif now == AMBER:
            if shown[i] >= rules.amber[i]:
                aspect[i] = RED
        elif clear:
            aspect[i] = RED
        elif shown[i] >= rules.red_amber[i]:
            aspect[i] = GREEN
    for i in waiting:
        if shown[i] >= rules.min_red[i] and _may_start(rules, state, aspect, i):
            aspect[i] = RED_AMBER if rules.red_amber[i] else GREEN
    return State(
        tuple(aspect),
        tuple(
            [
                1 if now != then else t + 1 if t < SATURATED else SATURATED
                for now, then, t in zip(aspect, before, shown, strict=True)
            ]
        ),
        tuple(
            [
                0 if now == GREEN else e + 1 if e < SATURATED else SATURATED
                for now, e in zip(aspect, state.ended, strict=True)
            ]
        ),
    )


def _may_start(rules: Rules, state: State, aspect: list[int], i: int) -> bool:
    """No conflicting group is lit or starts in this tick, and every intergreen will have passed."""
    lead = rules.red_amber[i]
    for j in rules.foes[i]:
        if aspect[j] != RED or state.ended[j] + lead < rules.intergreen[j][i]:
            return False
    return True
