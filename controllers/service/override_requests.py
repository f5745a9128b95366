"""Requests for overrides on their way from the wire to the desk, whoever asks: people or controllers.

What cannot be understood never reaches the desk; it is recorded here and refused.
"""

from __future__ import annotations

from ampelwerk.controllers.identity import Identity, valid_id
from ampelwerk.controllers.override_convert import check_reason, key_of, request_of
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.controllers.service.override_dispatch import Decided, OverrideDispatch
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.override import Override, OverrideId, OverrideRequest, Role
from ampelwerk.proto.v1 import override_pb2


class OverrideRequests:
    """One method a request; each raises what the desk raises, and `InvalidInputError`."""

    def __init__(self, dispatch: OverrideDispatch) -> None:
        self._dispatch = dispatch

    async def request(self, message: override_pb2.OverrideRequest, who: Identity) -> Override:
        """Ask for an override."""
        wanted = await self._understood(message, who)
        return await self._dispatch.decide(lambda desk, now_ms: desk.request(wanted, now_ms))

    async def renew(self, message: override_pb2.RenewRequest, who: Identity) -> Override:
        """Let an override last longer."""

        def renew(desk: OverrideDesk, now_ms: int) -> Decided:
            return desk.renew(
                name, message.ttl_ms, who.name, Role(who.kind), now_ms, key=key,
                reason=message.reason,
            )  # fmt: skip

        name, key = await self._named(message, who, "override.renew")
        return await self._dispatch.decide(renew)

    async def release(self, message: override_pb2.ReleaseRequest, who: Identity) -> Override:
        """End an override."""

        def release(desk: OverrideDesk, now_ms: int) -> Decided:
            return desk.release(
                name, who.name, Role(who.kind), now_ms, key=key, reason=message.reason
            )

        name, key = await self._named(message, who, "override.release")
        return await self._dispatch.decide(release)

    async def approve(self, message: override_pb2.ApproveRequest, who: Identity) -> Override:
        """Agree as the second person."""

        def approve(desk: OverrideDesk, now_ms: int) -> Decided:
            return desk.approve(
                name, who.name, Role(who.kind), now_ms, key=key, reason=message.reason
            )

        name, key = await self._named(message, who, "override.approve")
        return await self._dispatch.decide(approve)

    async def _understood(
        self, request: override_pb2.OverrideRequest, who: Identity
    ) -> OverrideRequest:
        """The request; what cannot be understood is recorded and refused."""
        try:
            return request_of(request, requester=who.name, role=Role(who.kind))
        except InvalidInputError as error:
            target = " ".join(request.intersection_ids[:64])
            await self._refuse(error, who, "override.request", target, request.reason)
            raise

    async def _named(
        self,
        request: override_pb2.RenewRequest
        | override_pb2.ReleaseRequest
        | override_pb2.ApproveRequest,
        who: Identity,
        method: str,
    ) -> tuple[OverrideId, str]:
        """The override that is meant, and the key of the request."""
        try:
            if not valid_id(request.override_id):
                raise InvalidInputError("no override is named", where="override_id")
            check_reason(request.reason)
            return OverrideId(request.override_id), key_of(request.idempotency_key)
        except InvalidInputError as error:
            await self._refuse(error, who, method, request.override_id, request.reason)
            raise

    async def _refuse(
        self, error: Exception, who: Identity, method: str, target: str, reason: str
    ) -> None:
        await self._dispatch.clerk.refuse(
            error, self._dispatch.clerk.entry(who, method, target, reason)
        )
