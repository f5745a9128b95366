"""One-step induction with z3 over the transition table (safety concept, section 5).

Everything is symbolic: which groups conflict, every time, the state, the request, a forced
clearing, and how late the call comes. Two clocks are told apart: the counters of the state, and the
real time that has passed since, of which the interlock knows only that a call is at least one tick
after the one before. A counter may never run ahead of real time, whatever the clock claims.
"""

from collections.abc import Callable, Iterator
from typing import Any

import z3

from tests.reference.transition_model import (
    AMBER,
    GREEN,
    RED,
    RED_AMBER,
    Algebra,
    ModelRules,
    ModelState,
    Term,
)

Step = Callable[..., ModelState]

SYMBOLIC = Algebra(both=z3.And, either=z3.Or, negation=z3.Not, choice=z3.If)


class Question:
    """Symbols, assumptions and obligations for junctions of one size."""

    def __init__(self, step: Step, size: int) -> None:
        self.size = size
        self.groups = range(size)
        self.rules = self._any_rules()
        self.state = ModelState(
            [z3.Int(f"aspect{i}") for i in self.groups],
            [z3.Int(f"shown{i}") for i in self.groups],
            [z3.Int(f"ended{i}") for i in self.groups],
        )
        self.requested = [z3.Bool(f"requested{i}") for i in self.groups]
        self.clear = z3.Bool("clear")
        self.lost = z3.Int("lost")
        self.passes = z3.Int("passes")
        """Real time from this call to the next. [ticks]"""
        self.real_shown = [z3.Int(f"real_shown{i}") for i in self.groups]
        self.real_ended = [z3.Int(f"real_ended{i}") for i in self.groups]
        self.after = step(SYMBOLIC, self.rules, self.state, self.requested, self.clear, self.lost)

    def _any_rules(self) -> ModelRules:
        def times(name: str) -> list[Term]:
            return [z3.Int(f"{name}{i}") for i in self.groups]

        conflict = [[z3.BoolVal(False)] * self.size for _ in self.groups]
        for i in self.groups:
            for j in range(i):
                conflict[i][j] = conflict[j][i] = z3.Bool(f"conflict{j}_{i}")
        return ModelRules(
            amber=times("amber"),
            red_amber=times("red_amber"),
            min_green=times("min_green"),
            min_red=times("min_red"),
            conflict=conflict,
            intergreen=[[z3.Int(f"intergreen{i}_{j}") for j in self.groups] for i in self.groups],
            saturated=z3.Int("saturated"),
        )

    def assumptions(self) -> Iterator[Term]:
        """Legal envelopes, and what induction may assume."""
        rules = self.rules
        single = (rules.amber, rules.red_amber, rules.min_green, rules.min_red)
        times = [time for row in (*single, *rules.intergreen) for time in row]
        yield z3.And(rules.saturated >= 1, self.lost >= 0, self.passes >= 1)
        yield from (z3.And(time >= 0, time <= rules.saturated) for time in times)
        yield from (term for _, term in self.invariant(self.state, *self._real()))

    def _real(self) -> tuple[list[Term], list[Term]]:
        return self.real_shown, self.real_ended

    def invariant(
        self, state: ModelState, real_shown: list[Term], real_ended: list[Term]
    ) -> Iterator[tuple[str, Term]]:
        """What holds in every reachable state."""
        rules = self.rules
        for i in self.groups:
            aspect, shown, ended = state.aspect[i], state.shown[i], state.ended[i]
            yield "STATE", z3.And(aspect >= RED, aspect <= AMBER)
            yield "STATE", z3.And(shown >= 0, shown <= rules.saturated)
            yield "STATE", z3.And(ended >= 0, ended <= rules.saturated)
            yield "TIME", real_shown[i] >= shown
            yield "TIME", real_ended[i] >= ended
            yield "AMBER", z3.Implies(aspect == AMBER, z3.And(shown >= 1, shown <= rules.amber[i]))
            yield (
                "RED_AMBER",
                z3.Implies(aspect == RED_AMBER, z3.And(shown >= 1, shown <= rules.red_amber[i])),
            )
            yield "INTERGREEN", z3.Implies(aspect == GREEN, ended == 0)
            for j in self.groups:
                if j == i:
                    continue
                due = state.ended[j] + rules.red_amber[i] >= rules.intergreen[j][i] + shown
                yield (
                    "INTERGREEN",
                    z3.Implies(z3.And(aspect == RED_AMBER, rules.conflict[i][j]), due),
                )
                if j < i:
                    one_red = z3.Or(aspect == RED, state.aspect[j] == RED)
                    yield "CONFLICT", z3.Implies(rules.conflict[i][j], one_red)

    def obligations(self) -> Iterator[tuple[str, Term]]:
        """The invariant one tick on, and every rule for this very switch."""
        state, after = self.state, self.after
        real_shown, real_ended = [], []
        for i in self.groups:
            same = after.aspect[i] == state.aspect[i]
            real_shown.append(z3.If(same, self.real_shown[i] + self.passes, self.passes))
            since = z3.If(state.aspect[i] == GREEN, 0, self.real_ended[i])
            real_ended.append(z3.If(after.aspect[i] == GREEN, 0, since + self.passes))
        yield from self.invariant(after, real_shown, real_ended)
        for i in self.groups:
            yield from self._switch(i)

    def _switch(self, i: int) -> Iterator[tuple[str, Term]]:
        """Rules for one group's switch."""
        rules, state, clear, wanted = self.rules, self.state, self.clear, self.requested[i]
        was, now = state.aspect[i], self.after.aspect[i]
        shown, real = state.shown[i], self.real_shown[i]
        amber, red_amber = rules.amber[i], rules.red_amber[i]
        legal = z3.Or(
            was == now,
            z3.And(was == RED, now == RED_AMBER, red_amber > 0),
            z3.And(was == RED, now == GREEN, red_amber == 0),
            z3.And(was == RED_AMBER, now == GREEN),
            z3.And(was == RED_AMBER, now == RED, clear),
            z3.And(was == GREEN, now == AMBER, amber > 0),
            z3.And(was == GREEN, now == RED, amber == 0),
            z3.And(was == AMBER, now == RED),
        )
        leaves = [z3.And(was == aspect, now != aspect) for aspect in range(4)]
        enters_green = z3.And(was != GREEN, now == GREEN)
        yield "SEQUENCE", legal
        yield "MIN_GREEN", z3.Implies(leaves[GREEN], z3.Or(clear, real >= rules.min_green[i]))
        yield "MIN_RED", z3.Implies(leaves[RED], real >= rules.min_red[i])
        yield "AMBER", z3.Implies(leaves[AMBER], z3.And(shown == amber, real >= amber))
        exact = z3.And(shown == red_amber, real >= red_amber)
        yield "RED_AMBER", z3.Implies(z3.And(leaves[RED_AMBER], enters_green), exact)
        yield "REQUEST", z3.Implies(z3.Or(leaves[RED], z3.And(was == GREEN, now == GREEN)), ~clear)
        yield "REQUEST", z3.Implies(leaves[RED], wanted)
        yield "REQUEST", z3.Implies(z3.And(leaves[GREEN], wanted), clear)
        yield "REQUEST", z3.Implies(clear, z3.And(now != GREEN, now != RED_AMBER))
        kept = z3.And(was == now, shown < rules.saturated)
        yield "TIME", z3.Implies(kept, self.after.shown[i] == shown + 1)
        counts = z3.And(now != GREEN, state.ended[i] < rules.saturated)
        yield "TIME", z3.Implies(counts, self.after.ended[i] == state.ended[i] + 1)
        yield "PROGRESS", z3.Implies(z3.And(was == GREEN, now == GREEN), self._may_stay(i))
        yield "PROGRESS", z3.Implies(self._must_start(i), now != RED)
        for j in self.groups:
            if j != i:
                since = z3.If(state.aspect[j] == GREEN, 0, self.real_ended[j])
                yield (
                    "INTERGREEN",
                    z3.Implies(
                        z3.And(enters_green, rules.conflict[i][j]),
                        since >= rules.intergreen[j][i],
                    ),
                )

    def _may_stay(self, i: int) -> Term:
        """A green that is asked for, or whose minimum still runs."""
        return z3.Or(self.requested[i], self.state.shown[i] < self.rules.min_green[i])

    def _must_start(self, i: int) -> Term:
        """Asked for, nothing asked for or lit against it, and every time has run."""
        rules, state = self.rules, self.state
        free = [
            z3.Implies(
                rules.conflict[j][i],
                z3.And(
                    self.after.aspect[j] == RED,
                    z3.Not(self.requested[j]),
                    state.ended[j] + rules.red_amber[i] >= rules.intergreen[j][i],
                ),
            )
            for j in self.groups
            if j != i
        ]
        ready = z3.And(state.aspect[i] == RED, state.shown[i] >= rules.min_red[i])
        return z3.And(self.requested[i], z3.Not(self.clear), ready, *free)


def broken_rules(step: Step, size: int) -> dict[str, Any]:
    """Rules that one step can break, each with a counterexample; empty when all are proven."""
    question = Question(step, size)
    solver = z3.Solver()
    solver.add(*question.assumptions())
    by_rule: dict[str, list[Term]] = {}
    for rule, term in question.obligations():
        by_rule.setdefault(rule, []).append(term)
    broken = {}
    for rule, terms in by_rule.items():
        solver.push()
        solver.add(z3.Not(z3.And(*terms)))
        answer = solver.check()
        assert answer != z3.unknown, (rule, size, solver.reason_unknown())
        if answer == z3.sat:
            broken[rule] = solver.model()
        solver.pop()
    return broken


def differs(one: Step, other: Step, size: int) -> bool:
    """Whether two step functions can differ in a state that satisfies the invariant."""
    first, second = Question(one, size), Question(other, size)
    solver = z3.Solver()
    solver.add(*first.assumptions())
    solver.add(
        z3.Or(
            *(
                a != b
                for rows in zip(first.after, second.after, strict=True)
                for a, b in zip(*rows, strict=True)
            )
        )
    )
    answer = solver.check()
    assert answer != z3.unknown
    return bool(answer == z3.sat)
