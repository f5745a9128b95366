"""A peer that says what a test says, over a channel of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc

from ampelwerk.controllers.convert import envelope_hash, ruleset_sha256
from ampelwerk.proto.v1 import (
    controller_pb2,
    plan_pb2,
)
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from tests.controllers.city import crossroads

BOOT = bytes(range(16))


def registration(name: str, **changes: Any) -> controller_pb2.RegisterRequest:
    envelope = crossroads(name).envelope
    request = controller_pb2.RegisterRequest(
        intersection_id=name,
        boot_id=BOOT,
        envelope_sha256=envelope_hash(envelope),
        ruleset_sha256=ruleset_sha256(envelope),
    )
    for field, value in changes.items():
        setattr(request, field, value)
    return request


class Peer:
    """A controller by hand, to misbehave."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._controller = ControllerServiceStub(channel)
        self.telemetry = TelemetryServiceStub(channel)
        self._say: asyncio.Queue[controller_pb2.ControllerMessage] = asyncio.Queue()

    async def dial(self, name: str, *, capabilities: Sequence[str] = (), **held: int) -> None:
        request = registration(name)
        request.capabilities.extend(capabilities)
        await self._controller.Register(request, timeout=5)
        self.stream = self._controller.Connect(self._messages())
        self.say(hello=controller_pb2.Hello(boot_id=BOOT, **held))

    async def _messages(self) -> AsyncIterator[controller_pb2.ControllerMessage]:
        while True:
            yield await self._say.get()

    def say(self, **body: Any) -> None:
        self._say.put_nowait(controller_pb2.ControllerMessage(**body))

    def report(self, push: controller_pb2.PlanPush, state: plan_pb2.PlanState, **more: Any) -> None:
        report = controller_pb2.PlanReport(
            nonce=push.nonce, version=push.version, state=state, published=push.published, **more
        )
        self.say(plan_report=report)

    async def message(self, kind: str) -> controller_pb2.ServerMessage:
        """The next message of a kind."""
        message: controller_pb2.ServerMessage
        async for message in self.stream:
            if message.WhichOneof("body") == kind:
                return message
        raise AssertionError("the stream has ended")

    async def push(self) -> controller_pb2.PlanPush:
        return (await self.message("plan_push")).plan_push

    async def published(self) -> controller_pb2.PlanPush:
        """The next push of a published plan; others are accepted on the way."""
        while True:
            push = await self.push()
            if push.published:
                return push
            self.report(push, plan_pb2.PLAN_STATE_ACCEPTED)

    async def pulled(self, name: str, **held: int) -> controller_pb2.GetPlanReply:
        """What `GetPlan` gives."""
        request = controller_pb2.GetPlanRequest(intersection_id=name, **held)
        reply: controller_pb2.GetPlanReply = await self._controller.GetPlan(request, timeout=5)
        return reply
