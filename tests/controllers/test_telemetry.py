"""Detector data, signal states and alarms over the wire: used once, refused whole, resent."""

from __future__ import annotations

from array import array
from typing import Any

import grpc

from ampelwerk.controllers.identity import Kind
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.proto.v1 import (
    alarm_pb2,
    telemetry_pb2,
)
from ampelwerk.proto.v1.alarm_pb2_grpc import AlarmServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from tests.controllers.live import BEGIN_MS, Live, live, refusal, until
from tests.controllers.peer import BOOT, Peer

Status = grpc.StatusCode


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
