"""What a control room may ask of intersections, for how long, and who has the say.

An override is a lease: it ends by itself unless it is renewed. It outranks the strategy and the plan,
never the envelope: what it asks for goes through the interlock like everything else. Times are UTC in
whole milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import NewType

from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError

OverrideId = NewType("OverrideId", str)

ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""How a key or the name of an override may look."""
MOST_LEGS = 64
"""Intersections of one request at most."""
MOST_TEXT = 255
"""Longest name of an intersection, stage, plan or group."""
REASON_LENGTH = (8, 500)
"""Shortest and longest reason."""
FAR_UNIX_MS = 4_102_444_800_000
"""Times from here on (the year 2100) are mistakes. [ms]"""


class OverrideAction(StrEnum):
    """What is asked for."""

    PLAN = "plan"
    """Run the plan named."""
    STAGE = "stage"
    """Go to the stage named and stay there."""
    HOLD = "hold"
    """Stay in the stage that is shown; with a name, once that stage is shown."""
    ALL_RED = "all-red"
    """Red everywhere."""
    FLASH = "flash"
    """Flashing amber."""
    DARK = "dark"
    """Lamps off."""
    GREEN_WAVE = "green-wave"
    """Green for the group named at each intersection when the emergency vehicle arrives there."""
    PRIORITY = "priority"
    """Green for the group named when the bus or tram arrives, if nothing higher stands against it."""
    GATING = "gating"
    """No more green at a time for the group named than so long."""


class Precedence(IntEnum):
    """Which action outranks which; the higher has the say, the lower waits beneath it."""

    PRIORITY = 1
    PLAN = 2
    OPERATOR = 3
    EMERGENCY = 4


PRECEDENCE = {
    OverrideAction.PRIORITY: Precedence.PRIORITY,
    OverrideAction.PLAN: Precedence.PLAN,
    OverrideAction.GATING: Precedence.PLAN,
    OverrideAction.STAGE: Precedence.OPERATOR,
    OverrideAction.HOLD: Precedence.OPERATOR,
    OverrideAction.ALL_RED: Precedence.OPERATOR,
    OverrideAction.FLASH: Precedence.OPERATOR,
    OverrideAction.DARK: Precedence.OPERATOR,
    OverrideAction.GREEN_WAVE: Precedence.EMERGENCY,
}
"""Precedence follows from the action."""
NEEDS_TARGET = {
    OverrideAction.PLAN: "plan",
    OverrideAction.STAGE: "stage",
    OverrideAction.GREEN_WAVE: "group",
    OverrideAction.PRIORITY: "group",
    OverrideAction.GATING: "group",
}
"""What the target of an action is. HOLD may name a stage; the others have no target."""
WITH_ETA = (OverrideAction.GREEN_WAVE, OverrideAction.PRIORITY)
"""Actions for a vehicle that is expected."""


class Role(StrEnum):
    """In which role somebody asks."""

    VIEWER = "viewer"
    CONTROLLER = "controller"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"


class OverrideState(StrEnum):
    """How far an override has come."""

    AWAITING_APPROVAL = "awaiting-approval"
    """A second person must agree."""
    GRANTED = "granted"
    """It stands, and is on its way to the controllers."""
    DELIVERED = "delivered"
    """Every controller has it; it waits for its time, or beneath a higher one."""
    ACTIVE = "active"
    """The lamps follow it somewhere."""
    ENDING = "ending"
    """It is over; some controller is still on the way back."""
    ENDED = "ended"
    """Over."""


