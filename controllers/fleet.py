"""Many controllers in one process, to see what a server carries.

Each has its own mTLS channel and certificate, registers, watches its plan, checks every signature,
answers, keeps its lease and, if asked to, uploads detector data. There are no lamps behind them: a
schedule is reported to be in force as soon as it is believed.
"""

from __future__ import annotations

import asyncio
import heapq
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.client import REGISTER_TIMEOUT_S, channel_to
from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.convert import envelope_hash, ruleset_sha256
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.models.errors import ServerError
from ampelwerk.models.intersection import Intersection
from ampelwerk.proto.v1 import controller_pb2, plan_pb2, telemetry_pb2
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub

AT_ONCE = 200
"""Controllers that dial in at the same time."""
LOOK_S = 0.02
"""Heartbeats that are due are looked for this often. [s]"""


@dataclass
class FleetFigures:
    """What was measured; times of one machine's clocks."""

    connect_s: float = 0.0
    """From the first dial to the last connected controller. [s]"""
    refused: int = 0
    """Dials that failed."""
    lost: int = 0
    """Streams that ended by themselves."""
    believed: int = 0
    """Schedules whose signature was right."""
    disbelieved: int = 0
    """Schedules whose signature was wrong."""
    push_s: list[float] = field(default_factory=list)
    """From a decision to its schedule's receipt, each schedule. [s]"""
    opened_s: list[float] = field(default_factory=list)
    """From the first batch of detector data, which opens the stream, to its acknowledgement, each stream. [s]"""
    ack_s: list[float] = field(default_factory=list)
    """From a batch of detector data on an open stream to its acknowledgement, each batch. [s]"""
    answers_s: list[float] = field(default_factory=list)
    """From a heartbeat to its answer, each heartbeat. [s]"""


