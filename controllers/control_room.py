"""The control room's end of the wire: requests for overrides, their list, and the audit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.errors_told import as_error
from ampelwerk.controllers.line import Line, told
from ampelwerk.controllers.override_convert import action_of, request_message, state_of
from ampelwerk.controllers.store.audit import Raw, RawCheckpoint, checkpoint_bytes
from ampelwerk.models.override import FAR_UNIX_MS, OverrideRequest
from ampelwerk.proto.v1 import audit_pb2, override_pb2
from ampelwerk.proto.v1.audit_pb2_grpc import AuditServiceStub
from ampelwerk.proto.v1.override_pb2_grpc import OverrideServiceStub

AUDIT_TIMEOUT_S = 600.0
"""Deadline of reading an audit. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenGreen:
    """Last green of the group named while an override stood."""

    from_unix_ms: int
    """When it began, or was seen first. [ms]"""
    length_ms: int
    """How long, until it or the override was over; 0 while it goes on. [ms]"""

    def __str__(self) -> str:
        begin = datetime.fromtimestamp(self.from_unix_ms / 1000, UTC)
        length = f" for {self.length_ms / 1000:g} s" if self.length_ms else ""
        return f"green from {begin:%H:%M:%S}Z{length}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenOverride:
    """An override as the server tells of it."""

    override_id: str
    """Name."""
    action: str
    """What."""
    state: str
    """How far it has come."""
    cause: str
    """Why it is over, empty while it is not."""
    holder: str
    """Who asked."""
    role: str
    """In which role."""
    effective_unix_ms: int
    """From when on. [ms]"""
    expiry_unix_ms: int
    """Until when, unless renewed. [ms]"""
    reason: str
    """Why."""
    where: dict[str, str]
    """State at each intersection."""
    greens: dict[str, SeenGreen]
    """What a vehicle that is expected was given, for intersections that have told so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachForecast:
    """What a request would do to one approach."""

    intersection: str
    """Which intersection."""
    approach: str
    """Which of its roads, or the group of a crossing."""
    delay_change_veh_s: float
    """More (or less) delay than without it. [veh s]"""
    longest_red_s: float
    """Longest red with it. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a request would do, by the server's model."""

    horizon_s: float
    """How far ahead it looked. [s]"""
    approaches: tuple[ApproachForecast, ...]
    """By approach."""
    notes: tuple[str, ...]
    """What holds it back, and what the model has nothing to say about."""
    holders: tuple[SeenOverride, ...]
    """Overrides of equal precedence that stand there."""


class ControlRoomClient(Line):
    """Overrides and the audit."""

    def __init__(self, address: str, credentials: Credentials) -> None:
        super().__init__(address, credentials)
        self._overrides: Any = OverrideServiceStub(self._channel)
        self._audit: Any = AuditServiceStub(self._channel)

    def request(self, request: OverrideRequest) -> SeenOverride:
        """Ask for an override."""
        return seen(told(self._overrides.Request, request_message(request)))

    def preview(self, request: OverrideRequest) -> Forecast:
        """What a request would do."""
        found = told(self._overrides.Preview, request_message(request))
        return Forecast(
            horizon_s=found.horizon_ms / 1000,
            approaches=tuple(
                ApproachForecast(
                    intersection=one.intersection_id,
                    approach=one.approach_id,
                    delay_change_veh_s=one.delay_change_veh_s,
                    longest_red_s=one.max_red_ms / 1000,
                )
                for one in found.approaches
            ),
            notes=tuple(finding.message for finding in found.findings),
            holders=tuple(seen(override) for override in found.holders),
        )

    def renew(self, name: str, ttl_ms: int, *, key: bytes, reason: str = "") -> SeenOverride:
        """Let it last so long from now."""
        message = override_pb2.RenewRequest(
            override_id=name, ttl_ms=ttl_ms, reason=reason, idempotency_key=key
        )
        return seen(told(self._overrides.Renew, message))

    def release(self, name: str, *, key: bytes, reason: str = "") -> SeenOverride:
        """End it."""
        message = override_pb2.ReleaseRequest(override_id=name, reason=reason, idempotency_key=key)
        return seen(told(self._overrides.Release, message))

    def approve(self, name: str, *, key: bytes, reason: str = "") -> SeenOverride:
        """Agree as the second person."""
        message = override_pb2.ApproveRequest(override_id=name, reason=reason, idempotency_key=key)
        return seen(told(self._overrides.Approve, message))

    def overrides(self, intersection: str = "", *, with_ended: bool = False) -> list[SeenOverride]:
        """Overrides, in the order in which they were asked for."""
        message = override_pb2.ListOverridesRequest(
            intersection_id=intersection, with_ended=with_ended
        )
        reply = told(self._overrides.List, message)
        return [seen(override) for override in reply.overrides]

    def audit(
        self, *, first: int = 1, last: int | None = None, actor: str = "", target: str = "",
        method: str = "",
    ) -> Iterator[Raw]:  # fmt: skip
        """Records of the audit as they were hashed."""
        message = audit_pb2.QueryAuditRequest(
            from_seq=first, to_seq=last or 0, actor=actor, target=target, kind=method
        )
        try:
            for entry in self._audit.Query(message, timeout=AUDIT_TIMEOUT_S):
                yield Raw(_seq(entry.record), entry.record, entry.sha256.hex())
        except grpc.RpcError as error:
            raise as_error(error) from error

    def checkpoints(self) -> Sequence[RawCheckpoint]:
        """The last signed record, if one was signed."""
        found = told(self._audit.GetCheckpoint, audit_pb2.GetCheckpointRequest())
        if not found.seq:
            return ()
        content = checkpoint_bytes(found.seq, found.sha256.hex(), found.at_unix_ms)
        return (RawCheckpoint(found.seq, content, found.key_id.hex(), found.signature),)


def _seq(record: bytes) -> int:
    """Number that a record says it has; -1 if it cannot be read."""
    try:
        return int(json.loads(record)["seq"])
    except (ValueError, KeyError, TypeError):
        return -1


def seen(message: override_pb2.Override) -> SeenOverride:
    """An override from the wire."""

    def word(state: int) -> str:
        known = state_of(state)
        return known.value if known else f"state {state}"

    return SeenOverride(
        override_id=message.override_id,
        action=action_of(message.action).value,
        state=word(message.state),
        cause=message.cause.lower(),
        holder=message.holder,
        role=message.role,
        effective_unix_ms=message.effective_unix_ms,
        expiry_unix_ms=message.expiry_unix_ms,
        reason=message.reason,
        where={one.intersection_id: word(one.state) for one in message.per_intersection},
        greens={
            one.intersection_id: SeenGreen(
                from_unix_ms=one.green_from_unix_ms, length_ms=one.green_ms
            )
            for one in message.per_intersection
            if 0 < one.green_from_unix_ms < FAR_UNIX_MS
        },
    )
