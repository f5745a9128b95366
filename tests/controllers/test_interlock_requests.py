"""Requests: what cannot be met waits, with reasons; what cannot be understood is none."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ampelwerk.controllers.interlock import Interlock
from ampelwerk.controllers.refusals import Refusal, Rule
from ampelwerk.engine.transition import all_red, compile_rules, step
from ampelwerk.models.envelope import Aspect, Envelope
from tests.reference.envelopes import envelopes
from tests.reference.junctions import four_groups

RED, RED_AMBER, GREEN, AMBER = Aspect
FIRST_ROAD, SECOND_ROAD = 0b0011, 0b1100


def played(envelope: Envelope, masks: list[int], tick_ds: int = 10) -> tuple[Interlock, int]:
    """An interlock after some requests, and the time."""
    lamps, now_ds = Interlock.running(envelope, tick_ds), 0
    for mask in masks:
        now_ds += tick_ds
        lamps.tick(mask & ((1 << envelope.size) - 1), now_ds)
    return lamps, now_ds


@pytest.mark.parametrize("request_", [-1, 1 << 4, 1 << 64, True, 3.0, None, "3", [3], {}])
def test_a_malformed_request_is_no_request(request_: Any) -> None:
    lamps, now_ds = played(four_groups(), [FIRST_ROAD] * 10)
    lamps.tick(request_, now_ds + 10)
    assert lamps.aspects == (AMBER, AMBER, RED, RED)
    assert lamps.refusals() == (Refusal(rule=Rule.REQUEST, group=None),)
    assert lamps.illegal_requests == 1
    lamps.tick(request_, now_ds + 20)
    assert lamps.illegal_requests == 1


def test_a_served_request_has_no_refusals() -> None:
    lamps, _ = played(four_groups(), [FIRST_ROAD] * 10)
    assert lamps.refusals() == ()
    assert (lamps.waiting_requests, lamps.illegal_requests) == (1, 0)


def test_conflicting_groups_asked_for_together_are_refused_for_good_and_do_not_trip() -> None:
    lamps, now_ds = played(four_groups(), [FIRST_ROAD] * 10)
    for tick in range(1, 60):
        lamps.tick(FIRST_ROAD | SECOND_ROAD, now_ds + 10 * tick)
    assert lamps.green_mask == FIRST_ROAD
    assert {(r.rule, r.group, r.against, r.earliest_tick) for r in lamps.refusals()} == {
        (Rule.CONFLICT, group, foe, None) for group in (2, 3) for foe in (0, 1)
    }
    assert lamps.illegal_requests == 1
    assert not lamps.failure


def test_the_reasons_follow_each_other_while_a_group_waits() -> None:
    lamps, now_ds = played(four_groups(), [FIRST_ROAD] * 3)
    rules = []
    while lamps.aspects[2] == RED:
        now_ds += 10
        lamps.tick(0b0100, now_ds)
        rules.append({refusal.rule for refusal in lamps.refusals()})
    assert Rule.CONFLICT in rules[0]
    assert rules[-1] == set()
    assert {Rule.INTERGREEN} in rules


@given(
    envelope=envelopes(),
    masks=st.lists(st.integers(0, 63), max_size=40),
    target=st.integers(0, 63),
)
def test_the_earliest_tick_is_the_tick_of_the_start(
    envelope: Envelope, masks: list[int], target: int
) -> None:
    """Asked for one group alone, it leaves red at the latest of its refusals' ticks."""
    group = target % envelope.size
    lamps, now_ds = played(envelope, masks)
    now_ds += 10
    lamps.tick(1 << group, now_ds)
    refusals = [refusal for refusal in lamps.refusals() if refusal.group == group]
    assume(refusals)
    earliest = max(refusal.earliest_tick or 0 for refusal in refusals)
    ticks = 0
    while not (lamps.aspects[group] in (RED_AMBER, GREEN)):
        ticks = lamps.next_tick
        now_ds += 10
        lamps.tick(1 << group, now_ds)
        assert ticks <= earliest
    assert ticks == earliest


@given(
    envelope=envelopes(),
    masks=st.lists(st.integers(0, 63), min_size=1, max_size=60),
    repeats=st.integers(1, 12),
    tick_ds=st.sampled_from([1, 5, 10]),
)
def test_skipping_idle_ticks_changes_nothing(
    envelope: Envelope, masks: list[int], repeats: int, tick_ds: int
) -> None:
    rules = compile_rules(envelope, tick_ds)
    state, lamps, now_ds = all_red(rules), Interlock.running(envelope, tick_ds), 0
    for mask in masks:
        request = mask & ((1 << envelope.size) - 1)
        for _ in range(repeats):
            now_ds += tick_ds
            state = step(rules, state, request)
            lamps.tick(request, now_ds)
            assert lamps.aspects == state.aspect
            shown = tuple(lamps.shown_ticks(i) for i in range(envelope.size))
            assert shown == state.shown


@given(
    envelope=envelopes(),
    masks=st.lists(st.integers(0, 63), max_size=40),
    wanted=st.integers(0, 63),
    tick_ds=st.sampled_from([1, 5, 10]),
)
def test_every_legal_request_held_is_green_within_a_bound(
    envelope: Envelope, masks: list[int], wanted: int, tick_ds: int
) -> None:
    request = 0
    for group in range(envelope.size):
        foes = sum(1 << foe for foe in range(envelope.size) if envelope.conflict[group][foe])
        if wanted >> group & 1 and not request & foes:
            request |= 1 << group
    lamps, now_ds = played(envelope, masks, tick_ds)
    largest_ds = 60
    # Red-amber, minimum green, amber or intergreen of a foe; then minimum red and red-amber.
    bound = 5 * -(-largest_ds // tick_ds) + 5
    for _ in range(bound):
        now_ds += tick_ds
        lamps.tick(request, now_ds)
    assert lamps.green_mask == request
    assert lamps.settled


@given(envelope=envelopes(), start=st.integers(0, 63), tick_ds=st.sampled_from([5, 10]))
def test_a_plan_that_asks_for_each_group_in_turn_shows_each_in_every_cycle(
    envelope: Envelope, start: int, tick_ds: int
) -> None:
    """Plan x interlock: nobody waits longer than a cycle of the plan."""
    lamps, now_ds = played(envelope, [start] * 5, tick_ds)
    slot = 5 * -(-60 // tick_ds) + 5
    for _cycle in range(2):
        shown = 0
        for group in range(envelope.size):
            for _ in range(slot):
                now_ds += tick_ds
                lamps.tick(1 << group, now_ds)
                shown |= lamps.green_mask
        assert shown == (1 << envelope.size) - 1