class Member:
    """One controller of the fleet."""

    def __init__(
        self,
        intersection: Intersection,
        detectors: Sequence[str],
        address: str,
        credentials: Credentials,
        clock: Clock,
        verifier: PlanVerifier,
        figures: FleetFigures,
    ) -> None:
        self._intersection, self._detectors = intersection, detectors
        self._address, self._credentials = address, credentials
        self._clock, self._verifier, self._figures = clock, verifier, figures
        self._boot_id = secrets.token_bytes(16)
        self._beats: dict[int, int] = {}
        self._seq = 0
        self.connected = False
        """Its stream of plans is open."""
        self.heartbeat_ms = 5_000
        """Time between its heartbeats. [ms]"""
        self._plans: Any = None
        self._turn = asyncio.Lock()
        self._uploads: Any = None
        self.reader: asyncio.Task[None] | None = None
        """Reads its stream of plans."""
        self._channel: grpc.aio.Channel | None = None

    async def dial(self) -> None:
        """Connect, register, say hello."""
        self._channel = channel_to(self._address, self._credentials)
        stub = ControllerServiceStub(self._channel)
        envelope = self._intersection.envelope
        reply = await stub.Register(
            controller_pb2.RegisterRequest(
                intersection_id=self._intersection.intersection_id,
                boot_id=self._boot_id,
                envelope_sha256=envelope_hash(envelope),
                ruleset_sha256=ruleset_sha256(envelope),
            ),
            timeout=6 * REGISTER_TIMEOUT_S,
        )
        self.heartbeat_ms = reply.heartbeat_ms
        self._plans = stub.Connect()
        hello = controller_pb2.Hello(boot_id=self._boot_id)
        await self._plans.write(controller_pb2.ControllerMessage(hello=hello))
        self.connected = True
        self.reader = asyncio.create_task(self._read())

    async def beat(self) -> None:
        """One heartbeat."""
        now_ms = self._clock.mono_ms()
        self._seq += 1
        self._beats[self._seq] = now_ms
        beat = controller_pb2.Heartbeat(
            seq=self._seq, sent_unix_ms=self._clock.unix_ms(), sent_mono_ms=now_ms
        )
        await self._tell(controller_pb2.ControllerMessage(heartbeat=beat))

    async def _tell(self, message: controller_pb2.ControllerMessage) -> None:
        """Write to the stream of plans; gRPC allows one write at a time."""
        async with self._turn:
            await self._plans.write(message)

    async def upload(self, every_s: float, until_s: float) -> None:
        """Upload a batch again and again, one after another, each acknowledged."""
        loop, seq = asyncio.get_running_loop(), 0
        assert self._channel is not None
        self._uploads = TelemetryServiceStub(self._channel).UploadDetectors()
        due_s = loop.time() + secrets.randbelow(1000) / 1000 * every_s
        while due_s < until_s:
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            seq += 1
            now_ms = self._clock.unix_ms()
            batch = telemetry_pb2.DetectorBatch(
                boot_id=self._boot_id,
                seq=seq,
                from_unix_ms=now_ms - round(every_s * 1000),
                interval_ms=round(every_s * 1000),
            )
            for k, detector in enumerate(self._detectors):
                at_s = now_ms / 1000 - 0.1
                batch.edges.add(detector_id=detector, at_unix_s=at_s, on=(seq + k) % 2 == 1)
            sent_s = loop.time()
            await self._uploads.write(batch)
            ack = await self._uploads.read()
            if ack is grpc.aio.EOF or ack.rejected:
                raise ServerError(
                    f"the server takes no detector data of {self._intersection.intersection_id}",
                    remedy="see whether another controller of that name is connected",
                )
            acks_s = self._figures.ack_s if seq > 1 else self._figures.opened_s
            acks_s.append(loop.time() - sent_s)
            due_s += every_s

    async def leave(self) -> None:
        """End the streams and the channel."""
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.gather(self.reader, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()

    async def _read(self) -> None:
        figures = self._figures
        try:
            async for message in self._plans:
                kind = message.WhichOneof("body")
                if kind == "heartbeat_reply":
                    sent_ms = self._beats.pop(message.heartbeat_reply.seq, None)
                    if sent_ms is not None:
                        figures.answers_s.append((self._clock.mono_ms() - sent_ms) / 1000)
                elif kind == "plan_push":
                    await self._answer(message.plan_push)
        except grpc.aio.AioRpcError:
            pass
        self.connected = False
        figures.lost += 1

    async def _answer(self, push: controller_pb2.PlanPush) -> None:
        """Believe a push or not, and say so."""
        state = plan_pb2.PLAN_STATE_ACCEPTED
        if push.kind == controller_pb2.PUSH_KIND_FULL:
            if self._verifier.wrong_with(push.signed_plan):
                self._figures.disbelieved += 1
                state = plan_pb2.PLAN_STATE_REJECTED
            else:
                self._figures.believed += 1
                plan = plan_pb2.Plan.FromString(push.signed_plan.plan)
                late_ms = self._clock.unix_ms() - plan.rolling.decided_unix_ms
                self._figures.push_s.append(late_ms / 1000)
                state = plan_pb2.PLAN_STATE_APPLIED
        report = controller_pb2.PlanReport(
            nonce=push.nonce, epoch=push.epoch, version=push.version, state=state
        )
        await self._tell(controller_pb2.ControllerMessage(plan_report=report))


class Fleet:
    """All of them."""

    def __init__(self, members: Sequence[Member], figures: FleetFigures, clock: Clock) -> None:
        self._members, self._clock = members, clock
        self.figures = figures
        """What was measured."""
        self._keeper: asyncio.Task[None] | None = None
        self._beats: list[tuple[int, int]] = []

    async def connect(self, told: Callable[[int], None] = lambda count: None) -> None:
        """Dial in, so many at a time.

        Parameters
        ----------
        told : told how many are connected.
        """
        loop = asyncio.get_running_loop()
        gate, started_s, done = asyncio.Semaphore(AT_ONCE), loop.time(), 0
        self._keeper = asyncio.create_task(self._keep_leases())

        async def dial(number: int, member: Member) -> None:
            nonlocal done
            async with gate:
                try:
                    await member.dial()
                except grpc.aio.AioRpcError:
                    self.figures.refused += 1
                else:
                    first_ms = self._clock.mono_ms() + secrets.randbelow(member.heartbeat_ms)
                    heapq.heappush(self._beats, (first_ms, number))
                done += 1
                told(done)

        await asyncio.gather(*(dial(*numbered) for numbered in enumerate(self._members)))
        self.figures.connect_s = loop.time() - started_s

    async def upload(self, uploaders: int, every_s: float, seconds: float) -> None:
        """Let some of them upload for a while."""
        until_s = asyncio.get_running_loop().time() + seconds
        members = [member for member in self._members if member.connected][:uploaders]
        await asyncio.gather(*(member.upload(every_s, until_s) for member in members))

    async def leave(self) -> None:
        """End everything."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        lost = self.figures.lost
        for first in range(0, len(self._members), AT_ONCE):
            some = self._members[first : first + AT_ONCE]
            await asyncio.gather(*(member.leave() for member in some))
        self.figures.lost = lost

    async def _keep_leases(self) -> None:
        """Heartbeats, each at its own time: whoever is held up holds up nobody else."""
        running = set[asyncio.Task[None]]()
        while True:
            now_ms = self._clock.mono_ms()
            while self._beats and self._beats[0][0] <= now_ms:
                due_ms, number = heapq.heappop(self._beats)
                member = self._members[number]
                if member.connected:
                    task = asyncio.create_task(member.beat())
                    running.add(task)
                    task.add_done_callback(running.discard)
                    heapq.heappush(self._beats, (due_ms + member.heartbeat_ms, number))
            await asyncio.sleep(LOOK_S)
