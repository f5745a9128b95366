"""A controller and its server: plans down, reports up, over a real wire and a simulated clock."""

from __future__ import annotations

import asyncio
import contextlib
from array import array
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from ampelwerk.controllers.certificates import utc_now
from ampelwerk.controllers.convert import envelope_hash, ruleset_sha256
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.controllers.ladder import Level
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.server import Server
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.proto.v1 import (
    alarm_pb2,
    controller_pb2,
    decision_pb2,
    network_pb2,
    plan_pb2,
    telemetry_pb2,
)
from ampelwerk.proto.v1.alarm_pb2_grpc import AlarmServiceStub
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.decision_pb2_grpc import DecisionServiceStub
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from tests.controllers.city import crossroads, road
from tests.controllers.live import BEGIN_MS, CITY, Live, live, refusal, until

Status = grpc.StatusCode
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


@live
async def test_register_settles_timers(there: Live) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        reply = await ControllerServiceStub(channel).Register(registration("north"), timeout=5)
    assert (reply.epoch, reply.heartbeat_ms, reply.lease_ms) == (7, 5_000, 20_000)
    assert reply.server_unix_ms == BEGIN_MS
    assert reply.reconnect_window_ms == 5_000


@live
async def test_register_refuses_what_does_not_fit(there: Live) -> None:
    cases = [
        (registration("south"), (Status.PERMISSION_DENIED, "IDENTITY")),
        (registration("north", boot_id=b"short"), (Status.INVALID_ARGUMENT, "INVALID")),
        (registration("north", intersection_id=""), (Status.INVALID_ARGUMENT, "INVALID")),
        (registration("north", intersection_id="a b"), (Status.INVALID_ARGUMENT, "INVALID")),
        (registration("north", envelope_sha256=bytes(32)), (Status.FAILED_PRECONDITION, "UNSAFE")),
        (registration("north", ruleset_sha256=b""), (Status.FAILED_PRECONDITION, "UNSAFE")),
        (registration("north", held_epoch=8), (Status.ABORTED, "VERSION")),
    ]
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        stub = ControllerServiceStub(channel)
        for request, expected in cases:
            there.clock.now_ms += 1_000
            assert await refusal(stub.Register(request, timeout=5)) == expected
    session = there.city.by_name["north"]
    assert session.state == network_pb2.CONTROLLER_STATE_UNKNOWN
    assert session.boot_id == b""
    async with there.channel(Kind.CONTROLLER, "west") as channel:
        call = ControllerServiceStub(channel).Register(registration("west"), timeout=5)
        assert await refusal(call) == (Status.NOT_FOUND, "UNKNOWN_ID")


@live
async def test_who_calls_too_often_is_told_when_to_come_again(there: Live) -> None:
    async with (
        there.channel(Kind.CONTROLLER, "north") as channel,
        there.channel(Kind.CONTROLLER, "south") as other,
    ):
        stub = ControllerServiceStub(channel)
        request = controller_pb2.GetPlanRequest(intersection_id="north")
        for _ in range(5):
            await stub.GetPlan(request, timeout=5)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetPlan(request, timeout=5)
        assert refused.value.code() is Status.RESOURCE_EXHAUSTED
        assert "1000 ms" in str(refused.value.details())
        request.intersection_id = "south"
        await ControllerServiceStub(other).GetPlan(request, timeout=5)  # others are not held up
        request.intersection_id = "north"
        there.clock.now_ms += 1_000
        await stub.GetPlan(request, timeout=5)
        assert await refusal(stub.GetPlan(request, timeout=5)) == (
            Status.RESOURCE_EXHAUSTED,
            "RATE",
        )


