"""The gRPC server of a city: mTLS, the gate, the services, health, a graceful end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION
from grpc_reflection.v1alpha.reflection import enable_server_reflection

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.service.alarm_book import AlarmBook
from ampelwerk.controllers.service.alarm_service import AlarmService
from ampelwerk.controllers.service.audit_service import AuditService
from ampelwerk.controllers.service.controller_service import ControllerService, Timers
from ampelwerk.controllers.service.decision_service import DecisionService
from ampelwerk.controllers.service.gate import Gate
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.network_service import NetworkService
from ampelwerk.controllers.service.override_dispatch import OverrideDispatch
from ampelwerk.controllers.service.override_requests import OverrideRequests
from ampelwerk.controllers.service.override_service import OverrideService
from ampelwerk.controllers.service.plan_dispatch import PlanDispatch
from ampelwerk.controllers.service.plan_service import PlanService
from ampelwerk.controllers.service.rates import RATES, Buckets
from ampelwerk.controllers.service.telemetry_service import TelemetryService
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.proto.v1 import (
    alarm_pb2_grpc,
    audit_pb2_grpc,
    controller_pb2,
    controller_pb2_grpc,
    decision_pb2_grpc,
    network_pb2,
    network_pb2_grpc,
    override_pb2_grpc,
    plan_pb2_grpc,
    telemetry_pb2_grpc,
)

DRAIN_S = 15.0
"""Calls that run get so long to end. [s]"""
LINGER_S = 2.0
"""Streams that end by themselves get so long. [s]"""
LINGERING = (
    "/ampelwerk.v1.ControllerService/Connect",
    "/ampelwerk.v1.NetworkService/Watch",
    "/grpc.health.v1.Health/Watch",
)
"""Streams that still have something to say when the server stops."""
SWEEP_S = 1.0
"""Leases and unanswered pushes are looked at this often. [s]"""
OPTIONS = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.max_receive_message_length", 256 * 1024),
    ("grpc.max_metadata_size", 8 * 1024),
    ("grpc.max_concurrent_streams", 8),
    ("grpc.so_reuseport", 0),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.tsi.max_frame_size", 4096),
)
"""Bounds against slow, dead and hostile peers; and no measurement of the bandwidth, which costs a ping with
every message."""


class Server:
    """Services over a live city.

    Parameters
    ----------
    address : where to listen, such as 127.0.0.1:0 for any free port.
    city_name : trust domain of the certificates.
    reflection : tell clients what the interface looks like; for development.
    called : told method and status of every call that has ended.
    overrides : desk of the control room; without one it offers neither overrides, plans nor audit.
    limited : nobody may call too often.
    """

    def __init__(
        self,
        city: LiveCity,
        address: str,
        credentials: Credentials,
        *,
        city_name: str,
        timers: Timers | None = None,
        reflection: bool = False,
        called: Callable[[str, grpc.StatusCode], None] = lambda method, status: None,
        overrides: OverrideDispatch | None = None,
        limited: bool = True,
    ) -> None:
        self.city, self.timers, self.overrides = city, timers or Timers(), overrides
        self._address = address
        self.port = 0
        """Port it listens on."""
        self._gate = Gate(
            city_name,
            Buckets(city.clock.mono_ms, RATES if limited else {}),
            called,
            overrides.clerk.turned_away if overrides else None,
        )
        self._server = grpc.aio.server(interceptors=[self._gate], options=OPTIONS)
        self._credentials = grpc.ssl_server_credentials(
            [(credentials.key, credentials.certificate)],
            root_certificates=credentials.authority,
            require_client_auth=True,
        )
        requests: OverrideRequests | None = None
        self._plans: PlanDispatch | None = None
        if overrides is not None:
            requests = OverrideRequests(overrides)
            self._plans = PlanDispatch(city, overrides.clerk, self.timers.ack_timeout_ms)
        self._stopping = asyncio.Event()
        self._alarms = AlarmBook(city, overrides.clerk if overrides is not None else None)
        self.telemetry = TelemetryService(city, self._alarms)
        self._health = HealthServicer()
        services: list[tuple[Any, object, str]] = [
            (
                controller_pb2_grpc.add_ControllerServiceServicer_to_server,
                ControllerService(city, self.timers, overrides, requests, self._plans),
                "ampelwerk.v1.ControllerService",
            ),
            (
                telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server,
                self.telemetry,
                "ampelwerk.v1.TelemetryService",
            ),
            (
                network_pb2_grpc.add_NetworkServiceServicer_to_server,
                NetworkService(city, overrides, self._stopping),
                "ampelwerk.v1.NetworkService",
            ),
            (
                alarm_pb2_grpc.add_AlarmServiceServicer_to_server,
                AlarmService(city, self._alarms),
                "ampelwerk.v1.AlarmService",
            ),
            (
                decision_pb2_grpc.add_DecisionServiceServicer_to_server,
                DecisionService(city),
                "ampelwerk.v1.DecisionService",
            ),
            (health_pb2_grpc.add_HealthServicer_to_server, self._health, "grpc.health.v1.Health"),
        ]
        self._closing: list[Callable[[], None]] = []
        if overrides is not None and requests is not None and self._plans is not None:
            plans = PlanService(city, self._plans, overrides.clerk)
            room = OverrideService(city, overrides, requests)
            self._closing += [room.forecaster.close, plans.close]
            services += (
                (
                    override_pb2_grpc.add_OverrideServiceServicer_to_server,
                    room,
                    "ampelwerk.v1.OverrideService",
                ),
                (
                    plan_pb2_grpc.add_PlanServiceServicer_to_server,
                    plans,
                    "ampelwerk.v1.PlanService",
                ),
                (
                    audit_pb2_grpc.add_AuditServiceServicer_to_server,
                    AuditService(overrides.clerk),
                    "ampelwerk.v1.AuditService",
                ),
            )
        for add, servicer, _ in services:
            add(servicer, self._server)
        self.services = tuple(name for _, _, name in services)
        """Names of the services offered."""
        if reflection:
            enable_server_reflection((*self.services, REFLECTION), self._server)
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        InvalidInputError : the address is taken or not ours.
        """
        try:
            self.port = self._server.add_secure_port(self._address, self._credentials)
        except RuntimeError as error:
            raise InvalidInputError(
                "cannot listen there", where=self._address, remedy="choose another address"
            ) from error
        await self._server.start()
        await self._health.set("", HealthCheckResponse.SERVING)
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Say goodbye, let calls end, stop.

        Controllers hear `Goodbye` as the last message of their stream of plans; whoever watches sees
        the end of the stream; other streams are refused with DRAINING.
        """
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._health.enter_graceful_shutdown()
        self._stopping.set()
        goodbye = controller_pb2.Goodbye(reason="the server stops", retry_after_ms=1_000)
        for session in self.city.sessions:
            if session.stream is not None:
                session.stream.answer(controller_pb2.ServerMessage(goodbye=goodbye))
                session.stream.close()
        stopped = asyncio.create_task(self._server.stop(DRAIN_S))  # nobody new from here on
        self._gate.drain(*LINGERING)
        if not await self._gate.settled(LINGER_S):
            self._gate.drain()
        await stopped
        await self._gate.settled(LINGER_S)
        if self.overrides is not None:
            await self.overrides.clerk.close()
        for close in self._closing:
            close()
        self.city.close()

    async def _sweep(self) -> None:
        """Close streams whose controller does not answer."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep()

    def sweep(self) -> None:
        """Look at leases, overrides, batches, unanswered pushes and gaps in detector data once."""
        if self.overrides is not None:
            self.overrides.tick()
        if self._plans is not None:
            self._plans.tick()
        self._alarms.tick()
        now_ms = self.city.clock.mono_ms()
        for session in self.city.sessions:
            for batch in session.detector_inbox.due(now_ms):
                self.city.take_edges(session, batch)
            stream = session.stream
            if stream is None:
                continue
            if (
                session.state == network_pb2.CONTROLLER_STATE_LEASED
                and now_ms >= session.lease_until_ms
            ):
                session.state = network_pb2.CONTROLLER_STATE_STALE
                session.changed += 1
            since_ms = stream.waits_since_ms()
            if since_ms is not None and now_ms - since_ms > self.timers.ack_timeout_ms:
                stream.close()
