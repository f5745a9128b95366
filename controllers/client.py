"""The reference roadside client: carries a `Roadside` over one mTLS channel.

Needs grpcio, protobuf, cryptography and the standard library, nothing else. It dials in, registers,
opens three streams (plans, detector data, signal states) and dials again after any break, at a
random moment within the window that the server names, so that a restarted server is not overrun.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

import grpc

from ampelwerk.controllers.certificates import SERVER_NAME, Credentials
from ampelwerk.controllers.errors_told import as_error
from ampelwerk.controllers.roadside import Roadside
from ampelwerk.controllers.uploads import Batch, UploadBuffer
from ampelwerk.models.errors import ServerError
from ampelwerk.proto.v1.controller_pb2 import PriorityRelease, PriorityRequest
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.override_pb2 import Override
from ampelwerk.proto.v1.telemetry_pb2 import UploadAck
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub

REGISTER_TIMEOUT_S = 10.0
"""Deadline of unary calls. [s]"""
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Bounds of the window in which a failed dial is repeated; it doubles each time. [s]"""
ASK_TIMEOUT_S = 5.0
"""A vehicle does not wait for longer. [s]"""
ALARMS_EVERY_S = 2.0
"""Alarms are told at most this often. [s]"""
MAX_RECEIVE_BYTES = 256 * 1024
"""Largest message taken. [B]"""
CHANNEL_OPTIONS = (
    ("grpc.ssl_target_name_override", SERVER_NAME),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.http2.bdp_probe", 0),
)
"""Both sides notice a dead link within 15 s; retries are this file's own business; messages are too
small for a measurement of the bandwidth, a ping with every one."""
log = logging.getLogger("ampelwerk.client")


def channel_to(address: str, credentials: Credentials) -> grpc.aio.Channel:
    """An mTLS channel to a server."""
    return grpc.aio.secure_channel(
        address,
        grpc.ssl_channel_credentials(
            root_certificates=credentials.authority,
            private_key=credentials.key,
            certificate_chain=credentials.certificate,
        ),
        options=CHANNEL_OPTIONS,
    )


