"""The control room's end of the wire for plans: check, publish, list and roll back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.errors_told import finding_of
from ampelwerk.controllers.line import Line, told
from ampelwerk.controllers.override_convert import KEY_BYTES
from ampelwerk.models.errors import Finding
from ampelwerk.proto.v1 import plan_pb2
from ampelwerk.proto.v1.plan_pb2_grpc import PlanServiceStub

ACTIVATIONS = {
    "cycle-start": plan_pb2.ACTIVATION_CYCLE_START,
    "next-stage": plan_pb2.ACTIVATION_NEXT_STAGE,
}
"""When a plan takes over, beside a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """When plans take over."""

    activation: str = "cycle-start"
    """Of `ACTIVATIONS`; of no account with a moment."""
    at_unix_ms: int = 0
    """A moment, 0 for none. [ms]"""

    @property
    def number(self) -> plan_pb2.Activation:
        """On the wire."""
        return plan_pb2.ACTIVATION_AT if self.at_unix_ms else ACTIVATIONS[self.activation]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenVersion:
    """A version of an intersection's plan as the server tells of it."""

    intersection: str
    """Where it is for."""
    version: int
    """Number."""
    state: str
    """What became of it."""
    plans: str
    """Its plans by name."""
    author: str
    """Who published it."""
    published_unix_ms: int
    """When. [ms]"""
    cause: str
    """Why it is in that state."""


class PlanClient(Line):
    """Published plans."""

    def __init__(self, address: str, credentials: Credentials) -> None:
        super().__init__(address, credentials)
        self._plans: Any = PlanServiceStub(self._channel)

    def verify(self, plan: plan_pb2.Plan) -> list[Finding]:
        """Everything that the server's check finds."""
        reply = told(self._plans.Verify, plan_pb2.VerifyRequest(plan=plan))
        return [finding_of(finding) for finding in reply.findings]

    def publish(
        self,
        plans: Sequence[plan_pb2.Plan],
        expected: Sequence[int],
        when: Takeover,
        *,
        reason: str,
        key: bytes,
    ) -> dict[str, int]:
        """Publish plans one after another; version by intersection.

        Parameters
        ----------
        key : of all; each request has a key of its own made from it.
        """
        return {
            plan.intersection_id: told(
                self._plans.Publish,
                plan_pb2.PublishRequest(
                    idempotency_key=_own_key(key, plan.intersection_id),
                    plan=plan,
                    expected_version=version,
                    activation=when.number,
                    at_unix_ms=when.at_unix_ms,
                    reason=reason,
                ),
            ).version
            for plan, version in zip(plans, expected, strict=True)
        }

    def publish_together(
        self,
        plans: Sequence[plan_pb2.Plan],
        expected: Sequence[int],
        when: Takeover,
        *,
        reason: str,
        key: bytes,
    ) -> dict[str, int]:
        """Publish plans that take over together or not at all; version by intersection."""
        request = plan_pb2.PublishTogetherRequest(
            idempotency_key=key,
            plans=[
                plan_pb2.PlanOfBatch(plan=plan, expected_version=version)
                for plan, version in zip(plans, expected, strict=True)
            ],
            activation=when.number,
            at_unix_ms=when.at_unix_ms,
            reason=reason,
        )
        reply = told(self._plans.PublishTogether, request)
        return {
            plan.intersection_id: one.version for plan, one in zip(plans, reply.plans, strict=True)
        }

    def rollback(
        self, intersection: str, version: int, expected: int, *, reason: str, key: bytes
    ) -> int:
        """Publish an old version anew; the new version."""
        request = plan_pb2.RollbackRequest(
            intersection_id=intersection,
            to_version=version,
            expected_version=expected,
            reason=reason,
            idempotency_key=key,
        )
        return int(told(self._plans.Rollback, request).version)

    def versions(self, intersection: str = "") -> list[SeenVersion]:
        """Versions by intersection and number."""
        request = plan_pb2.ListPlansRequest(intersection_id=intersection)
        reply = told(self._plans.List, request)
        return [
            SeenVersion(
                intersection=one.intersection_id,
                version=one.version,
                state=plan_pb2.PlanState.Name(one.state).removeprefix("PLAN_STATE_").lower(),
                plans=one.plan_id,
                author=one.author,
                published_unix_ms=one.published_unix_ms,
                cause=one.cause,
            )
            for one in reply.plans
        ]


def _own_key(key: bytes, name: str) -> bytes:
    return hashlib.sha256(key + name.encode()).digest()[:KEY_BYTES]
