"""The proof and the search must notice: small faults in the transition table, one at a time.

Each mutant is the text of the reference model with one place changed. The proof asks whether some
step from a state of the invariant breaks a rule, the search whether a reachable state of a small
junction does. A mutant that both let pass must be proven to be no mutant at all.
"""

import inspect
import types
from typing import NamedTuple

import numpy as np
import pytest

from ampelwerk.engine.transition import compile_rules
from tests.reference import edge_oracle, junctions, transition_model
from tests.reference.state_space import longest_time, model_rules
from tests.reference.transition_model import ARRAYS, ModelState
from tests.reference.transition_proof import Step, broken_rules, differs


class Mutant(NamedTuple):
    """One changed place."""

    name: str
    old: str
    new: str


GAP = "gap = state.ended[j] + rules.red_amber[i] >= rules.intergreen[j][i]"
FREE = "free.append(either(negation(rules.conflict[j][i]), both(dark, first, gap)))"
STARTS = "starts.append(both(requested[i], negation(clear), ready, *free))"
READY = "ready = both(state.aspect[i] == RED, state.shown[i] >= rules.min_red[i])"
UNASKED = "unasked = both(negation(requested[i]), shown >= rules.min_green[i])"
ENDED = "ended_after.append(choice(aspect == GREEN, 0, further))"
AMBER_ENDS = "amber_ends = both(now == AMBER, shown >= rules.amber[i])"
TURNS_GREEN = "turns_green = both(now == RED_AMBER, shown >= rules.red_amber[i])"

MUTANTS = [
    Mutant("intergreen transposed", "rules.intergreen[j][i]", "rules.intergreen[i][j]"),
    Mutant("intergreen one short", GAP, GAP + " - 1"),
    Mutant("intergreen one long", GAP, GAP.replace(">=", ">")),
    Mutant("intergreen ignored", "both(dark, first, gap)", "both(dark, first)"),
    Mutant("red-amber counted twice", "+ rules.red_amber[i] >=", "+ 2 * rules.red_amber[i] >="),
    Mutant("red-amber of the foe", "+ rules.red_amber[i] >=", "+ rules.red_amber[j] >="),
    Mutant("intergreen from red", "state.ended[j] +", "state.shown[j] +"),
    Mutant("no arbitration", "both(dark, first, gap)", "both(dark, gap)"),
    Mutant("lit foe ignored", "both(dark, first, gap)", "both(first, gap)"),
    Mutant("amber foe counts as red", "dark = rest[j] == RED", "dark = rest[j] != GREEN"),
    Mutant("foe looked at before it ends", "dark = rest[j]", "dark = state.aspect[j]"),
    Mutant("one free foe is enough", FREE + "\n", FREE + "\n        free = [either(*free, False)]\n"),
    Mutant("only earlier foes", "if j != i:", "if j < i:"),
    Mutant("only later foes", "if j != i:", "if j > i:"),
    Mutant("start while clearing", STARTS, STARTS.replace("negation(clear), ", "")),
    Mutant("start without request", STARTS, STARTS.replace("requested[i], ", "")),
    Mutant("min red ignored", READY, "ready = state.aspect[i] == RED"),
    Mutant("min red one short", READY, READY.replace("shown[i] >=", "shown[i] + 1 >=")),
    Mutant("amber cut off by the next request", READY, READY.replace("state.aspect[i] == RED", "either(state.aspect[i] == RED, state.aspect[i] == AMBER)")),
    Mutant("min green ignored", UNASKED, "unasked = negation(requested[i])"),
    Mutant("min green one short", UNASKED, UNASKED.replace("shown >=", "shown + 1 >=")),
    Mutant("green never ends", UNASKED, "unasked = False"),
    Mutant("green ends though asked for", UNASKED, "unasked = shown >= rules.min_green[i]"),
    Mutant("clearing ignored by greens", "either(clear, unasked)", "unasked"),
    Mutant("clearing ignored by red-amber", "either(amber_ends, withdrawn)", "amber_ends"),
    Mutant("amber skipped", "choice(rules.amber[i] > 0, AMBER, RED)", "RED"),
    Mutant("amber of no length shown", "choice(rules.amber[i] > 0, AMBER, RED)", "AMBER"),
    Mutant("amber one short", "shown >= rules.amber[i])", "shown + 1 >= rules.amber[i])"),
    Mutant("amber one long", "shown >= rules.amber[i])", "shown > rules.amber[i])"),
    Mutant("amber ends in clearing", AMBER_ENDS, AMBER_ENDS.replace("shown >= rules.amber[i]", "either(clear, shown >= rules.amber[i])")),
    Mutant("red-amber skipped", "choice(rules.red_amber[i] > 0, RED_AMBER, GREEN)", "GREEN"),
    Mutant("red-amber one short", TURNS_GREEN, TURNS_GREEN.replace("shown >=", "shown + 1 >=")),
    Mutant("red-amber one long", TURNS_GREEN, TURNS_GREEN.replace("shown >=", "shown >")),
    Mutant("red-amber falls back to red", "turns_green, GREEN, now", "turns_green, RED, now"),
    Mutant("credit for lost ticks, shown", "state.shown[i] + 1,", "state.shown[i] + 1 + lost,"),
    Mutant("credit for lost ticks, ended", "state.ended[i] + 1,", "state.ended[i] + 1 + lost,"),
    Mutant("time shown not begun anew", "choice(same, longer, 1)", "longer"),
    Mutant("time shown begun at two", "choice(same, longer, 1)", "choice(same, longer, 2)"),
    Mutant("green end forgotten", ENDED, "ended_after.append(further)"),
    Mutant("end of green counted from amber's end", ENDED, ENDED.replace("aspect == GREEN", "either(aspect == GREEN, aspect == AMBER)")),
    Mutant("running time wraps", "state.ended[i] + 1, rules.saturated", "state.ended[i] + 1, 0"),
    Mutant("state and request swapped", "both(negation(requested[i]), shown", "both(requested[i], shown"),
    # No mutants: they must be proven to change nothing.
    Mutant("equivalent: red-amber withdrawn before it may turn", TURNS_GREEN, TURNS_GREEN.replace("both(", "both(negation(clear), ")),
    Mutant("equivalent: start tests the aspect after the endings too", READY, READY.replace("both(", "both(rest[i] == RED, ")),
    Mutant("equivalent: amber ends exactly, not at least", "shown >= rules.amber[i])", "shown == rules.amber[i])"),
]  # fmt: skip
EQUIVALENT = [mutant for mutant in MUTANTS if mutant.name.startswith("equivalent")]
FAULTY = [mutant for mutant in MUTANTS if mutant not in EQUIVALENT]


