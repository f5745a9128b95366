"""The control room of a lockstep: people with certificates who ask over the wire.

Requests, replies, refusals, pushes and reports go through the server over mTLS. What became of an
override is read from the server's own desk afterwards, for the record of the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import grpc

from ampelwerk.controllers.errors_told import as_error
from ampelwerk.controllers.identity import Identity, Kind, valid_id
from ampelwerk.controllers.line import TIMEOUT_S
from ampelwerk.controllers.lockstep import CITY, Lockstep
from ampelwerk.controllers.override_convert import KEY_BYTES, request_message
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.models.errors import InvalidInputError, RequestRefusedError
from ampelwerk.models.override import Override, OverrideId, OverrideRequest, Role
from ampelwerk.proto.v1 import override_pb2
from ampelwerk.proto.v1.override_pb2_grpc import OverrideServiceStub

MOST_KEPT = 1_000
"""Overrides that are over and still looked at."""


class LockstepDesk:
    """A desk behind the server of a lockstep."""

    def __init__(self, lockstep: Lockstep) -> None:
        self._lockstep = lockstep
        self._people: dict[tuple[str, Role], tuple[grpc.aio.Channel, Any]] = {}
        self._seen: dict[OverrideId, Override] = {}

    def request(self, request: OverrideRequest, now_ms: int) -> Override:
        """Ask for an override."""
        wanted = replace(request, key=_key(request.key).hex())
        return self._ask(
            request.requester, request.role, now_ms,
            lambda stub: stub.Request(request_message(wanted), timeout=TIMEOUT_S),
        )  # fmt: skip

    def approve(
        self, name: OverrideId, approver: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """Agree as the second person."""
        message = override_pb2.ApproveRequest(override_id=name, idempotency_key=_key(key))
        return self._ask(
            approver, role, now_ms, lambda stub: stub.Approve(message, timeout=TIMEOUT_S)
        )

    def renew(
        self, name: OverrideId, ttl_ms: int, requester: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """Let it last so long from now."""
        message = override_pb2.RenewRequest(
            override_id=name, ttl_ms=ttl_ms, idempotency_key=_key(key)
        )
        return self._ask(
            requester, role, now_ms, lambda stub: stub.Renew(message, timeout=TIMEOUT_S)
        )

    def release(
        self, name: OverrideId, requester: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """End it."""
        message = override_pb2.ReleaseRequest(override_id=name, idempotency_key=_key(key))
        return self._ask(
            requester, role, now_ms, lambda stub: stub.Release(message, timeout=TIMEOUT_S)
        )

    def tick(self, now_ms: int) -> None:
        """Let what is over end."""
        self._lockstep.at(now_ms)
        self._lockstep.end_what_is_over()

    def listen(self, now_ms: int) -> None:
        """Bring the controllers' reports to the server."""
        self._lockstep.report_overrides()

    def changes(self) -> list[Override]:
        """Overrides that changed since the call before."""
        found = [
            override
            for override in self._lockstep.at_desk(_kept)
            if self._seen.get(override.override_id) != override
        ]
        self._seen.update((override.override_id, override) for override in found)
        return found

    def find(self, name: OverrideId) -> Override | None:
        """An override that is not over."""

        def look(desk: OverrideDesk) -> Override | None:
            try:
                return desk.book.get(name)
            except RequestRefusedError:
                return None

        return self._lockstep.at_desk(look)

    def close(self) -> None:
        """Close the lines of all people."""
        for channel, _ in self._people.values():
            self._lockstep.carry_out(channel.close())

    def _ask(self, name: str, role: Role, now_ms: int, call: Callable[[Any], Any]) -> Override:
        """Ask as somebody; what the server then has."""
        self._lockstep.at(now_ms)
        if not valid_id(name):
            raise InvalidInputError(
                "over the wire a name has no spaces", where="requester", found=name[:80]
            )
        if (name, role) not in self._people:
            identity = Identity(city=CITY, kind=Kind(role.value), name=name)
            channel = self._lockstep.channel(identity)
            self._people[name, role] = channel, OverrideServiceStub(channel)
        stub = self._people[name, role][1]

        async def told() -> Any:
            try:
                return await call(stub)
            except grpc.aio.AioRpcError as error:
                raise as_error(error) from error

        told_name = OverrideId(self._lockstep.carry_out(told()).override_id)
        self._lockstep.settle()
        return next(o for o in self._lockstep.at_desk(_kept) if o.override_id == told_name)


def _kept(desk: OverrideDesk) -> Sequence[Override]:
    return sorted(desk.kept(MOST_KEPT), key=lambda one: (one.asked_unix_ms, one.override_id))


def _key(name: str) -> bytes:
    """The idempotency key of a request that a file names."""
    return hashlib.sha256(name.encode()).digest()[:KEY_BYTES]
