"""OverrideService: the control room's way through the desk to the controllers."""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.controllers.identity import Identity, valid_id
from ampelwerk.controllers.override_convert import (
    check_reason,
    key_of,
    override_message,
    request_of,
)
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.controllers.service.forecast import Forecaster
from ampelwerk.controllers.service.gate import Context, identity_of
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.network_service import sessions_of
from ampelwerk.controllers.service.override_dispatch import Decided, OverrideDispatch
from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.override import Override, OverrideId, OverrideRequest, Role
from ampelwerk.proto.v1 import override_pb2
from ampelwerk.proto.v1.override_pb2_grpc import OverrideServiceServicer

MOST_FORECAST = 10
"""A forecast takes a while; it is made for so many intersections at most."""
ENDED_LISTED = 200
"""So many overrides that are over are listed, the last ones."""


class OverrideService(OverrideServiceServicer):
    """For the control room."""

    def __init__(self, city: LiveCity, dispatch: OverrideDispatch) -> None:
        self._city, self._dispatch = city, dispatch
        self.forecaster = Forecaster(city)
        """Plays requests forward."""

    async def List(
        self, request: override_pb2.ListOverridesRequest, context: Context
    ) -> override_pb2.ListOverridesReply:
        """Overrides that stand, await approval or are ending; on demand those that are over."""
        place = request.intersection_id
        if place:
            sessions_of(self._city, (place,))
        found = await self._dispatch.ask(lambda desk: _listed(desk, place, request.with_ended))
        return override_pb2.ListOverridesReply(
            overrides=[override_message(override) for override in found]
        )

    async def Request(
        self, request: override_pb2.OverrideRequest, context: Context
    ) -> override_pb2.Override:
        """Ask for an override."""
        who = identity_of(context)
        wanted = await self._understood(request, who)
        return override_message(
            await self._dispatch.decide(lambda desk, now_ms: desk.request(wanted, now_ms))
        )

    async def Preview(
        self, request: override_pb2.OverrideRequest, context: Context
    ) -> override_pb2.OverridePreview:
        """What a request would do, by the engine's own model. Nothing is changed or recorded."""
        who, now_ms = identity_of(context), self._city.clock.unix_ms()
        wanted = request_of(request, requester=who.name, role=Role(who.kind))
        if len(wanted.legs) > MOST_FORECAST:
            raise InvalidInputError(
                "too many intersections for a forecast",
                where="intersection_ids",
                found=str(len(wanted.legs)),
                limit=str(MOST_FORECAST),
            )

        def rivals(desk: OverrideDesk) -> Sequence[Override]:
            desk.book.check(wanted, now_ms)
            return desk.book.rivals(wanted)

        holders = await self._dispatch.ask(rivals)
        reply = await self.forecaster.of(wanted)
        reply.holders.extend(override_message(override) for override in holders)
        return reply

    async def Renew(
        self, request: override_pb2.RenewRequest, context: Context
    ) -> override_pb2.Override:
        """Let an override last longer."""
        who, ttl_ms = identity_of(context), request.ttl_ms

        def renew(desk: OverrideDesk, now_ms: int) -> Decided:
            return desk.renew(
                name, ttl_ms, who.name, Role(who.kind), now_ms, key=key, reason=request.reason
            )

        name, key = await self._named(request, who, "override.renew")
        return override_message(await self._dispatch.decide(renew))

    async def Release(
        self, request: override_pb2.ReleaseRequest, context: Context
    ) -> override_pb2.Override:
        """End an override."""
        who = identity_of(context)

        def release(desk: OverrideDesk, now_ms: int) -> Decided:
            return desk.release(
                name, who.name, Role(who.kind), now_ms, key=key, reason=request.reason
            )

        name, key = await self._named(request, who, "override.release")
        return override_message(await self._dispatch.decide(release))

    async def Approve(
        self, request: override_pb2.ApproveRequest, context: Context
    ) -> override_pb2.Override:
        """Agree as the second person."""
        who = identity_of(context)

        def approve(desk: OverrideDesk, now_ms: int) -> Decided:
            return desk.approve(
                name, who.name, Role(who.kind), now_ms, key=key, reason=request.reason
            )

        name, key = await self._named(request, who, "override.approve")
        return override_message(await self._dispatch.decide(approve))

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
            error,
            AuditEntry(
                at_unix_ms=self._city.clock.unix_ms(),
                actor=who.name,
                role=who.kind.value,
                method=method,
                target=target,
                result="",
                reason=reason,
            ),
        )


def _listed(desk: OverrideDesk, place: str, with_ended: bool) -> Sequence[Override]:
    """Overrides by the time they were asked for."""
    found = desk.kept(ENDED_LISTED) if with_ended else desk.book.all()
    if place:
        found = [o for o in found if o.leg(IntersectionId(place)) is not None]
    return sorted(found, key=lambda override: (override.asked_unix_ms, override.override_id))
