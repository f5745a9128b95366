"""An override always ends, and always says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.override import Override, OverrideAction, OverrideId, OverridePriority

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


def override(**changes: Any) -> Override:
    usual: dict[str, Any] = {
        "override_id": OverrideId("o1"),
        "intersection_id": IntersectionId("j1"),
        "action": OverrideAction.HOLD_STAGE,
        "target": "2",
        "requester": "operator 7",
        "role": "operator",
        "reason": "burst main",
        "priority": OverridePriority.INCIDENT,
        "begins_at": NOON,
        "expires_at": NOON + timedelta(minutes=15),
    }
    return Override(**{**usual, **changes})


def test_override_expires() -> None:
    asked = override()
    assert asked.in_force(NOON)
    assert not asked.in_force(NOON + timedelta(minutes=15))
    assert not asked.in_force(NOON - timedelta(seconds=1))


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": " "},
        {"requester": ""},
        {"expires_at": NOON},
        {"begins_at": NOON.replace(tzinfo=None)},
        {"target": ""},
        {"action": OverrideAction.FLASH},
    ],
)
def test_override_without_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="override o1"):
        override(**changes)
