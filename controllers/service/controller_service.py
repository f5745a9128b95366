"""ControllerService: registration, plans down, heartbeats and reports up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc

from ampelwerk.controllers.convert import ruleset_sha256
from ampelwerk.controllers.identity import valid_id
from ampelwerk.controllers.override_convert import override_message, priority_message
from ampelwerk.controllers.roadside import API_MINOR
from ampelwerk.controllers.service.errors import Refused, as_refused
from ampelwerk.controllers.service.gate import Context, identity_of
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.override_dispatch import OverrideDispatch
from ampelwerk.controllers.service.override_requests import OverrideRequests
from ampelwerk.controllers.service.plan_dispatch import PlanDispatch
from ampelwerk.controllers.service.session import PlanStream, Session, fit_to_show
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.proto.v1 import controller_pb2, network_pb2, override_pb2, plan_pb2
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceServicer

CONNECTS_PER_S = 200
"""Controllers that may dial in again per second; sets the window they spread over. [1/s]"""
LEAST_WINDOW_MS = 5_000
"""Shortest window for dialling again. [ms]"""
BOOT_ID_BYTES = 16
MOST_CAPABILITIES = 32
"""A controller may say so many things it can do."""
HIGHEST_VERSION = 1 << 62
"""Nobody counts so far."""
MOST_LEASES = 64
"""A heartbeat may name so many overrides; an arbiter keeps one of each precedence."""
log = logging.getLogger("ampelwerk.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """What controllers are told at registration."""

    heartbeat_ms: int = 5_000
    """Time between heartbeats. [ms]"""
    lease_ms: int = 20_000
    """An answered heartbeat carries this far. [ms]"""
    ack_timeout_ms: int = 10_000
    """A push is answered within this time, or the stream is closed. [ms]"""
    no_plan_timer_ms: int = 15_000
    """Without any answer for this long: fall back. [ms]"""


def session_of(city: LiveCity, context: Context) -> Session:
    """The session of the controller that calls; its certificate says which."""
    name = identity_of(context).name
    session = city.by_name.get(name)
    if session is None:
        raise Refused(
            grpc.StatusCode.NOT_FOUND, "UNKNOWN_ID", f"no intersection {name!r} in this city"
        )
    return session


def check_name(session: Session, intersection_id: str) -> None:
    """A controller speaks of its own intersection alone."""
    if not valid_id(intersection_id):
        raise InvalidInputError("not a valid name of an intersection", found=intersection_id[:64])
    if intersection_id != session.name:
        raise Refused(
            grpc.StatusCode.PERMISSION_DENIED,
            "IDENTITY",
            "the certificate names another intersection",
        )


def check_version(held_version: int) -> None:
    """There is room above what a controller says it has: versions go on from there."""
    if held_version > HIGHEST_VERSION:
        raise InvalidInputError(
            "no such version", where="held_version", found=str(held_version), limit="2^62"
        )


class ControllerService(ControllerServiceServicer):
    """For controllers."""

    def __init__(
        self,
        city: LiveCity,
        timers: Timers,
        overrides: OverrideDispatch | None = None,
        requests: OverrideRequests | None = None,
        plans: PlanDispatch | None = None,
    ) -> None:
        self._city, self._timers = city, timers
        self._overrides, self._requests, self._plans = overrides, requests, plans

    async def Register(
        self,
        request: controller_pb2.RegisterRequest,
        context: Context,
    ) -> controller_pb2.RegisterReply:
        """Settle versions and timers."""
        city, timers = self._city, self._timers
        session = session_of(city, context)
        check_name(session, request.intersection_id)
        if len(request.boot_id) != BOOT_ID_BYTES:
            raise InvalidInputError("a boot id has 16 bytes", found=f"{len(request.boot_id)} bytes")
        if request.envelope_sha256 != session.envelope_hash:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                "UNSAFE",
                "the controller holds another envelope than the server; load the same on both",
            )
        if request.ruleset_sha256 != ruleset_sha256(session.intersection.envelope):
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                "UNSAFE",
                "the controller works under another rule set than the server",
            )
        if request.held_epoch > city.epoch:
            raise Refused(
                grpc.StatusCode.ABORTED, "VERSION", "the controller has seen a newer server"
            )
        check_version(request.held_version)
        session.boot_id = request.boot_id
        session.version = max(session.version, request.held_version)
        session.state = network_pb2.CONTROLLER_STATE_REGISTERED
        session.clock = request.clock
        session.capabilities = frozenset(request.capabilities[:MOST_CAPABILITIES])
        session.changed += 1
        return controller_pb2.RegisterReply(
            epoch=city.epoch,
            api_minor=min(API_MINOR, request.api_minor),
            heartbeat_ms=timers.heartbeat_ms,
            lease_ms=timers.lease_ms,
            ack_timeout_ms=timers.ack_timeout_ms,
            no_plan_timer_ms=timers.no_plan_timer_ms,
            reconnect_window_ms=max(LEAST_WINDOW_MS, len(city.sessions) * 1000 // CONNECTS_PER_S),
            server_unix_ms=city.clock.unix_ms(),
        )

    async def GetPlan(
        self, request: controller_pb2.GetPlanRequest, context: Context
    ) -> controller_pb2.GetPlanReply:
        """The newest schedule and the newest published plan, unless they are the ones held."""
        session = session_of(self._city, context)
        check_name(session, request.intersection_id)
        reply = controller_pb2.GetPlanReply(epoch=self._city.epoch, version=session.version)
        held = request.if_version == session.version or session.version in session.quarantined
        if session.signed is not None and not held:
            reply.signed_plan.CopyFrom(session.signed)
        if session.published is not None:
            reply.published_version = session.published.version
            if request.if_published_version != session.published.version:
                reply.published_plan.CopyFrom(session.published.signed)
        return reply

    async def RequestPriority(
        self, request: controller_pb2.PriorityRequest, context: Context
    ) -> override_pb2.Override:
        """Green for a vehicle that has announced itself at the roadside."""
        requests = await self._asking(context, request.intersection_id, "override.request")
        return override_message(
            await requests.request(priority_message(request), identity_of(context))
        )

    async def ReleasePriority(
        self, request: controller_pb2.PriorityRelease, context: Context
    ) -> override_pb2.Override:
        """It has passed."""
        requests = await self._asking(context, request.intersection_id, "override.release")
        message = override_pb2.ReleaseRequest(
            override_id=request.override_id, idempotency_key=request.idempotency_key
        )
        return override_message(await requests.release(message, identity_of(context)))

    async def _asking(
        self, context: Context, intersection_id: str, method: str
    ) -> OverrideRequests:
        """Where a controller may ask for something, for itself alone; what it may not is recorded."""
        if self._overrides is None or self._requests is None:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION, "OFFLINE", "this server has no overrides"
            )
        try:
            check_name(session_of(self._city, context), intersection_id)
        except (Refused, InvalidInputError) as error:
            await self._overrides.clerk.turned_away(method, identity_of(context), as_refused(error))
            raise
        return self._requests

    async def Connect(
        self,
        requests: AsyncIterator[controller_pb2.ControllerMessage],
        context: Context,
    ) -> None:
        """Plans, lease and reports, until either side ends it."""
        city = self._city
        session = session_of(city, context)
        stream = PlanStream(city.clock.mono_ms)
        reader = asyncio.create_task(self._read(requests, session, stream))
        reader.add_done_callback(lambda _: stream.close())
        try:
            # Ends after a write, never within one: that would keep gRPC from ending the call.
            while (message := await stream.next()) is not None:
                await context.write(message)
            if reader.done():
                reader.result()
        finally:
            # First what must be so: a call that ends by itself may be cancelled at the next `await`.
            stream.close()
            reader.cancel()
            if session.stream is stream:
                session.stream = None
                session.state = network_pb2.CONTROLLER_STATE_LOST
                session.changed += 1
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(
        self,
        requests: AsyncIterator[controller_pb2.ControllerMessage],
        session: Session,
        stream: PlanStream,
    ) -> None:
        """Messages of the controller, `Hello` first."""
        async for message in requests:
            kind = message.WhichOneof("body")
            if session.stream is not stream:
                if kind != "hello":
                    raise InvalidInputError("the first message is not Hello", found=str(kind))
                self._greet(message.hello, session, stream)
            elif kind == "heartbeat":
                self._heartbeat(message.heartbeat, session, stream)
            elif kind == "plan_report":
                await self._plan_report(message.plan_report, session, stream)
            elif kind == "override_report" and self._overrides is not None:
                await self._overrides.reported(session, stream, message.override_report)

    def _greet(self, hello: controller_pb2.Hello, session: Session, stream: PlanStream) -> None:
        if hello.boot_id != session.boot_id:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION, "VERSION", "register before connecting"
            )
        check_version(hello.held_version)
        if stream.closed:
            return
        if session.stream is not None:
            session.stream.close()
        session.stream = stream
        session.version = max(session.version, hello.held_version)
        self._city.greet(session)
        if self._overrides is not None:
            self._overrides.greet(session, stream)
        if self._plans is not None:
            held = (hello.held_published_epoch, hello.held_published_version)
            self._plans.greet(session, stream, held)

    def _heartbeat(
        self, beat: controller_pb2.Heartbeat, session: Session, stream: PlanStream
    ) -> None:
        city = self._city
        session.mode, session.level = beat.mode, beat.level
        session.cause = fit_to_show(beat.cause)
        session.clock = beat.clock
        session.lease_until_ms = city.clock.mono_ms() + self._timers.lease_ms
        session.state = network_pb2.CONTROLLER_STATE_LEASED
        session.override_ids = tuple(filter(valid_id, beat.override_ids[:MOST_LEASES]))
        city.took_over(session, beat.published_version)
        session.changed += 1
        if self._overrides is not None:
            self._overrides.heard(session, stream, session.override_ids)
        now_ms = city.clock.unix_ms()
        stream.answer(
            controller_pb2.ServerMessage(
                heartbeat_reply=controller_pb2.HeartbeatReply(
                    seq=beat.seq,
                    received_unix_ms=now_ms,
                    sent_unix_ms=now_ms,
                    lease_ms=self._timers.lease_ms,
                    epoch=city.epoch,
                )
            )
        )

    async def _plan_report(
        self, report: controller_pb2.PlanReport, session: Session, stream: PlanStream
    ) -> None:
        state = report.state
        if report.nonce and not stream.answered(report.nonce):
            return
        report.cause = fit_to_show(report.cause)
        session.plan_reports[report.published] = report
        session.changed += 1
        if report.published:
            if self._plans is not None:
                await self._plans.reported(session, report)
            self._city.progressed()
            return
        if state == plan_pb2.PLAN_STATE_ACCEPTED:
            session.accepted_version = max(session.accepted_version, report.version)
        elif state == plan_pb2.PLAN_STATE_APPLIED:
            session.applied_version = report.version
        elif state == plan_pb2.PLAN_STATE_REJECTED:
            session.quarantined.add(report.version)
            log.warning(
                "plan refused",
                extra={
                    "intersection": session.name,
                    "version": report.version,
                    "cause": report.cause,
                    "rules": [finding.rule[:64] for finding in report.findings[:20]],
                },
            )
        elif state in (plan_pb2.PLAN_STATE_EXPIRED, plan_pb2.PLAN_STATE_REVERTED):
            session.applied_version = 0
        self._city.progressed()
