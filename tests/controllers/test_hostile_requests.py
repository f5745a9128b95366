"""Every method of every service, with whatever a hostile peer may send: refused, and nothing changes.

The messages are made from the interface itself: a method or a field that is added later is tried, too.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.service.access import ALLOWED, COMMANDS
from ampelwerk.proto.v1 import (
    alarm_pb2,
    audit_pb2,
    common_pb2,
    controller_pb2,
    decision_pb2,
    network_pb2,
    override_pb2,
    plan_pb2,
    telemetry_pb2,
)
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from tests.controllers.control_room import asked, key, records
from tests.controllers.live import BEGIN_MS, Live, refusal, running, until
from tests.controllers.peer import BOOT, registration
from tests.controllers.plan_room import AT, plan
from tests.controllers.plan_room import asked as publish
from tests.controllers.test_access import METHODS
from tests.controllers.test_plan_convert import calendar

Status = grpc.StatusCode
REFUSALS = {
    Status.INVALID_ARGUMENT, Status.NOT_FOUND, Status.PERMISSION_DENIED, Status.FAILED_PRECONDITION,
    Status.ABORTED, Status.ALREADY_EXISTS, Status.OUT_OF_RANGE, Status.RESOURCE_EXHAUSTED,
}  # fmt: skip
TYPES = FieldDescriptor
TEXTS = ("", "x" * 5_000, "\x1b[2J", "a\x00b", "../../etc/passwd", "' OR 1=1 --", "[red]")
VALUES: dict[int, tuple[object, ...]] = {
    TYPES.CPPTYPE_DOUBLE: (math.nan, math.inf, -math.inf, -1.0, 1e308),
    TYPES.CPPTYPE_INT32: (-1, -(2**31), 2**31 - 1),
    TYPES.CPPTYPE_INT64: (-1, -(2**63), 2**63 - 1, BEGIN_MS + 10**12),
    TYPES.CPPTYPE_UINT32: (0, 2**32 - 1),
    TYPES.CPPTYPE_UINT64: (0, 2**64 - 1),
    TYPES.CPPTYPE_ENUM: (0, 9_999, -1),
    TYPES.CPPTYPE_STRING: TEXTS,
}
INTERNALS = ("Traceback", ".py", "sqlalchemy", "sqlite", "object at", "site-packages", "/tmp")
IGNORED = {"reason", "plan_id"}
"""Texts of commands, which may say anything that prints: an odd one is no reason to refuse."""
NORTH = "north"


def bases() -> dict[str, list[Message]]:
    """What makes sense, by method; a stream gets all of it."""
    clock = common_pb2.ClockStatus(source=common_pb2.CLOCK_SOURCE_NTP, last_sync_unix_ms=BEGIN_MS)
    release = {"override_id": "o1", "idempotency_key": key()}
    edge = telemetry_pb2.DetectorEdge(
        detector_id="north.main", at_unix_s=BEGIN_MS / 1000 - 0.5, on=True
    )
    sample = telemetry_pb2.DetectorSample(
        detector_id="north.main", count=1, occupied_ms=10, speed_mps=3.0, class_counts=[1]
    )
    group = telemetry_pb2.GroupState(group_id="main", aspect=common_pb2.ASPECT_GREEN)
    state = telemetry_pb2.SignalState(
        stage_id="main-stage", groups=[group], stage_since_unix_ms=BEGIN_MS - 1_000,
        next_stage_from_unix_ms=BEGIN_MS,
    )  # fmt: skip
    say = controller_pb2.ControllerMessage
    week, later = calendar(), BEGIN_MS + 60_000
    week.intersection_id = NORTH
    return {
        "ControllerService/Register": [registration(NORTH, held_version=1)],
        "ControllerService/GetPlan": [controller_pb2.GetPlanRequest(intersection_id=NORTH)],
        "ControllerService/Connect": [
            say(hello=controller_pb2.Hello(boot_id=BOOT)),
            say(heartbeat=controller_pb2.Heartbeat(seq=1, override_ids=["o1"], clock=clock)),
            say(plan_report=controller_pb2.PlanReport(
                nonce=1, version=1, state=plan_pb2.PLAN_STATE_ACCEPTED,
                findings=[common_pb2.Finding(rule="INTERGREEN", group_ids=["main"])],
            )),
            say(override_report=controller_pb2.OverrideReport(override_id="o1", cause="RELEASED")),
        ],
        "ControllerService/RequestPriority": [controller_pb2.PriorityRequest(
            intersection_id=NORTH, idempotency_key=key(), group_id="side",
            eta_unix_ms=BEGIN_MS + 30_000, ttl_ms=60_000, reason="line 5, vehicle 17",
        )],
        "ControllerService/ReleasePriority": [
            controller_pb2.PriorityRelease(intersection_id=NORTH, **release)  # type: ignore[arg-type]
        ],
        "TelemetryService/UploadDetectors": [telemetry_pb2.DetectorBatch(
            boot_id=BOOT, seq=1, from_unix_ms=BEGIN_MS - 1_000, interval_ms=1_000, edges=[edge],
            samples=[sample],
        )],
        "TelemetryService/UploadEvents": [telemetry_pb2.EventBatch(
            boot_id=BOOT, seq=1, state=state,
            hires=[telemetry_pb2.HiResEvent(at_unix_ms=BEGIN_MS, code=1, parameter=1)],
        )],
        "TelemetryService/ReportAlarms": [telemetry_pb2.ReportAlarmsRequest(alarms=[
            alarm_pb2.Alarm(alarm_id="a1", code="c1", active=True, raised_unix_ms=BEGIN_MS)
        ])],
        "NetworkService/Get": [network_pb2.GetNetworkRequest(intersection_ids=[NORTH])],
        "NetworkService/Watch": [network_pb2.WatchNetworkRequest(intersection_ids=[NORTH])],
        "OverrideService/List": [override_pb2.ListOverridesRequest(intersection_id=NORTH)],
        "OverrideService/Preview": [asked()],
        "OverrideService/Request": [asked()],
        "OverrideService/Renew": [override_pb2.RenewRequest(ttl_ms=9_000, **release)],  # type: ignore[arg-type]
        "OverrideService/Release": [override_pb2.ReleaseRequest(**release)],  # type: ignore[arg-type]
        "OverrideService/Approve": [override_pb2.ApproveRequest(**release)],  # type: ignore[arg-type]
        "AlarmService/List": [alarm_pb2.ListAlarmsRequest(intersection_id=NORTH)],
        "AlarmService/Acknowledge": [
            alarm_pb2.AcknowledgeAlarmRequest(intersection_id=NORTH, alarm_id="a0")
        ],
        "DecisionService/Explain": [decision_pb2.ExplainRequest(intersection_id=NORTH)],
        "AuditService/Query": [audit_pb2.QueryAuditRequest(from_seq=1)],
        "PlanService/List": [plan_pb2.ListPlansRequest(intersection_id=NORTH)],
        "PlanService/Get": [plan_pb2.GetStoredPlanRequest(intersection_id=NORTH, version=1)],
        "PlanService/Verify": [plan_pb2.VerifyRequest(plan=plan()), plan_pb2.VerifyRequest(plan=week)],
        "PlanService/Publish": [publish(plan()), publish(week, activation=AT, at_unix_ms=later)],
        "PlanService/PublishTogether": [plan_pb2.PublishTogetherRequest(
            idempotency_key=key(), plans=[plan_pb2.PlanOfBatch(plan=plan())], activation=AT,
            at_unix_ms=later, reason="a green band",
        )],
        "PlanService/Rollback": [plan_pb2.RollbackRequest(
            intersection_id=NORTH, to_version=1, reason="it was better", idempotency_key=key()
        )],
        "AuditService/GetCheckpoint": [audit_pb2.GetCheckpointRequest()],
    }  # fmt: skip


def spoilt(message: Message) -> Iterator[tuple[str, Message]]:
    """The message with one field at a time as it should not be, fields within fields included."""
    for field in message.DESCRIPTOR.fields:
        for path, value in _bad(message, field):
            changed = type(message)()
            changed.CopyFrom(message)
            if field.is_repeated:
                changed.ClearField(field.name)
                getattr(changed, field.name).extend(value)
            elif field.message_type is not None:
                getattr(changed, field.name).CopyFrom(value)
            else:
                setattr(changed, field.name, value)
            if changed != message:
                yield path, changed


def _bad(message: Message, field: FieldDescriptor) -> Iterator[tuple[str, Any]]:
    """Values of a field, with its name, or the path to what is odd within it."""
    name = field.name
    if field.message_type is not None:
        there = getattr(message, name)
        parts = list(there) if field.is_repeated else [there] * message.HasField(name)
        for part in parts[:1]:
            for path, changed in spoilt(part):
                yield f"{name}.{path}", [changed] if field.is_repeated else changed
        if field.is_repeated and parts:
            yield name, parts[:1] * 2_000
        return
    if field.type == FieldDescriptor.TYPE_BYTES:
        values: tuple[Any, ...] = (b"", b"x" * 10_000)
    elif field.type == FieldDescriptor.TYPE_BOOL:
        values = ()
    else:
        values = VALUES[field.cpp_type]
    for value in values:
        yield name, [value] if field.is_repeated else value
    if field.is_repeated and values:
        yield name, [values[-1]] * 2_000


def test_fields_of_all_kinds_are_spoilt() -> None:
    (batch,) = bases()["TelemetryService/UploadDetectors"]
    found = [path.split(".")[0] for path, _ in spoilt(batch)]
    assert found.count("edges") > 12 and found.count("samples") > 15
    assert len(found) > 45
    paths = {f"{m.containing_service.name}/{m.name}" for m in METHODS.values()}
    assert paths == set(bases())


async def ask(
    channel: Any, method: str, contents: list[bytes], *, timeout: float | None = 5.0
) -> tuple[Status, str]:
    """How a call ends, and what is said; OK for a stream that has answered."""
    described: MethodDescriptor = METHODS[method]

    async def all_of_it() -> AsyncIterator[bytes]:
        for content in contents:
            yield content
        if described.name == "Connect":
            await asyncio.sleep(0.02)

    try:
        if described.client_streaming:
            async for _ in channel.stream_stream(method)(all_of_it(), timeout=timeout):
                pass
        elif described.server_streaming:
            async for _ in channel.unary_stream(method)(contents[0], timeout=timeout):
                break
        else:
            await channel.unary_unary(method)(contents[0], timeout=timeout)
    except grpc.aio.AioRpcError as error:
        return error.code(), str(error.details())
    return Status.OK, ""


def state_of(there: Live) -> object:
    """What no refused request may change."""
    overrides = there.overrides
    assert overrides is not None
    with overrides.clerk.store.read() as reading:
        kept = reading.overrides.list(), list(reading.alarms.list()), reading.plans.list()
    sessions = [
        (
            s.version, s.accepted_version, s.applied_version, dict(s.alarms), set(s.quarantined),
            s.published, s.published_applied,
        )
        for s in there.city.sessions
    ]  # fmt: skip
    return kept, sessions


class Attack:
    """One who may call a method, and calls it."""

    def __init__(self, there: Live, store: Path) -> None:
        self.there, self._store = there, store
        self._state = state_of(there)

    async def call(self, channel: Any, method: str, contents: list[bytes], **more: Any) -> Status:
        before = self._state
        status, said = await ask(channel, method, contents, **more)
        assert status is Status.OK or status in REFUSALS, (method, contents, status, said)
        assert not any(word in said for word in (*INTERNALS, str(self._store))), said
        self._state = state_of(self.there)
        if status is not Status.OK:
            assert self._state == before, (method, contents)
        return status


def attack(test: Any) -> Any:
    """A test that walks all methods that are served, each as somebody who may call it."""

    def run(tmp_path: Path) -> None:
        async def inside() -> None:
            store = tmp_path / "store.sqlite3"
            async with running(store=store, limited=False) as there:
                served = set(there.server.services)
                async with there.connected("south"):
                    for method in METHODS:
                        kind = min(ALLOWED[method])
                        name = NORTH if kind is Kind.CONTROLLER else "mallory"
                        if method.split("/")[1] in served:
                            async with there.channel(kind, name) as channel:
                                await test(Attack(there, store), channel, method)
                    await _goes_on(there)
                records(store)  # the chain is whole

        asyncio.run(inside())

    run.__name__ = test.__name__
    return run


async def _goes_on(there: Live) -> None:
    """The controller that was attacked in the name of connects, and gets a schedule like any other."""
    async with there.connected(NORTH) as client:
        for stage in (1, 0):
            there.control.want(0, stage)
            there.city.tick(there.clock.now_ms / 1000)
            await until(lambda: client.roadside.schedule is not None and client.roadside.quiet)
        assert client.roadside.rejected_plans == 0


@attack
async def test_what_cannot_be_decoded(attack: Attack, channel: Any, method: str) -> None:
    for garbage in (b"\xff" * 20, b"\x0a\xff\xff\xff\x7f", b"\x07", b"\x0a\x80"):
        assert await attack.call(channel, method, [garbage]) is Status.INVALID_ARGUMENT


@attack
async def test_what_is_too_large(attack: Attack, channel: Any, method: str) -> None:
    content = b"\x7a\xb8\x80\x10" + bytes(262_200)  # a field of a little more than 256 KiB
    assert await attack.call(channel, method, [content]) is Status.RESOURCE_EXHAUSTED


@attack
async def test_calls_without_a_deadline_and_unknown_fields(
    attack: Attack, channel: Any, method: str
) -> None:
    described = METHODS[method]
    if not described.client_streaming and described.name != "Watch":
        status = await attack.call(channel, method, [b""], timeout=None)
        assert status is Status.INVALID_ARGUMENT, method
    if method in COMMANDS:
        content = bases()[method.rsplit(".", 1)[-1]][0].SerializeToString()
        status = await attack.call(channel, method, [content + b"\xfa\x3f\x01x"])
        assert status is Status.INVALID_ARGUMENT, method


@attack
async def test_each_field_as_it_should_not_be(attack: Attack, channel: Any, method: str) -> None:
    short = method.rsplit(".", 1)[-1]
    good = bases()[short]
    if short.startswith(("ControllerService/Connect", "TelemetryService/Upload")):
        await ControllerServiceStub(channel).Register(registration(NORTH), timeout=5)
    for number, base in enumerate(good):
        for path, changed in spoilt(base):
            before = good[:number] if METHODS[method].client_streaming else []
            contents = [m.SerializeToString() for m in (*before, changed)]
            status = await attack.call(channel, method, contents)
            if method in COMMANDS and status is Status.OK and not short.endswith("/Verify"):
                assert path.rsplit(".", 1)[-1] in IGNORED, (method, path, str(changed))


def test_whoever_has_no_business_there(tmp_path: Path) -> None:
    """Foreign controllers: every method that names an intersection, with another's certificate."""

    async def inside() -> None:
        async with running(store=tmp_path / "s", limited=False) as there:
            async with there.channel(Kind.CONTROLLER, "south") as channel:
                for short in (
                    "Register", "GetPlan", "RequestPriority", "ReleasePriority",
                ):  # fmt: skip
                    (message,) = bases()[f"ControllerService/{short}"]
                    method = getattr(ControllerServiceStub(channel), short)
                    found = await refusal(method(message, timeout=5))
                    assert found == (Status.PERMISSION_DENIED, "IDENTITY")
            async with there.channel(Kind.CONTROLLER, "nowhere") as channel:
                for method in METHODS:
                    if Kind.CONTROLLER in ALLOWED[method]:
                        status, _ = await ask(channel, method, [b""])
                        assert status in (Status.NOT_FOUND, Status.INVALID_ARGUMENT), method

    asyncio.run(inside())


def test_what_controllers_say_is_fit_for_a_screen(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running() as there, there.channel(Kind.CONTROLLER, NORTH) as channel:
            await ControllerServiceStub(channel).Register(registration(NORTH), timeout=5)
            stream = ControllerServiceStub(channel).Connect()
            say = controller_pb2.ControllerMessage
            odd = "\x1b[2J" + "x" * 5_000
            await stream.write(say(hello=controller_pb2.Hello(boot_id=BOOT)))
            await stream.write(
                say(heartbeat=controller_pb2.Heartbeat(seq=1, cause=odd, override_ids=[odd, "o1"]))
            )
            await stream.write(
                say(plan_report=controller_pb2.PlanReport(
                    version=1, state=plan_pb2.PLAN_STATE_EXPIRED, cause=odd
                ))
            )  # fmt: skip
            await stream.done_writing()
            async for _ in stream:
                pass
            session = there.city.by_name[NORTH]
            status = session.status()
            for text in (status.cause, session.plan_reports[False].cause):
                assert text.isprintable() and 0 < len(text) <= 200
            assert list(status.override_ids) == ["o1"]

    asyncio.run(inside())
