"""Plans for the made-up road, somebody who publishes them, and streets that tick."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc

from ampelwerk.controllers.identity import Kind
from ampelwerk.proto.v1 import alarm_pb2, plan_pb2
from ampelwerk.proto.v1.alarm_pb2_grpc import AlarmServiceStub
from ampelwerk.proto.v1.plan_pb2_grpc import PlanServiceStub
from tests.controllers.control_room import MAIN, SIDE, Street, key
from tests.controllers.live import Live, running

CYCLE_START, NEXT_STAGE, AT = (
    plan_pb2.ACTIVATION_CYCLE_START,
    plan_pb2.ACTIVATION_NEXT_STAGE,
    plan_pb2.ACTIVATION_AT,
)
SUPERSEDED, REVERTED = plan_pb2.PLAN_STATE_SUPERSEDED, plan_pb2.PLAN_STATE_REVERTED
QUARANTINED, VERIFIED = plan_pb2.PLAN_STATE_QUARANTINED, plan_pb2.PLAN_STATE_VERIFIED
PUBLISHED, ACCEPTED = plan_pb2.PLAN_STATE_PUBLISHED, plan_pb2.PLAN_STATE_ACCEPTED
APPLIED = plan_pb2.PLAN_STATE_APPLIED


def cyclic(main_s: int = 40, cycle_s: int = 80, name: str = "evening") -> plan_pb2.CyclicPlan:
    """A plan of the crossroads: main road, then side road."""
    return plan_pb2.CyclicPlan(
        plan_id=name,
        cycle_ms=cycle_s * 1000,
        offset_ms=0,
        reference_stage_id=MAIN,
        stages=[
            plan_pb2.CyclicStage(stage_id=MAIN, start_ms=0, split_ms=main_s * 1000),
            plan_pb2.CyclicStage(
                stage_id=SIDE, start_ms=main_s * 1000, split_ms=(cycle_s - main_s) * 1000
            ),
        ],
        transition=plan_pb2.TRANSITION_DWELL,
    )


def plan(place: str = "north", **of: Any) -> plan_pb2.Plan:
    """That plan for an intersection."""
    return plan_pb2.Plan(intersection_id=place, cyclic=cyclic(**of))


def unsafe(place: str = "north") -> plan_pb2.Plan:
    """A plan whose side road gets no green in time."""
    return plan(place, main_s=77)


def asked(wanted: plan_pb2.Plan, **changes: Any) -> plan_pb2.PublishRequest:
    """A request to publish, with changes."""
    usual: dict[str, Any] = {
        "idempotency_key": key(),
        "plan": wanted,
        "activation": CYCLE_START,
        "reason": "new evening plan",
    }
    return plan_pb2.PublishRequest(**{**usual, **changes})


class Author:
    """Somebody with a certificate who speaks of plans."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub, self._alarms = PlanServiceStub(channel), AlarmServiceStub(channel)

    async def publish(self, request: plan_pb2.PublishRequest) -> plan_pb2.PublishReply:
        reply: plan_pb2.PublishReply = await self._stub.Publish(request, timeout=5)
        return reply

    async def together(
        self, *plans: plan_pb2.Plan, expected: int = 0, **changes: Any
    ) -> plan_pb2.PublishTogetherReply:
        usual: dict[str, Any] = {
            "idempotency_key": key(),
            "plans": [plan_pb2.PlanOfBatch(plan=one, expected_version=expected) for one in plans],
            "activation": NEXT_STAGE,
            "reason": "green band on the road",
        }
        request = plan_pb2.PublishTogetherRequest(**{**usual, **changes})
        reply: plan_pb2.PublishTogetherReply = await self._stub.PublishTogether(request, timeout=5)
        return reply

    async def rollback(self, version: int, expected: int, **changes: Any) -> plan_pb2.PublishReply:
        usual: dict[str, Any] = {
            "intersection_id": "north",
            "to_version": version,
            "expected_version": expected,
            "reason": "it was better before",
            "idempotency_key": key(),
        }
        request = plan_pb2.RollbackRequest(**{**usual, **changes})
        reply: plan_pb2.PublishReply = await self._stub.Rollback(request, timeout=5)
        return reply

    async def verify(self, wanted: plan_pb2.Plan) -> list[str]:
        reply = await self._stub.Verify(plan_pb2.VerifyRequest(plan=wanted), timeout=5)
        return [finding.rule for finding in reply.findings]

    async def get(self, place: str, version: int) -> plan_pb2.GetStoredPlanReply:
        request = plan_pb2.GetStoredPlanRequest(intersection_id=place, version=version)
        reply: plan_pb2.GetStoredPlanReply = await self._stub.Get(request, timeout=5)
        return reply

    async def listed(self, place: str = "") -> list[plan_pb2.PlanVersion]:
        request = plan_pb2.ListPlansRequest(intersection_id=place)
        return list((await self._stub.List(request, timeout=5)).plans)

    async def states(self, place: str = "north") -> list[int]:
        """States of an intersection's versions, the first first."""
        return [version.state for version in await self.listed(place)]

    async def alarms(self) -> list[alarm_pb2.Alarm]:
        return list((await self._alarms.List(alarm_pb2.ListAlarmsRequest(), timeout=5)).alarms)


class PlanRoom:
    """A server, its store, people and streets."""

    def __init__(self, there: Live, store: Path, stack: AsyncExitStack) -> None:
        self.there, self.store, self._stack = there, store, stack

    async def author(self, kind: Kind = Kind.SUPERVISOR, name: str = "eve") -> Author:
        return Author(await self.line(kind, name))

    async def line(self, kind: Kind, name: str) -> grpc.aio.Channel:
        """Somebody's channel."""
        return await self._stack.enter_async_context(self.there.channel(kind, name))

    async def street(self, *names: str, plan_file: Path | None = None) -> Street:
        """Controllers that tick; one alone may keep its plans in a file."""
        clients = [
            await self._stack.enter_async_context(self.there.connected(name, plan_file=plan_file))
            for name in names
        ]
        return Street(self.there, *clients)


def plan_room(
    test: Callable[[PlanRoom], Coroutine[Any, Any, None]],
) -> Callable[[Path], None]:
    """A test with a server that takes plans."""

    def run(tmp_path: Path) -> None:
        async def inside() -> None:
            store = tmp_path / "store.sqlite3"
            async with running(store=store) as there, AsyncExitStack() as stack:
                await test(PlanRoom(there, store, stack))

        asyncio.run(inside())

    run.__name__ = test.__name__
    return run