@live
async def test_bad_messages_have_a_status_of_their_own_and_tell_nothing(there: Live) -> None:
    method = "/ampelwerk.v1.ControllerService/Register"
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        call: Any = channel.unary_unary(method)
        for content in (b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\xff\xff\xff\xff\x0f"):
            assert await refusal(call(content, timeout=5)) == (Status.INVALID_ARGUMENT, "INVALID")
        large = registration("north").SerializeToString() + b"\x7a\x80\x80\x20" + bytes(512 * 1024)
        assert (await refusal(call(large, timeout=5)))[0] is Status.RESOURCE_EXHAUSTED
        request = registration("north").SerializeToString()
        assert await refusal(call(request)) == (Status.INVALID_ARGUMENT, "INVALID")  # no deadline
    assert all(status is not Status.UNKNOWN for _, status in there.calls)


@live
async def test_a_bug_is_told_by_number_only(there: Live) -> None:
    def broken() -> int:
        raise RuntimeError("a secret of the server")

    there.clock.unix_ms = broken  # type: ignore[method-assign]
    async with there.channel(Kind.VIEWER, "anna") as channel:
        try:
            await NetworkServiceStub(channel).Get(network_pb2.GetNetworkRequest(), timeout=5)
        except grpc.aio.AioRpcError as error:
            assert error.code() is Status.INTERNAL
            assert "secret" not in str(error.details())
            assert "incident" in str(error.details())
        else:
            raise AssertionError("no error")


@live
async def test_a_schedule_is_pushed_accepted_and_put_into_force(there: Live) -> None:
    async with there.connected("north") as client:
        roadside, session = client.roadside, there.city.by_name["north"]
        roadside.prepare(there.clock.unix_ms() // 100)
        assert roadside.ladder.level is Level.ADAPTIVE
        there.control.want(0, 1)
        there.clock.now_ms += 1000
        there.city.tick(there.clock.unix_ms() / 1000)
        await until(lambda: session.accepted_version == 1)
        assert session.applied_version == 0
        roadside.prepare(there.clock.unix_ms() // 100)
        await until(lambda: session.applied_version == 1)
        for _ in range(15):
            there.clock.now_ms += 1000
            roadside.prepare(there.clock.unix_ms() // 100)
            roadside.local.tick(there.clock.unix_ms() // 100)
        assert roadside.local.stage == 1
        assert roadside.local.green_mask == 0b10
        async with there.channel(Kind.CONTROLLER, "north") as channel:
            stub = ControllerServiceStub(channel)
            request = controller_pb2.GetPlanRequest(intersection_id="north")
            pulled = await stub.GetPlan(request, timeout=5)
            assert pulled.signed_plan == session.signed
            request.if_version = 1
            assert not (await stub.GetPlan(request, timeout=5)).HasField("signed_plan")
            request.intersection_id = "south"
            call = stub.GetPlan(request, timeout=5)
            assert await refusal(call) == (Status.PERMISSION_DENIED, "IDENTITY")
        async with there.channel(Kind.VIEWER, "anna") as channel:
            explain = DecisionServiceStub(channel).Explain
            why = await explain(
                decision_pb2.ExplainRequest(intersection_id="north", decision_id="north.1"),
                timeout=5,
            )
            assert (why.chosen, why.reason) == ("side-stage", "a test wants it")
            call = explain(
                decision_pb2.ExplainRequest(intersection_id="north", decision_id="north.9"),
                timeout=5,
            )
            assert await refusal(call) == (Status.NOT_FOUND, "UNKNOWN_ID")


@live
async def test_a_schedule_is_renewed_at_half_its_validity_and_only_then(there: Live) -> None:
    async with there.connected("north"):
        there.control.want(0, 1)
        for _ in range(65):
            there.clock.now_ms += 1000
            there.city.tick(there.clock.unix_ms() / 1000)
        assert there.city.pushes == 3  # at 1, 31 and 61 s


@live
async def test_nothing_is_kept_for_an_absent_controller_but_what_is_wished_now(there: Live) -> None:
    session = there.city.by_name["north"]
    there.control.want(0, 1)
    there.city.tick(BEGIN_MS / 1000)
    assert (there.city.pushes, session.signed) == (0, None)
    there.clock.now_ms += 20_000
    async with there.connected("north") as client:
        schedule = client.roadside.schedule
        assert schedule is not None
        assert schedule.valid_until_unix_ms == BEGIN_MS + 80_000  # made when it came
    await until(lambda: session.stream is None)
    there.clock.now_ms += 60_000
    async with there.connected("north") as client:
        assert client.roadside.schedule is None  # too old to be of use
        assert session.stage is None


@live
async def test_a_server_with_nothing_to_say_leaves_a_controller_to_its_plan(there: Live) -> None:
    async with there.connected("north") as client:
        for _ in range(70):
            there.clock.now_ms += 1_000
            client.roadside.beat()
            await until(lambda: client.roadside.quiet)
            client.roadside.prepare(there.clock.unix_ms() // 100)
        assert client.roadside.ladder.level is Level.ADAPTIVE
        assert client.roadside.local.on_plan


class Peer:
    """A controller by hand, to misbehave."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._controller = ControllerServiceStub(channel)
        self.telemetry = TelemetryServiceStub(channel)
        self._say: asyncio.Queue[controller_pb2.ControllerMessage] = asyncio.Queue()

    async def dial(self, name: str) -> None:
        await self._controller.Register(registration(name), timeout=5)
        self.stream = self._controller.Connect(self._messages())
        self.say(hello=controller_pb2.Hello(boot_id=BOOT))

    async def _messages(self) -> AsyncIterator[controller_pb2.ControllerMessage]:
        while True:
            yield await self._say.get()

    def say(self, **body: Any) -> None:
        self._say.put_nowait(controller_pb2.ControllerMessage(**body))

    def report(self, push: controller_pb2.PlanPush, state: plan_pb2.PlanState, **more: Any) -> None:
        report = controller_pb2.PlanReport(
            nonce=push.nonce, version=push.version, state=state, **more
        )
        self.say(plan_report=report)

    async def push(self) -> controller_pb2.PlanPush:
        message: controller_pb2.ServerMessage
        async for message in self.stream:
            if message.WhichOneof("body") == "plan_push":
                return message.plan_push
        raise AssertionError("the stream has ended")


@live
async def test_at_most_one_push_is_unanswered_and_the_newest_replaces_the_waiting(
    there: Live,
) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        first = await peer.push()
        assert first.kind == controller_pb2.PUSH_KIND_HEARTBEAT
        for stage in (1, 0, 1):
            there.control.want(0, stage)
            there.clock.now_ms += 1000
            there.city.tick(there.clock.unix_ms() / 1000)
        peer.report(controller_pb2.PlanPush(nonce=99), plan_pb2.PLAN_STATE_ACCEPTED)
        peer.report(first, plan_pb2.PLAN_STATE_ACCEPTED)
        second = await peer.push()
        assert (second.nonce, second.version) == (2, 3)  # versions 1 and 2 were never sent
        stream = there.city.by_name["north"].stream
        assert stream is not None
        assert stream.stale_reports == 1


@live
async def test_a_refused_version_is_quarantined_and_the_next_one_comes(there: Live) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        peer.report(await peer.push(), plan_pb2.PLAN_STATE_ACCEPTED)
        there.control.want(0, 1)
        there.city.tick(there.clock.unix_ms() / 1000)
        session = there.city.by_name["north"]
        peer.report(await peer.push(), plan_pb2.PLAN_STATE_REJECTED, cause="not for me")
        await until(lambda: session.quarantined == {1})
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        again = await peer.push()
        assert again.kind == controller_pb2.PUSH_KIND_HEARTBEAT  # version 1 is not pushed again
        peer.report(again, plan_pb2.PLAN_STATE_ACCEPTED)
        there.control.want(0, 0)
        there.city.tick(there.clock.unix_ms() / 1000)
        assert (await peer.push()).version == 2


@live
async def test_without_an_answer_in_time_the_stream_is_closed(there: Live) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        await peer.push()
        there.clock.now_ms += 9_999
        there.server.sweep()
        assert there.city.by_name["north"].stream is not None
        there.clock.now_ms += 2
        there.server.sweep()
        async for _ in peer.stream:
            raise AssertionError("a message on a closed stream")
        await until(lambda: there.city.by_name["north"].stream is None)
        assert there.city.by_name["north"].state == network_pb2.CONTROLLER_STATE_LOST


@live
async def test_a_controller_without_heartbeat_is_stale(there: Live) -> None:
    async with there.connected("north"):
        session = there.city.by_name["north"]
        assert session.state == network_pb2.CONTROLLER_STATE_LEASED
        there.clock.now_ms += 19_999
        there.server.sweep()
        assert session.state == network_pb2.CONTROLLER_STATE_LEASED
        there.clock.now_ms += 1
        there.server.sweep()
        assert session.state == network_pb2.CONTROLLER_STATE_STALE


async def _successor(there: Live, epoch: int) -> Server:
    """Another server of the same city, at the same port."""
    port = there.server.port
    await there.server._server.stop(0)
    city = LiveCity(
        road(), there.clock, there.signer, epoch=epoch, begin_s=BEGIN_MS / 1000, step_s=1.0
    )
    city.control = there.control
    identity = Identity(city=CITY, kind=Kind.SERVER, name="server")
    credentials = there.authority.issue(identity, utc_now())
    server = Server(city, f"127.0.0.1:{port}", credentials, city_name=CITY)
    await server.start()
    return server


@live
async def test_a_controller_goes_over_to_the_next_server_and_never_back(there: Live) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ampelwerk.controllers.service.controller_service.LEAST_WINDOW_MS", 50)
        async with there.connected("north") as client:
            roadside = client.roadside
            there.control.want(0, 1)
            there.city.tick(BEGIN_MS / 1000)
            await until(lambda: roadside.version == 1)
            second = await _successor(there, epoch=8)
            session = second.city.by_name["north"]
            await until(lambda: client.connected and session.stream is not None)
            roadside.prepare(BEGIN_MS // 100)
            assert roadside.ladder.level is Level.ADAPTIVE  # the lease still runs
            assert roadside.local.stage is not None
            there.control.want(0, 0)
            second.city.tick(BEGIN_MS / 1000)
            await until(lambda: (roadside.epoch, roadside.version) == (8, 2))
            await second.stop()
            there.server.port, there.server._server = second.port, second._server
            deposed = await _successor(there, epoch=7)
            await until(lambda: client.dials >= 4)
            assert deposed.city.by_name["north"].state == network_pb2.CONTROLLER_STATE_UNKNOWN
            assert (roadside.epoch, roadside.version) == (8, 2)
            await deposed.stop()


@live
async def test_a_new_stream_ends_the_one_before(there: Live) -> None:
    async with (
        there.channel(Kind.CONTROLLER, "north") as channel,
        there.channel(Kind.CONTROLLER, "north") as other,
    ):
        first, second = Peer(channel), Peer(other)
        await first.dial("north")
        await first.push()
        await second.dial("north")
        await second.push()
        async for _ in first.stream:
            pass
        session = there.city.by_name["north"]
        await asyncio.sleep(0.05)
        assert session.stream is not None
        assert session.state != network_pb2.CONTROLLER_STATE_LOST


@live
async def test_hello_comes_first(there: Live) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        stub = ControllerServiceStub(channel)
        await stub.Register(registration("north"), timeout=5)
        stream = stub.Connect()
        await stream.write(
            controller_pb2.ControllerMessage(heartbeat=controller_pb2.Heartbeat(seq=1))
        )
        assert await refusal(stream.read()) == (Status.INVALID_ARGUMENT, "INVALID")


def batch(seq: int, *, at_ms: int, **changes: Any) -> telemetry_pb2.DetectorBatch:
    made = telemetry_pb2.DetectorBatch(
        boot_id=BOOT, seq=seq, from_unix_ms=at_ms - 1000, interval_ms=1000
    )
    made.edges.add(detector_id="north.main", at_unix_s=at_ms / 1000 - 0.25, on=True)
    for field, value in changes.items():
        setattr(made, field, value)
    return made


@live
async def test_detector_data_in_any_order_are_used_once_and_acknowledged(there: Live) -> None:
    now_ms = there.clock.unix_ms()
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        stream = peer.telemetry.UploadDetectors()
        acks = []
        for seq in (1, 2, 2, 4, 1, 3, 5):
            await stream.write(batch(seq, at_ms=now_ms))
            acks.append(await stream.read())
        assert [ack.acked_seq for ack in acks] == [1, 2, 2, 2, 2, 4, 5]
        assert list(acks[3].missing) == [3]
        there.city.tick(now_ms / 1000)
        assert len(there.control.frames[-1].loop) == 5
        assert there.city.by_name["north"].detector_inbox.duplicates == 2


@live
async def test_a_gap_is_waited_for_five_seconds_then_given_up(there: Live) -> None:
    now_ms = there.clock.unix_ms()
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        stream = peer.telemetry.UploadDetectors()
        for seq, expected in ((1, 1), (3, 1)):
            await stream.write(batch(seq, at_ms=now_ms))
            assert (await stream.read()).acked_seq == expected
        there.clock.now_ms += 5_000
        await stream.write(batch(4, at_ms=there.clock.unix_ms()))
        ack = await stream.read()
        assert (ack.acked_seq, list(ack.missing)) == (4, [])


@live
async def test_impossible_detector_data_are_refused_whole_by_rule(there: Live) -> None:
    now_ms = there.clock.unix_ms()

    def spoilt(seq: int, **edge: Any) -> telemetry_pb2.DetectorBatch:
        made = batch(seq, at_ms=now_ms)
        for field, value in edge.items():
            setattr(made.edges[0], field, value)
        return made

    many = batch(9, at_ms=now_ms)
    many.edges.extend([many.edges[0]] * 1024)
    sample = batch(10, at_ms=now_ms)
    sample.samples.add(detector_id="north.main", occupied_ms=2_000)
    speed = batch(11, at_ms=now_ms)
    speed.samples.add(detector_id="north.main", speed_mps=-1.0)
    cases = [
        (spoilt(1, detector_id="south.main"), "DETECTOR"),
        (spoilt(2, detector_id=""), "DETECTOR"),
        (spoilt(3, at_unix_s=float("nan")), "NOT_FINITE"),
        (spoilt(4, at_unix_s=float("inf")), "NOT_FINITE"),
        (batch(5, at_ms=now_ms + 3_000), "TIME"),
        (batch(6, at_ms=now_ms + 10**12), "TIME"),
        (batch(7, at_ms=now_ms - 130_000), "TIME"),
        (batch(8, at_ms=-(10**15)), "TIME"),
        (many, "SIZE"),
        (sample, "TIME"),
        (speed, "NOT_FINITE"),
        (batch(12, at_ms=now_ms, boot_id=bytes(16)), "BOOT"),
        (batch(0, at_ms=now_ms), "EMPTY"),
    ]
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        stream = peer.telemetry.UploadDetectors()
        for message, rule in cases:
            await stream.write(message)
            ack = await stream.read()
            assert [(r.seq, r.rule) for r in ack.rejected] == [(message.seq, rule)]
        await stream.write(batch(12, at_ms=now_ms))
        assert (await stream.read()).acked_seq == 12
    there.city.tick(now_ms / 1000)
    assert len(there.control.frames[-1].loop) == 1


@live
async def test_batches_of_a_cut_link_are_sent_again(there: Live) -> None:
    async with there.connected("north") as client:
        roadside = client.roadside

        def see(second: int) -> None:
            at_s = there.clock.unix_ms() / 1000
            edges = array("q", [0]), array("d", [at_s - 0.5]), array("q", [second % 2])
            roadside.detect(
                DetectorFrame(time_s=at_s, loop=edges[0], at_s=edges[1], on=edges[2]),
                from_ms=there.clock.unix_ms() - 1000,
                interval_ms=1000,
            )

        see(0)
        await until(lambda: roadside.quiet)
        await client.cut()
        for second in range(1, 6):
            there.clock.now_ms += 1000
            see(second)
        client.allowed.set()
        await until(lambda: client.connected and roadside.quiet)
        there.city.tick(there.clock.unix_ms() / 1000)
        assert len(there.control.frames[-1].loop) == 6
        assert client.dials == 2


@live
async def test_a_signal_state_that_does_not_fit_changes_nothing(there: Live) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        stream = peer.telemetry.UploadEvents()
        state = telemetry_pb2.SignalState(stage_id="no such stage")
        await stream.write(telemetry_pb2.EventBatch(boot_id=BOOT, seq=1, state=state))
        assert (await stream.read()).acked_seq == 1
        assert there.server.telemetry.refused["STATE"] == 1
        assert not there.city.by_name["north"].signals.stage_id


@live
async def test_alarms_are_kept_by_id_and_seen_by_whoever_acknowledges_first(there: Live) -> None:
    alarm = alarm_pb2.Alarm(
        alarm_id="1", code="detector_stuck_on", active=True, raised_unix_ms=BEGIN_MS
    )
    report = telemetry_pb2.ReportAlarmsRequest(alarms=[alarm])
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        telemetry = TelemetryServiceStub(channel)
        await telemetry.ReportAlarms(report, timeout=5)
        for name in ("otto", "anna"):
            async with there.channel(Kind.OPERATOR, name) as room:
                stub = AlarmServiceStub(room)
                seen = await stub.Acknowledge(
                    alarm_pb2.AcknowledgeAlarmRequest(intersection_id="north", alarm_id="1"),
                    timeout=5,
                )
                assert seen.alarm.acked_by == "otto"
        report.alarms[0].acked_by = "mallory"
        await telemetry.ReportAlarms(report, timeout=5)  # replayed after a reconnect
        async with there.channel(Kind.VIEWER, "vera") as room:
            listed = await AlarmServiceStub(room).List(alarm_pb2.ListAlarmsRequest(), timeout=5)
            assert [(a.intersection_id, a.acked_by) for a in listed.alarms] == [("north", "otto")]
            call = AlarmServiceStub(room).List(
                alarm_pb2.ListAlarmsRequest(intersection_id="west"), timeout=5
            )
            assert await refusal(call) == (Status.NOT_FOUND, "UNKNOWN_ID")
        too_many = telemetry_pb2.ReportAlarmsRequest(alarms=[alarm] * 257)
        call = telemetry.ReportAlarms(too_many, timeout=5)
        assert await refusal(call) == (Status.INVALID_ARGUMENT, "INVALID")


@live
async def test_watch_gives_a_snapshot_then_changes(there: Live) -> None:
    async with there.channel(Kind.VIEWER, "anna") as channel:
        stream = NetworkServiceStub(channel).Watch(network_pb2.WatchNetworkRequest())
        first = [await stream.read() for _ in range(3)]
        names = [event.intersection.intersection_id for event in first]
        assert names == ["north", "middle", "south"]
        async with there.connected("middle"):
            event = await stream.read()
            assert event.intersection.intersection_id == "middle"
            assert event.cursor > first[-1].cursor
        stream.cancel()


@live
async def test_a_stopping_server_says_goodbye(there: Live) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north")
        peer.report(await peer.push(), plan_pb2.PLAN_STATE_ACCEPTED)
        await until(lambda: there.city.by_name["north"].accepted_version >= 0)
        stopping = asyncio.create_task(there.server.stop())
        async for message in peer.stream:
            assert message.WhichOneof("body") == "goodbye"
            break
        peer.stream.cancel()
        await stopping


@live
async def test_a_client_dials_again_whatever_has_happened(there: Live) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ampelwerk.controllers.service.controller_service.LEAST_WINDOW_MS", 50)
        async with there.connected("north") as client:
            take = client.roadside.receive

            def broken(message: controller_pb2.ServerMessage) -> None:
                client.roadside.receive = take  # type: ignore[method-assign]
                raise ValueError("a bug in the controller")

            client.roadside.receive = broken  # type: ignore[method-assign]
            there.control.want(0, 1)
            there.city.tick(BEGIN_MS / 1000)
            await until(lambda: client.dials == 2 and client.connected and client.roadside.quiet)
            assert client.roadside.schedule is not None


@live
async def test_two_hundred_connections_at_once_with_garbage_leave_the_server_alive(
    there: Live,
) -> None:
    async def hostile(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", there.server.port)
        writer.write(bytes((number * 31 + k * 7) % 256 for k in range(500)))
        await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await reader.read(100)

    await asyncio.gather(*map(hostile, range(200)))
    async with there.connected("north") as client:
        assert client.connected
