"""A bare grpc.aio server, to see what the machine and gRPC allow: no engine, no sessions, no checks.

It speaks as much of the protocol as a fleet needs: whoever registers is let in, heartbeats are
answered, batches of detector data acknowledged, and now and then the same signed schedule goes to all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.service.server import OPTIONS
from ampelwerk.controllers.signing import PlanSigner
from ampelwerk.proto.v1 import controller_pb2, plan_pb2, telemetry_pb2
from ampelwerk.proto.v1.controller_pb2_grpc import (
    ControllerServiceServicer,
    add_ControllerServiceServicer_to_server,
)
from ampelwerk.proto.v1.telemetry_pb2_grpc import (
    TelemetryServiceServicer,
    add_TelemetryServiceServicer_to_server,
)


class _Stream:
    """One stream of plans; gRPC allows one write at a time."""

    def __init__(self, context: Any) -> None:
        self._context, self._turn = context, asyncio.Lock()

    async def write(self, message: controller_pb2.ServerMessage) -> None:
        async with self._turn:
            await self._context.write(message)


class BareServer(ControllerServiceServicer, TelemetryServiceServicer):
    """The server.

    Parameters
    ----------
    all_every_s : time between two schedules to all. [s]
    """

    def __init__(self, credentials: Credentials, signer: PlanSigner, all_every_s: float) -> None:
        self._signer, self._all_every_s = signer, all_every_s
        self._streams = set[_Stream]()
        self._begun = asyncio.Event()
        self._server = grpc.aio.server(options=OPTIONS)
        add: Any = add_ControllerServiceServicer_to_server
        add(self, self._server)
        add = add_TelemetryServiceServicer_to_server
        add(self, self._server)
        self.port = self._server.add_secure_port(
            "127.0.0.1:0",
            grpc.ssl_server_credentials(
                [(credentials.key, credentials.certificate)],
                root_certificates=credentials.authority,
                require_client_auth=True,
            ),
        )
        """Where it listens."""

    def begin(self) -> None:
        """From now on send schedules."""
        self._begun.set()

    async def run_until(self, stop: asyncio.Event) -> None:
        """Serve until told to stop."""
        await self._server.start()
        pushing = asyncio.create_task(self._push_to_all())
        await stop.wait()
        pushing.cancel()
        await self._server.stop(None)

    async def Register(
        self, request: controller_pb2.RegisterRequest, context: Any
    ) -> controller_pb2.RegisterReply:
        """Anybody."""
        return controller_pb2.RegisterReply(epoch=1, heartbeat_ms=5_000, lease_ms=20_000)

    async def Connect(
        self, requests: AsyncIterator[controller_pb2.ControllerMessage], context: Any
    ) -> None:
        """Answer heartbeats."""
        stream = _Stream(context)
        self._streams.add(stream)
        try:
            async for message in requests:
                if message.WhichOneof("body") == "heartbeat":
                    reply = controller_pb2.HeartbeatReply(seq=message.heartbeat.seq)
                    await stream.write(controller_pb2.ServerMessage(heartbeat_reply=reply))
        finally:
            self._streams.discard(stream)

    async def UploadDetectors(
        self, requests: AsyncIterator[telemetry_pb2.DetectorBatch], context: Any
    ) -> None:
        """Acknowledge."""
        async for batch in requests:
            await context.write(telemetry_pb2.UploadAck(acked_seq=batch.seq))

    async def _push_to_all(self) -> None:
        await self._begun.wait()
        while True:
            await asyncio.sleep(self._all_every_s)
            plan = plan_pb2.Plan(
                rolling=plan_pb2.RollingSchedule(decided_unix_ms=time.time_ns() // 1_000_000)
            )
            push = controller_pb2.PlanPush(
                kind=controller_pb2.PUSH_KIND_FULL, nonce=1, signed_plan=self._signer.signed(plan)
            )
            for stream in list(self._streams):
                await stream.write(controller_pb2.ServerMessage(plan_push=push))
