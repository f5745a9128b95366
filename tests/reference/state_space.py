"""Every state that a junction can reach, under every request and forced clearing."""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ampelwerk.engine.transition import Rules, State, all_red, compile_rules, just_red, step
from tests.reference import junctions
from tests.reference.transition_model import ModelRules

IntArray = npt.NDArray[np.int64]


class StateSpace(NamedTuple):
    """Reachable states; running times saturate at the largest constant of the rules."""

    rules: Rules
    longest: int
    """Largest constant. [ticks]"""
    states: list[State]
    successor: IntArray
    """(states, 2^n + 1) next state under each request, and under clearing in the last column."""

    def columns(self, numbers: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Aspects, ticks shown, ticks since green of some states, each (states, n)."""
        table = np.array(self.states, dtype=np.int64)[numbers]
        return table[:, 0], table[:, 1], table[:, 2]


def longest_time(rules: Rules) -> int:
    """Largest constant of the rules: beyond it, no running time makes a difference. [ticks]"""
    single = (rules.amber, rules.red_amber, rules.min_green, rules.min_red)
    return max(max(row) for row in (*single, *rules.intergreen))


def saturated(state: State, longest: int) -> State:
    """The state with its running times counted up to the largest constant only."""
    return State(
        state.aspect,
        tuple([min(longest, t) for t in state.shown]),
        tuple([min(longest, e) for e in state.ended]),
    )


def explore(rules: Rules) -> StateSpace:
    """Breadth first from all red since long ago, and from red with an unknown past."""
    longest = longest_time(rules)
    states = [saturated(all_red(rules), longest), just_red(rules)]
    number = {state: i for i, state in enumerate(states)}
    rows = []
    everything = (1 << rules.size) - 1
    for state in states:
        after = [step(rules, state, request) for request in range(everything + 1)]
        after.append(step(rules, state, everything, clear=True))
        row = []
        for raw in after:
            found = saturated(raw, longest)
            at = number.get(found)
            if at is None:
                at = number[found] = len(states)
                states.append(found)
            row.append(at)
        rows.append(row)
    return StateSpace(rules, longest, states, np.array(rows, dtype=np.int64))


@cache
def reference_space(name: str) -> StateSpace:
    """The explored state space of a reference junction, in ticks of one second."""
    return explore(compile_rules(getattr(junctions, name)(), 10))


def model_rules(rules: Rules, longest: int) -> ModelRules:
    """The rules in the words of the reference model."""
    size = range(rules.size)
    return ModelRules(
        amber=rules.amber,
        red_amber=rules.red_amber,
        min_green=rules.min_green,
        min_red=rules.min_red,
        conflict=[[j in rules.foes[i] for j in size] for i in size],
        intergreen=rules.intergreen,
        saturated=longest,
    )
