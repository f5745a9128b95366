"""The interlock's transition table (safety concept, section 4), for any algebra.

One text, three uses: with plain truth values it is a slow reference, with arrays it checks every
edge of a state space at once, with z3's terms it is what the proof is about. It is written from the
table, not from the code; that the code gives the same successor is tested on every reachable state
of the reference junctions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

RED, RED_AMBER, GREEN, AMBER = range(4)

Term = Any
"""A truth value or number of the algebra."""


@dataclass(frozen=True)
class Algebra:
    """Connectives; comparison and addition are the terms' own operators."""

    both: Callable[..., Term]
    either: Callable[..., Term]
    negation: Callable[[Term], Term]
    choice: Callable[[Term, Term, Term], Term]


def _choose(condition: bool, then: Term, otherwise: Term) -> Term:
    return then if condition else otherwise


PLAIN = Algebra(
    both=lambda *terms: all(terms),
    either=lambda *terms: any(terms),
    negation=lambda term: not term,
    choice=_choose,
)


def _and(*terms: Term) -> Term:
    result = np.True_
    for term in terms:
        result = np.logical_and(result, term)
    return result


def _or(*terms: Term) -> Term:
    result = np.False_
    for term in terms:
        result = np.logical_or(result, term)
    return result


ARRAYS = Algebra(both=_and, either=_or, negation=np.logical_not, choice=np.where)


class ModelRules(NamedTuple):
    """Rules of n groups; the entries are terms."""

    amber: Sequence[Term]
    red_amber: Sequence[Term]
    min_green: Sequence[Term]
    min_red: Sequence[Term]
    conflict: Sequence[Sequence[Term]]
    intergreen: Sequence[Sequence[Term]]
    saturated: Term

    @property
    def size(self) -> int:
        return len(self.amber)


class ModelState(NamedTuple):
    """State of n groups; the entries are terms."""

    aspect: Sequence[Term]
    shown: Sequence[Term]
    ended: Sequence[Term]


def model_step(
    algebra: Algebra,
    rules: ModelRules,
    state: ModelState,
    requested: Sequence[Term],
    clear: Term,
    lost: Term,
) -> ModelState:
    """One call of the interlock; `lost` ticks by which the call is late earn nothing."""
    both, either, negation, choice = algebra.both, algebra.either, algebra.negation, algebra.choice
    groups = range(rules.size)
    # 1 endings
    rest = []
    for i in groups:
        now, shown = state.aspect[i], state.shown[i]
        unasked = both(negation(requested[i]), shown >= rules.min_green[i])
        green_ends = both(now == GREEN, either(clear, unasked))
        amber_ends = both(now == AMBER, shown >= rules.amber[i])
        withdrawn = both(now == RED_AMBER, clear)
        turns_green = both(now == RED_AMBER, shown >= rules.red_amber[i])
        aspect = choice(turns_green, GREEN, now)
        aspect = choice(either(amber_ends, withdrawn), RED, aspect)
        aspect = choice(green_ends, choice(rules.amber[i] > 0, AMBER, RED), aspect)
        rest.append(aspect)
    # 2 starts, in the order of the groups
    starts: list[Term] = []
    for i in groups:
        free = []
        for j in groups:
            if j != i:
                dark = rest[j] == RED
                first = negation(starts[j]) if j < i else True
                gap = state.ended[j] + rules.red_amber[i] >= rules.intergreen[j][i]
                free.append(either(negation(rules.conflict[j][i]), both(dark, first, gap)))
        ready = both(state.aspect[i] == RED, state.shown[i] >= rules.min_red[i])
        starts.append(both(requested[i], negation(clear), ready, *free))
    # 3 running times
    aspects, shown_after, ended_after = [], [], []
    for i in groups:
        lit = choice(rules.red_amber[i] > 0, RED_AMBER, GREEN)
        aspect = choice(starts[i], lit, rest[i])
        same = aspect == state.aspect[i]
        longer = choice(state.shown[i] < rules.saturated, state.shown[i] + 1, rules.saturated)
        further = choice(state.ended[i] < rules.saturated, state.ended[i] + 1, rules.saturated)
        aspects.append(aspect)
        shown_after.append(choice(same, longer, 1))
        ended_after.append(choice(aspect == GREEN, 0, further))
    return ModelState(aspects, shown_after, ended_after)
