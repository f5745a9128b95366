"""OverrideService: the control room's way through the desk to the controllers."""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.controllers.override_convert import override_message, request_of
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.controllers.service.forecast import Forecaster
from ampelwerk.controllers.service.gate import Context, identity_of
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.network_service import sessions_of
from ampelwerk.controllers.service.override_dispatch import OverrideDispatch
from ampelwerk.controllers.service.override_requests import OverrideRequests
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.override import Override, Role
from ampelwerk.proto.v1 import override_pb2
from ampelwerk.proto.v1.override_pb2_grpc import OverrideServiceServicer

MOST_FORECAST = 10
"""A forecast takes a while; it is made for so many intersections at most."""
ENDED_LISTED = 200
"""So many overrides that are over are listed, the last ones."""


class OverrideService(OverrideServiceServicer):
    """For the control room."""

    def __init__(
        self, city: LiveCity, dispatch: OverrideDispatch, requests: OverrideRequests
    ) -> None:
        self._city, self._dispatch, self._requests = city, dispatch, requests
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
        return override_message(await self._requests.request(request, identity_of(context)))

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
        return override_message(await self._requests.renew(request, identity_of(context)))

    async def Release(
        self, request: override_pb2.ReleaseRequest, context: Context
    ) -> override_pb2.Override:
        """End an override."""
        return override_message(await self._requests.release(request, identity_of(context)))

    async def Approve(
        self, request: override_pb2.ApproveRequest, context: Context
    ) -> override_pb2.Override:
        """Agree as the second person."""
        return override_message(await self._requests.approve(request, identity_of(context)))


def _listed(desk: OverrideDesk, place: str, with_ended: bool) -> Sequence[Override]:
    """Overrides by the time they were asked for."""
    found = desk.kept(ENDED_LISTED) if with_ended else desk.book.all()
    if place:
        found = [o for o in found if o.leg(IntersectionId(place)) is not None]
    return sorted(found, key=lambda override: (override.asked_unix_ms, override.override_id))