class EndCause(StrEnum):
    """Why an override is over."""

    RELEASED = "released"
    EXPIRED = "expired"
    SERVED = "served"
    """The vehicle that was expected should have passed."""
    SUPERSEDED = "superseded"
    LOCAL = "local"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideLeg:
    """What is asked of one intersection."""

    intersection_id: IntersectionId
    """Where."""
    target: str = ""
    """Name of the stage, plan or signal group, as the action needs."""
    eta_unix_ms: int = 0
    """When the vehicle arrives at the stop line; 0 if none is expected. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRequest:
    """What somebody asks for.

    Raises
    ------
    InvalidInputError : with what is wrong, where and what would be right.
    """

    key: str
    """Idempotency key: asking twice under one key is asking once."""
    action: OverrideAction
    """What."""
    legs: tuple[OverrideLeg, ...]
    """Where, each intersection once."""
    requester: str
    """Who."""
    role: Role
    """In which role."""
    reason: str
    """Why, for the audit."""
    ttl_ms: int
    """How long it may last unless renewed. [ms]"""
    not_before_unix_ms: int = 0
    """Not earlier than this; 0: at once. [ms]"""
    max_green_ms: int = 0
    """Longest green at a time, under GATING. [ms]"""
    supersede: bool = False
    """Take the place of an override of equal precedence, if the requester may."""

    @property
    def label(self) -> str:
        """What errors call it: the action where the key was drawn by a program and tells nobody anything."""
        drawn = re.fullmatch("[0-9a-f]{32}", self.key)
        return f"override {self.action if drawn else self.key[:MOST_TEXT]}"

    def __post_init__(self) -> None:
        def refuse(what: str, found: object, limit: str) -> None:
            raise InvalidInputError(what, where=self.label, found=str(found)[:200], limit=limit)

        if not ID.fullmatch(self.key):
            refuse("this is no key", self.key, "1 to 64 letters, digits and _ . : -")
        if not self.requester.strip() or len(self.requester) > MOST_TEXT:
            refuse("it is not said who asks", self.requester, f"1 to {MOST_TEXT} characters")
        least, most = REASON_LENGTH
        if not least <= len(self.reason.strip()) <= most:
            refuse("there is no proper reason", self.reason, f"{least} to {most} characters")
        places = [leg.intersection_id for leg in self.legs]
        if not 1 <= len(places) <= MOST_LEGS or len(set(places)) != len(places):
            refuse(
                "it is not said where", ", ".join(places), f"1 to {MOST_LEGS} places, none twice"
            )
        if not 1_000 <= self.ttl_ms <= 86_400_000:
            refuse("no such duration", f"{self.ttl_ms} ms", "1 s to 24 h")
        if not 0 <= self.not_before_unix_ms < FAR_UNIX_MS:
            refuse("no such begin", self.not_before_unix_ms, "a time before the year 2100, in ms")
        gates = self.action is OverrideAction.GATING
        if gates != (self.max_green_ms > 0) or self.max_green_ms > 600_000:
            refuse(
                "a longest green belongs to gating, and to nothing else",
                f"{self.max_green_ms} ms",
                "1 ms to 600 s" if gates else "0",
            )
        for leg in self.legs:
            self._check_leg(leg)

    def _check_leg(self, leg: OverrideLeg) -> None:
        """Target and time of arrival fit the action."""
        where = f"{self.label}, intersection {leg.intersection_id[:MOST_TEXT]}"
        kind = NEEDS_TARGET.get(self.action)
        may = kind is not None or self.action is OverrideAction.HOLD
        if (kind and not leg.target) or (leg.target and not may) or len(leg.target) > MOST_TEXT:
            raise InvalidInputError(
                f"{self.action} needs the name of a {kind}"
                if kind
                else f"{self.action} has no target",
                where=where,
                found=repr(leg.target[:MOST_TEXT]),
            )
        expected = self.action in WITH_ETA
        if expected != bool(leg.eta_unix_ms) or not 0 <= leg.eta_unix_ms < FAR_UNIX_MS:
            raise InvalidInputError(
                "a time of arrival belongs to green-wave and priority, and to nothing else",
                where=where,
                found=str(leg.eta_unix_ms),
                limit="a time before the year 2100, in ms" if expected else "0",
            )

    @property
    def precedence(self) -> Precedence:
        """Whom it outranks."""
        return PRECEDENCE[self.action]


@dataclass(frozen=True, slots=True, kw_only=True)
class GreenGiven:
    """Last green of the group named while an override for a vehicle stood."""

    intersection_id: IntersectionId
    """Where."""
    from_unix_ms: int
    """When it began, or was seen first. [ms]"""
    length_ms: int
    """How long it was, until it or the override was over; 0 while it goes on. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A request that was granted, or awaits approval, and what became of it."""

    override_id: OverrideId
    """Name."""
    request: OverrideRequest
    """What was asked for."""
    state: OverrideState
    """How far it has come."""
    asked_unix_ms: int
    """When it was asked for. [ms]"""
    effective_unix_ms: int
    """From when on it may have the say. [ms]"""
    expiry_unix_ms: int
    """When it ends unless renewed. [ms]"""
    cause: EndCause | None = None
    """Why it is over."""
    approver: str = ""
    """Who agreed as the second person."""
    ending_unix_ms: int = 0
    """Since when it is ending. [ms]"""
    delivered: tuple[IntersectionId, ...] = ()
    """Controllers that have it."""
    active: tuple[IntersectionId, ...] = ()
    """Controllers whose lamps follow it."""
    gone: tuple[IntersectionId, ...] = ()
    """Controllers where it is over already."""
    greens: tuple[GreenGiven, ...] = ()
    """What a vehicle that is expected was given, for intersections that have told so."""

    @property
    def live(self) -> bool:
        """It may still have the say."""
        return self.state in (
            OverrideState.GRANTED, OverrideState.DELIVERED, OverrideState.ACTIVE,
        )  # fmt: skip

    @property
    def over(self) -> bool:
        """Nothing will come of it any more."""
        return self.state is OverrideState.ENDED

    def in_force(self, now_unix_ms: int) -> bool:
        """Whether its time is now."""
        return self.live and self.effective_unix_ms <= now_unix_ms < self.expiry_unix_ms

    def leg(self, intersection_id: IntersectionId) -> OverrideLeg | None:
        """What it asks of an intersection."""
        return next(
            (leg for leg in self.request.legs if leg.intersection_id == intersection_id), None
        )

    def given(self, green: GreenGiven | None) -> Override:
        """The same, with what an intersection tells of a green."""
        if green is None:
            return self
        others = (one for one in self.greens if one.intersection_id != green.intersection_id)
        return replace(self, greens=(*others, green))

    def ended(self, cause: EndCause, now_unix_ms: int) -> Override:
        """The same, over as far as the server is concerned; ENDING while a controller has it."""
        had = set(self.delivered) - set(self.gone)
        return replace(
            self,
            state=OverrideState.ENDING if had else OverrideState.ENDED,
            cause=cause,
            ending_unix_ms=now_unix_ms,
        )
