"""What a control room may ask of an intersection, for how long, and who has the say.

An override is a request with an end. It outranks the strategy and the plan, never the envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NewType

from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import StageId

OverrideId = NewType("OverrideId", str)


class OverrideAction(StrEnum):
    """What is asked for."""

    HOLD_STAGE = "hold-stage"
    PLAN = "plan"
    ALL_RED = "all-red"
    FLASH = "flash"


class OverridePriority(IntEnum):
    """Who outranks whom; the higher wins."""

    EVENT = 1
    INCIDENT = 2
    EMERGENCY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A request of the control room.

    Raises
    ------
    InvalidInputError : no reason, an end that is not after the begin or has no time zone, or an
        action without the stage or plan it needs.
    """

    override_id: OverrideId
    """Name; asking twice under one name is asking once."""
    intersection_id: IntersectionId
    """Where."""
    action: OverrideAction
    """What."""
    target: StageId | str = ""
    """Stage to hold, or plan to run; empty for the other actions."""
    requester: str
    """Who asks."""
    role: str
    """In which role."""
    reason: str
    """Why, for the audit."""
    priority: OverridePriority
    """Rank among overrides."""
    begins_at: datetime
    """From when, UTC."""
    expires_at: datetime
    """Until when, UTC; extending is a request of its own."""

    def __post_init__(self) -> None:
        where = f"override {self.override_id}"
        if not self.reason.strip() or not self.requester.strip():
            raise InvalidInputError(
                "an override needs a requester and a reason", where=where, remedy="state both"
            )
        if self.begins_at.tzinfo is None or self.expires_at.tzinfo is None:
            raise InvalidInputError("a time has no time zone", where=where, limit="UTC")
        if self.expires_at <= self.begins_at:
            raise InvalidInputError(
                "the override ends before it begins",
                where=where,
                found=f"{self.begins_at.isoformat()} to {self.expires_at.isoformat()}",
            )
        needs_target = self.action in (OverrideAction.HOLD_STAGE, OverrideAction.PLAN)
        if needs_target != bool(self.target):
            raise InvalidInputError(
                "hold-stage and plan need a target, other actions have none",
                where=where,
                found=f"{self.action} {self.target!r}",
            )

    def in_force(self, now: datetime) -> bool:
        """Whether it holds at a time."""
        return self.begins_at <= now < self.expires_at
