"""The proven model, the Python step and the Numba twin give one successor, state by state."""

import random

import numpy as np
import pytest
import z3

from ampelwerk.engine.kernels.transition import StateArrays
from ampelwerk.engine.kernels.transition import step as bulk_step
from ampelwerk.engine.transition import (
    GREEN,
    RED,
    SATURATED,
    Rules,
    State,
    all_red,
    compile_rules,
    step,
    unchanged,
)
from ampelwerk.engine.transition_arrays import like, pack_requests, pack_rules, pack_states
from tests.reference import junctions
from tests.reference.edge_oracle import asked
from tests.reference.state_space import StateSpace, model_rules, reference_space, saturated
from tests.reference.transition_model import ARRAYS, PLAIN, ModelState, model_step
from tests.reference.transition_proof import SYMBOLIC

JUNCTIONS = ["three_groups", "four_groups", "with_crossings"]


@pytest.fixture(params=JUNCTIONS)
def space(request: pytest.FixtureRequest) -> StateSpace:
    return reference_space(request.param)


def test_model_and_code_agree_on_every_reachable_state(space: StateSpace) -> None:
    count, size = len(space.states), space.rules.size
    rules = model_rules(space.rules, space.longest)
    before = ModelState(*(list(column.T) for column in space.columns(np.arange(count))))
    for request in range((1 << size) + 1):
        clear = request == 1 << size
        wanted = asked(np.full(count, request), size).T
        after = model_step(ARRAYS, rules, before, list(wanted), np.full(count, clear), 3)
        for model, code in zip(after, space.columns(space.successor[:, request]), strict=True):
            np.testing.assert_array_equal(np.array(model).T, code)


def test_numba_twin_and_code_agree_on_every_reachable_state(space: StateSpace) -> None:
    count, size = len(space.states), space.rules.size
    rules, states = pack_rules([space.rules] * count), pack_states(space.states)
    out = like(states)
    for request in range((1 << size) + 1):
        clear = np.full(count, request == 1 << size, dtype=np.int64)
        bulk_step(rules, states, np.full(count, request), clear, out)
        aspect, shown, ended = space.columns(space.successor[:, request])
        np.testing.assert_array_equal(out.aspect.reshape(count, size), aspect)
        for twin, code in ((out.shown, shown), (out.ended, ended)):
            np.testing.assert_array_equal(
                np.minimum(twin, space.longest).reshape(count, size), code
            )


def test_skipped_ticks_are_counted_as_if_stepped_through(space: StateSpace) -> None:
    settled = 0
    for number, state in enumerate(space.states):
        if not set(state.aspect) <= {RED, GREEN}:
            continue
        request = sum(1 << i for i, aspect in enumerate(state.aspect) if aspect == GREEN)
        stepped = number
        for ticks in range(1, space.longest + 2):
            stepped = int(space.successor[stepped, request])
            skipped = saturated(unchanged(state, ticks), space.longest)
            assert skipped == space.states[stepped]
        settled += 1
    assert settled > len(space.states) // 20


def test_z3_and_plain_truth_values_read_the_model_alike() -> None:
    """The very terms that are proven, evaluated on numbers."""
    space = reference_space("three_groups")
    rules = model_rules(space.rules, space.longest)
    terms = rules._replace(
        conflict=[[z3.BoolVal(foe) for foe in row] for row in rules.conflict],
        **{
            name: [z3.IntVal(time) for time in getattr(rules, name)]
            for name in ("amber", "red_amber", "min_green", "min_red")
        },
        intergreen=[[z3.IntVal(time) for time in row] for row in rules.intergreen],
        saturated=z3.IntVal(space.longest),
    )
    for number in range(0, len(space.states), 3):
        state = space.states[number]
        numbers = ModelState(*([z3.IntVal(value) for value in row] for row in state))
        for request in (0, 3, 5, 7, 8):
            clear = request == 8
            wanted = [bool(request >> i & 1) for i in range(3)]
            plain = model_step(PLAIN, rules, ModelState(*state), wanted, clear, 2)
            symbolic = model_step(
                SYMBOLIC,
                terms,
                numbers,
                [z3.BoolVal(asks) for asks in wanted],
                z3.BoolVal(clear),
                z3.IntVal(2),
            )
            values = [[z3.simplify(term).as_long() for term in row] for row in symbolic]
            assert values == [list(row) for row in plain]
            assert space.states[space.successor[number, request]] == State(*map(tuple, plain))


def test_intersections_of_different_size_do_not_touch_each_other() -> None:
    """Random walks of a small city, the twin against one Python step for each intersection."""
    dice = random.Random(20)
    city: list[Rules] = [
        compile_rules(build(), tick_ds)
        for build in (junctions.with_crossings, junctions.three_groups, junctions.four_groups)
        for tick_ds in (1, 5, 10)
    ]
    states = [all_red(rules) for rules in city]
    rules, arrays = pack_rules(city), pack_states(states)
    for _ in range(300):
        requests = [dice.getrandbits(site.size) for site in city]
        clear = [dice.random() < 0.05 for _ in city]
        out = like(arrays)
        flags = np.array(clear, dtype=np.int64)
        bulk_step(rules, arrays, pack_requests(requests), flags, out)
        states = [step(*args) for args in zip(city, states, requests, clear, strict=True)]
        for twin, code in zip(out, pack_states(states), strict=True):
            np.testing.assert_array_equal(twin, code)
        arrays = StateArrays(*out)


def test_group_63_is_reached_by_the_sign_bit() -> None:
    wide = compile_rules(junctions.envelope_of([(1, 1, 0, 1)] * 64, {}), 10)
    state, out = pack_states([all_red(wide)]), like(pack_states([all_red(wide)]))
    no_clearing = np.zeros(1, dtype=np.int64)
    bulk_step(pack_rules([wide]), state, pack_requests([1 << 63]), no_clearing, out)
    after = step(wide, all_red(wide), 1 << 63)
    assert tuple(out.aspect) == after.aspect
    assert out.aspect[63] and not out.aspect[:63].any()
    assert max(after.shown) == SATURATED
