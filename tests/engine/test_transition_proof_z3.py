"""Induction over one step, for every junction of up to 16 groups at once."""

import pytest
import z3

from tests.reference.transition_model import AMBER, GREEN, RED, RED_AMBER, model_step
from tests.reference.transition_proof import Question, broken_rules


@pytest.mark.parametrize("size", range(2, 17))
def test_one_step_keeps_every_rule_for_any_junction_of(size: int) -> None:
    assert broken_rules(model_step, size) == {}


@pytest.mark.parametrize("aspect", [RED, GREEN])
@pytest.mark.parametrize("past", ["known", "unknown"])
def test_induction_begins_in_all_red_and_not_in_all_green(aspect: int, past: str) -> None:
    question = Question(model_step, 3)
    state, saturated = question.state, question.rules.saturated
    time = saturated if past == "known" else 0
    solver = z3.Solver()
    for i in question.groups:
        single = (row[i] for row in question.rules[:4])
        gaps = (question.rules.intergreen[i][j] for j in question.groups)
        solver.add(*(z3.And(term >= 0, term <= saturated) for term in (*single, *gaps)))
        solver.add(state.aspect[i] == aspect, state.shown[i] == time, state.ended[i] == time)
        solver.add(question.real_shown[i] >= time, question.real_ended[i] >= time)
    solver.add(saturated >= 1)
    invariant = question.invariant(state, question.real_shown, question.real_ended)
    solver.add(z3.Not(z3.And(*(term for _, term in invariant))))
    assert solver.check() == (z3.unsat if aspect == RED else z3.sat)


SWITCHES = [
    (RED, RED_AMBER), (RED, GREEN), (RED_AMBER, GREEN), (RED_AMBER, RED),
    (GREEN, AMBER), (GREEN, RED), (AMBER, RED),
]  # fmt: skip


@pytest.mark.parametrize(("was", "now"), SWITCHES)
def test_the_assumptions_leave_room_for_every_switch(was: int, now: int) -> None:
    """An induction over contradictory assumptions would prove anything."""
    question = Question(model_step, 4)
    solver = z3.Solver()
    solver.add(*question.assumptions())
    solver.add(question.rules.conflict[0][1], question.rules.conflict[0][2])
    solver.add(question.rules.intergreen[1][0] > 2, question.rules.intergreen[2][0] > 1)
    solver.add(question.state.aspect[0] == was, question.after.aspect[0] == now)
    assert solver.check() == z3.sat
