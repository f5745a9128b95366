"""Every reachable state of the reference junctions, every request, and clearing from anywhere."""

import numpy as np
import pytest

from ampelwerk.engine.transition import GREEN, RED, step
from tests.reference.edge_oracle import asked, broken_rules
from tests.reference.state_space import StateSpace, reference_space, saturated

JUNCTIONS = ["three_groups", "four_groups", "with_crossings"]


@pytest.fixture(params=JUNCTIONS)
def space(request: pytest.FixtureRequest) -> StateSpace:
    return reference_space(request.param)


def test_state_spaces_have_the_known_size() -> None:
    sizes = {name: len(reference_space(name).states) for name in JUNCTIONS}
    assert sizes == {"three_groups": 119, "four_groups": 475, "with_crossings": 17_318}


def test_no_request_in_any_reachable_state_breaks_a_rule(space: StateSpace) -> None:
    count, size = len(space.states), space.rules.size
    before = space.columns(np.arange(count))
    for request in range(1 << size):
        after = space.columns(space.successor[:, request])
        wanted = asked(np.full(count, request), size)
        assert not broken_rules(space.rules, space.longest, before, after, wanted, False), request


def test_clearing_from_any_reachable_state_breaks_no_rule(space: StateSpace) -> None:
    count, size = len(space.states), space.rules.size
    before = space.columns(np.arange(count))
    after = space.columns(space.successor[:, -1])
    wanted = asked(np.full(count, (1 << size) - 1), size)
    assert not broken_rules(space.rules, space.longest, before, after, wanted, True)


def test_clearing_does_not_listen_to_requests(space: StateSpace) -> None:
    for number, state in enumerate(space.states):
        cleared = saturated(step(space.rules, state, 0, clear=True), space.longest)
        assert cleared == space.states[space.successor[number, -1]]


def test_clearing_is_done_after_the_longest_amber(space: StateSpace) -> None:
    state = np.arange(len(space.states))
    for _ in range(max(space.rules.amber) + 1):
        state = space.successor[state, -1]
    assert (space.columns(state)[0] == RED).all()


def test_every_group_asked_for_alone_is_green_within_a_bound(space: StateSpace) -> None:
    rules = space.rules
    for i in range(rules.size):
        last_green = max(
            rules.red_amber[j] + rules.min_green[j] + max(rules.amber[j], rules.intergreen[j][i])
            for j in rules.foes[i]
        )
        bound = max(last_green, rules.amber[i] + rules.min_red[i]) + rules.red_amber[i] + 1
        state = np.arange(len(space.states))
        for _ in range(bound):
            state = space.successor[state, 1 << i]
        assert (space.columns(state)[0][:, i] == GREEN).all()


def test_conflicting_groups_asked_for_together_do_not_block_each_other(space: StateSpace) -> None:
    """Asked for everything, some group is green or on its way soon, from anywhere."""
    rules = space.rules
    state = np.arange(len(space.states))
    for _ in range(2 * space.longest + max(rules.min_green) + max(rules.amber) + 2):
        state = space.successor[state, -2]
    assert (space.columns(state)[0] == GREEN).any(axis=1).all()
