"""An override always ends, and always says why."""

from __future__ import annotations

from typing import Any

import pytest

from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.override import (
    PRECEDENCE,
    EndCause,
    Override,
    OverrideAction,
    OverrideId,
    OverrideLeg,
    OverrideRequest,
    OverrideState,
    Precedence,
    Role,
)

J1 = IntersectionId("j1")
NOON = 1_774_785_600_000


def request(**changes: Any) -> OverrideRequest:
    usual: dict[str, Any] = {
        "key": "k1",
        "action": OverrideAction.STAGE,
        "legs": (OverrideLeg(intersection_id=J1, target="2"),),
        "requester": "ada",
        "role": Role.OPERATOR,
        "reason": "burst water main",
        "ttl_ms": 300_000,
    }
    return OverrideRequest(**{**usual, **changes})


def leg(**changes: Any) -> tuple[OverrideLeg]:
    return (OverrideLeg(**{"intersection_id": J1, **changes}),)


def test_override_is_in_force_from_begin_to_expiry() -> None:
    asked = Override(
        override_id=OverrideId("o1"),
        request=request(),
        state=OverrideState.GRANTED,
        asked_unix_ms=NOON,
        effective_unix_ms=NOON,
        expiry_unix_ms=NOON + 300_000,
    )
    assert asked.in_force(NOON)
    assert not asked.in_force(NOON + 300_000)
    assert not asked.in_force(NOON - 1)
    assert asked.ended(EndCause.RELEASED, NOON).over
    assert not asked.ended(EndCause.RELEASED, NOON).in_force(NOON)


def test_every_action_has_a_precedence() -> None:
    assert set(PRECEDENCE) == set(OverrideAction)
    assert request(action=OverrideAction.STAGE).precedence is Precedence.OPERATOR


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "because"},
        {"reason": "x" * 501},
        {"requester": " "},
        {"ttl_ms": 0},
        {"ttl_ms": 86_400_001},
        {"key": ""},
        {"key": "a b"},
        {"legs": ()},
        {"legs": leg(target="1") * 2},
        {"legs": leg()},
        {"legs": leg(target="1", eta_unix_ms=NOON)},
        {"legs": leg(target="1" * 256)},
        {"action": OverrideAction.FLASH},
        {"action": OverrideAction.GATING},
        {"action": OverrideAction.GREEN_WAVE},
        {"max_green_ms": 5},
        {"not_before_unix_ms": -1},
        {"not_before_unix_ms": 9_999_999_999_999},
    ],
)
def test_request_without_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="override "):
        request(**changes)


def test_actions_with_what_they_need() -> None:
    request(action=OverrideAction.HOLD, legs=leg())
    request(action=OverrideAction.HOLD, legs=leg(target="1"))
    request(action=OverrideAction.DARK, legs=leg())
    request(action=OverrideAction.GATING, legs=leg(target="K1"), max_green_ms=10_000)
    request(action=OverrideAction.GREEN_WAVE, legs=leg(target="K1", eta_unix_ms=NOON))