def mutated(mutant: Mutant) -> Step:
    """The model's step with one place changed."""
    source = inspect.getsource(transition_model.model_step)
    assert source.count(mutant.old) == 1, mutant.name
    module = types.ModuleType("mutant")
    module.__dict__.update(vars(transition_model))
    exec(source.replace(mutant.old, mutant.new), module.__dict__)  # noqa: S102 (our own text)
    step: Step = module.__dict__["model_step"]
    return step


def found_by_search(step: Step) -> set[str]:
    """Rules broken in states the mutant reaches, breadth first, at most 20 000 states."""
    rules = compile_rules(junctions.three_groups(), 10)
    longest = longest_time(rules)
    model = model_rules(rules, longest)
    size = rules.size
    seen: set[bytes] = set()
    broken: set[str] = set()
    frontier = np.array([[[0] * size, [longest] * size, [longest] * size]], dtype=np.int64)
    while len(frontier) and len(seen) < 20_000:
        count, found = len(frontier), []
        before = (frontier[:, 0], frontier[:, 1], frontier[:, 2])
        terms = ModelState(*(list(column.T) for column in before))
        for request in range((1 << size) + 1):
            clear = request == 1 << size
            wanted = edge_oracle.asked(np.full(count, -1 if clear else request), size)
            for lost in (0, 2):
                after = step(
                    ARRAYS, model, terms, list(wanted.T), np.full(count, clear), np.int64(lost)
                )
                columns = tuple(
                    np.array([np.broadcast_to(term, count) for term in row]).T for row in after
                )
                aspect, shown, ended = (np.asarray(c, dtype=np.int64) for c in columns)
                broken |= set(
                    edge_oracle.broken_rules(
                        rules, longest, before, (aspect, shown, ended), wanted, clear
                    )
                )
                found.append(np.stack((aspect, shown, ended), axis=1))
        unique = np.unique(np.concatenate(found), axis=0)
        fresh = [state for state in unique if state.tobytes() not in seen]
        seen |= {state.tobytes() for state in fresh}
        frontier = np.array(fresh, dtype=np.int64).reshape(-1, 3, size)
    return broken


def test_search_finds_nothing_in_the_model_itself() -> None:
    assert found_by_search(transition_model.model_step) == set()


def test_names_are_unique_and_there_are_enough_mutants() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len(FAULTY) >= 20


@pytest.mark.parametrize("mutant", FAULTY, ids=lambda mutant: mutant.name)
def test_proof_refutes(mutant: Mutant) -> None:
    assert broken_rules(mutated(mutant), 3)


@pytest.mark.parametrize("mutant", FAULTY, ids=lambda mutant: mutant.name)
def test_search_refutes(mutant: Mutant) -> None:
    assert found_by_search(mutated(mutant))


@pytest.mark.parametrize("mutant", EQUIVALENT, ids=lambda mutant: mutant.name)
def test_mutant_is_proven_to_change_nothing(mutant: Mutant) -> None:
    step = mutated(mutant)
    assert not broken_rules(step, 3)
    assert not differs(transition_model.model_step, step, 3)