class RoadsideClient:
    """Keeps one controller connected.

    Parameters
    ----------
    address : host and port of the server.
    progressed : called whenever a message has come or gone.
    """

    def __init__(
        self,
        roadside: Roadside,
        address: str,
        credentials: Credentials,
        *,
        progressed: Callable[[], None] = lambda: None,
    ) -> None:
        self.roadside, self._address, self._credentials = roadside, address, credentials
        self._progressed = progressed
        self._wake, self._alarms = asyncio.Event(), asyncio.Event()
        roadside.wake = self._wake.set
        self.connected = False
        """The three streams are open."""
        self.dials = 0
        """Times it has dialled."""
        self.loss = ""
        """Why there was no link last, empty if there always was."""
        self.allowed = asyncio.Event()
        """The link may be used; a test that cuts it clears this."""
        self.allowed.set()
        self._session: asyncio.Task[None] | None = None
        self._window_s: float | None = None
        self._controller: Any = None

    async def run(self) -> None:
        """Stay connected until cancelled."""
        window_s = FIRST_RETRY_S
        while True:
            await self.allowed.wait()
            self.dials += 1
            self._session = asyncio.create_task(self._connect())
            try:
                await asyncio.shield(self._session)
            except grpc.aio.AioRpcError as error:
                self.loss = f"{error.code().name}: {error.details()}"
                log.info("link lost: %s", self.loss)
            except asyncio.InvalidStateError:  # so gRPC refuses to write to a call that has ended
                self.loss = "it ended while something was written"
                log.info("link lost: %s", self.loss)
            except asyncio.CancelledError:
                if not self._session.cancelled():
                    await _end(self._session)
                    raise
            except Exception:
                log.exception("link lost")
            finally:
                self.connected, self._controller = False, None
                self.roadside.disconnected()
                self._progressed()
            # The server has named the window; one that never answered is asked ever less.
            window_s = self._window_s or min(2 * window_s, LONGEST_RETRY_S)
            if self.allowed.is_set():
                await asyncio.sleep(random.uniform(0.0, window_s))

    async def request_priority(
        self,
        group_id: str,
        eta_unix_ms: int,
        *,
        ttl_ms: int,
        reason: str,
        key: bytes,
        supersede: bool = False,
    ) -> Override:
        """Ask for green for a bus or tram that has announced itself here.

        Parameters
        ----------
        eta_unix_ms : when it will be at the stop line. [ms]
        ttl_ms : it ends by itself after this time. [ms]
        reason : line and vehicle, for the audit.
        key : 16 random bytes; asking again with them has no second effect.
        supersede : take the place of what was asked for before.

        Raises
        ------
        RequestRefusedError, InvalidInputError : with what the server says.
        ServerError : there is no line, or the server does not answer; requests are not kept for later.
        """
        return await self._ask(
            "RequestPriority",
            PriorityRequest(
                intersection_id=self.roadside.intersection.intersection_id,
                idempotency_key=key,
                group_id=group_id,
                eta_unix_ms=eta_unix_ms,
                ttl_ms=ttl_ms,
                reason=reason,
                supersede=supersede,
            ),
        )

    async def release_priority(self, override_id: str, *, key: bytes) -> Override:
        """The vehicle has passed, or will not come; errors as in `request_priority`."""
        return await self._ask(
            "ReleasePriority",
            PriorityRelease(
                intersection_id=self.roadside.intersection.intersection_id,
                idempotency_key=key,
                override_id=override_id,
            ),
        )

    async def _ask(self, method: str, message: Any) -> Override:
        if self._controller is None:
            raise ServerError("there is no line to the server; requests are not kept for later")
        try:
            reply: Override = await getattr(self._controller, method)(
                message, timeout=ASK_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise as_error(error) from error
        return reply

    async def cut(self) -> None:
        """Break the link, as if the line were cut, until `allowed` is set again."""
        self.allowed.clear()
        if self._session is not None:
            await _end(self._session)

    async def _connect(self) -> None:
        """One connection, until it breaks."""
        async with channel_to(self._address, self._credentials) as channel:
            controller, telemetry = ControllerServiceStub(channel), TelemetryServiceStub(channel)
            roadside = self.roadside
            reply = await controller.Register(roadside.registration(), timeout=REGISTER_TIMEOUT_S)
            plans = controller.Connect()
            detectors, events = telemetry.UploadDetectors(), telemetry.UploadEvents()
            roadside.connected(reply)
            self._window_s = reply.reconnect_window_ms / 1000
            self.connected, self._controller = True, controller
            roadside.alarms.news = True
            self._wake.set()
            await _until_one_ends(
                self._read_plans(plans),
                self._read_acks(detectors, roadside.detectors),
                self._read_acks(events, roadside.events),
                self._write(plans, detectors, events),
                self._tell_alarms(telemetry),
            )

    async def _write(self, plans: Any, detectors: Any, events: Any) -> None:
        """Send whatever there is to send."""
        roadside = self.roadside
        while True:
            await self._wake.wait()
            self._wake.clear()
            while roadside.outbox:
                await plans.write(roadside.outbox.popleft())
            await _send(events, roadside.events)
            await _send(detectors, roadside.detectors)
            if roadside.alarms.news:
                self._alarms.set()
            self._progressed()

    async def _tell_alarms(self, telemetry: Any) -> None:
        """All alarms after the connect, and whenever one has come or gone."""
        while True:
            await self._alarms.wait()
            self._alarms.clear()
            try:
                report = self.roadside.alarms.report()
                await telemetry.ReportAlarms(report, timeout=REGISTER_TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                log.warning("alarms not told: %s %s", error.code().name, error.details())
                self.roadside.alarms.news = True  # once more with the next message
            await asyncio.sleep(ALARMS_EVERY_S)

    async def _read_plans(self, stream: Any) -> None:
        async for message in stream:
            self.roadside.receive(message)
            self._progressed()

    async def _read_acks(self, stream: Any, buffer: UploadBuffer[Any]) -> None:
        ack: UploadAck
        async for ack in stream:
            buffer.acknowledge(ack.acked_seq)
            for rejected in ack.rejected:
                log.warning("batch %d refused: %s", rejected.seq, rejected.rule)
            self._progressed()


async def _send(stream: Any, buffer: UploadBuffer[Batch]) -> None:
    while (batch := buffer.next()) is not None:
        await stream.write(batch)


async def _until_one_ends(*parts: Coroutine[Any, Any, None]) -> None:
    """Run parts side by side; the end of one, or a failure, is the end of all."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
