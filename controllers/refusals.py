"""Why a request is not served yet, rule by rule, and from which tick on it can be.

A refusal is information, never a fault: a request that cannot be met waits, and a controller that
tripped on requests could be switched off with a single packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ampelwerk.engine.transition import AMBER, GREEN, RED, RED_AMBER, Rules, State


class Rule(StrEnum):
    """Rules of the interlock, by name."""

    SEQUENCE = "SEQUENCE"
    CONFLICT = "CONFLICT"
    INTERGREEN = "INTERGREEN"
    MIN_GREEN = "MIN_GREEN"
    MIN_RED = "MIN_RED"
    REQUEST = "REQUEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason why a group does not do what is asked."""

    rule: Rule
    """The rule that stands against it."""
    group: int | None
    """Group that waits; None if the request as a whole was not understood."""
    against: int | None = None
    """Conflicting group it waits for, if it waits for one."""
    earliest_tick: int | None = None
    """First tick at which this reason is gone if the request stays as it is; None for never."""


def refusals_of(rules: Rules, state: State, requested: int, tick: int) -> tuple[Refusal, ...]:
    """Every reason why `requested` is not shown.

    Parameters
    ----------
    tick : number of the next tick.
    """
    found: list[Refusal] = []
    for i in range(rules.size):
        aspect, shown = state.aspect[i], state.shown[i]
        if requested >> i & 1:
            if aspect == AMBER:
                red = tick + rules.amber[i] - shown
                earliest = red + max(1, rules.min_red[i])
                found.append(Refusal(rule=Rule.SEQUENCE, group=i, earliest_tick=earliest))
            elif aspect == RED and shown < rules.min_red[i]:
                earliest = tick + rules.min_red[i] - shown
                found.append(Refusal(rule=Rule.MIN_RED, group=i, earliest_tick=earliest))
            if aspect in (RED, AMBER):
                found.extend(_foes_against(rules, state, requested, tick, i))
        elif aspect == GREEN and shown < rules.min_green[i]:
            earliest = tick + rules.min_green[i] - shown
            found.append(Refusal(rule=Rule.MIN_GREEN, group=i, earliest_tick=earliest))
    return tuple(found)


def _foes_against(rules: Rules, state: State, requested: int, tick: int, i: int) -> list[Refusal]:
    """Conflicting groups that group i has to wait for."""
    found = []
    lead = rules.red_amber[i]
    for j in rules.foes[i]:
        aspect, shown = state.aspect[j], state.shown[j]
        gap = rules.intergreen[j][i] - lead
        if requested >> j & 1 and (aspect != RED or j < i):
            found.append(Refusal(rule=Rule.CONFLICT, group=i, against=j))
        elif aspect in (GREEN, RED_AMBER):
            end = tick + max(0, rules.min_green[j] - shown)
            if aspect == RED_AMBER:
                end = tick + rules.red_amber[j] - shown + max(1, rules.min_green[j])
            earliest = end + max(rules.amber[j], gap)
            found.append(Refusal(rule=Rule.CONFLICT, group=i, against=j, earliest_tick=earliest))
        elif aspect == AMBER and gap - state.ended[j] <= rules.amber[j] - shown:
            earliest = tick + rules.amber[j] - shown
            if earliest > tick:
                found.append(
                    Refusal(rule=Rule.CONFLICT, group=i, against=j, earliest_tick=earliest)
                )
        elif state.ended[j] < gap:
            earliest = tick + gap - state.ended[j]
            found.append(Refusal(rule=Rule.INTERGREEN, group=i, against=j, earliest_tick=earliest))
    return found
