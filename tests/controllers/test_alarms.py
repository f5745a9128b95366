"""Alarms of controllers and of the server: raised, cleared, seen, told again, kept by the store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.detection import LoopAlarm
from ampelwerk.proto.v1 import alarm_pb2, plan_pb2, telemetry_pb2
from ampelwerk.proto.v1.alarm_pb2_grpc import AlarmServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from tests.controllers.control_room import records
from tests.controllers.live import BEGIN_MS, Live, live, refusal, running, until
from tests.controllers.peer import Peer

Status = grpc.StatusCode


def alarm(name: str = "a1", **fields: Any) -> alarm_pb2.Alarm:
    usual = {"alarm_id": name, "code": "late_ticks", "active": True, "raised_unix_ms": BEGIN_MS}
    return alarm_pb2.Alarm(**{**usual, **fields})


async def report(there: Live, *alarms: alarm_pb2.Alarm, complete: bool = False) -> None:
    there.clock.now_ms += 2_000
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        await TelemetryServiceStub(channel).ReportAlarms(
            telemetry_pb2.ReportAlarmsRequest(alarms=alarms, complete=complete), timeout=5
        )


async def listed(there: Live, *, with_inactive: bool = True) -> dict[str, alarm_pb2.Alarm]:
    async with there.channel(Kind.VIEWER, "vic") as channel:
        request = alarm_pb2.ListAlarmsRequest(with_inactive=with_inactive)
        reply = await AlarmServiceStub(channel).List(request, timeout=5)
        return {found.alarm_id: found for found in reply.alarms}


async def acknowledge(there: Live, name: str, who: str = "ada") -> alarm_pb2.Alarm:
    async with there.channel(Kind.OPERATOR, who) as channel:
        request = alarm_pb2.AcknowledgeAlarmRequest(intersection_id="north", alarm_id=name)
        reply = await AlarmServiceStub(channel).Acknowledge(request, timeout=5)
        seen: alarm_pb2.Alarm = reply.alarm
        return seen


def test_alarms_and_who_has_seen_them_outlive_the_server(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "store.sqlite3"
        async with running(store=store) as there:
            await report(there, alarm("a1"), alarm("a2"))
            assert (await acknowledge(there, "a1")).acked_by == "ada"
            assert (await acknowledge(there, "a1", "bob")).acked_by == "ada"
            assert await refusal(acknowledge(there, "a9")) == (Status.NOT_FOUND, "UNKNOWN_ID")
            entries = [e for e in records(store) if e.method == "alarm.acknowledge"]
            assert [(e.actor, e.role, e.target, e.result) for e in entries] == [
                ("ada", "operator", "north a1", "ok"),
                ("bob", "operator", "north a1", "ok"),
                ("ada", "operator", "north a9", "UNKNOWN_ID"),
            ]
        async with running(store=store, after=there) as again:
            assert {n: a.acked_by for n, a in (await listed(again)).items()} == {
                "a1": "ada", "a2": "",
            }  # fmt: skip
            assert again.city.by_name["north"].status().open_alarms == 2
            # The controller tells all it has: what it does not name is over.
            await report(again, alarm("a2"), complete=True)
            found = await listed(again)
            assert (found["a1"].active, found["a2"].active) == (False, True)
            assert found["a1"].cleared_unix_ms == again.clock.now_ms
            # Raised anew it is another alarm, which nobody has seen.
            await report(again, alarm("a1", raised_unix_ms=BEGIN_MS + 50_000))
            assert (await listed(again, with_inactive=False))["a1"].acked_by == ""

    asyncio.run(inside())


def test_what_cannot_be_changes_nothing(tmp_path: Path) -> None:
    bad = (
        alarm(""),
        alarm("server:x"),
        alarm(code="no code"),
        alarm(text="x" * 501),
        alarm(text="\x1b[2J"),
        alarm(component="x" * 501),
        alarm(raised_unix_ms=-1),
        alarm(raised_unix_ms=2**62),
        alarm(cleared_unix_ms=-(2**63)),
    )

    async def inside() -> None:
        async with running(store=tmp_path / "s") as there:
            await report(there, alarm("a1"))
            before = await listed(there)
            for wrong in bad:
                call = report(there, alarm("a5"), wrong)
                assert await refusal(call) == (Status.INVALID_ARGUMENT, "INVALID")
            many = [alarm(f"b{number}") for number in range(256)]
            assert await refusal(report(there, *many)) == (Status.INVALID_ARGUMENT, "INVALID")
            there.clock.now_ms += 2_000
            assert await listed(there) == before
            # Those that are over make room.
            await report(there, alarm("a1", active=False), *many[:255])
            await report(there, many[255])
            assert "a1" not in await listed(there)

    asyncio.run(inside())


def test_a_store_that_fails_keeps_everything_as_it_was(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there:
            await report(there, alarm("a1"))
            other = Store(str(tmp_path / "s"))
            other.lead("other", 0)
            other.close()
            there.overrides.clerk.store.epoch = 0  # type: ignore[union-attr]
            assert await refusal(report(there, alarm("a2"))) == (Status.UNAVAILABLE, "NOT_LEADER")
            assert await refusal(acknowledge(there, "a1")) == (Status.UNAVAILABLE, "NOT_LEADER")
            assert {n: a.acked_by for n, a in (await listed(there)).items()} == {"a1": ""}

    asyncio.run(inside())


def test_the_server_raises_alarms_itself(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "s"
        async with (
            running(store=store) as there,
            there.channel(Kind.CONTROLLER, "north") as channel,
        ):
            loop = next(
                number
                for number, loop in enumerate(there.city.network.loops)
                if loop.loop_id == "north.main"
            )
            there.control.alarms.append(
                LoopAlarm(time_s=1.0, loop=loop, fault="stuck on", quality=0.0)
            )
            there.server.sweep()
            await until(lambda: bool(there.city.by_name["north"].alarms))
            found = (await listed(there))["server:north.main"]
            assert (found.code, found.component) == ("detector_stuck_on", "north.main")
            there.control.alarms.append(
                LoopAlarm(time_s=2.0, loop=loop, fault="sound", quality=1.0)
            )
            there.server.sweep()
            await until(lambda: not there.city.by_name["north"].status().open_alarms)
            peer = Peer(channel)
            await peer.dial("north")
            peer.report(await peer.push(), plan_pb2.PLAN_STATE_ACCEPTED)
            there.control.want(0, 1)
            there.city.tick(BEGIN_MS / 1000)
            peer.report(await peer.push(), plan_pb2.PLAN_STATE_REJECTED, cause="for a test")
            await until(lambda: bool(there.city.by_name["north"].quarantined))
            there.server.sweep()
            await until(lambda: "server:plan" in there.city.by_name["north"].alarms)
            assert (await listed(there, with_inactive=False))["server:plan"].code == "plan_rejected"
            await report(there, complete=True)  # a controller has no say over these
            assert there.city.by_name["north"].status().open_alarms == 1
        async with running(store=store, after=there) as again:
            assert await listed(again, with_inactive=False) == {}

    asyncio.run(inside())


def test_what_the_server_says_again_after_a_restart_has_been_seen(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "s"

        async def doubt(there: Live, fault: str = "stuck on") -> alarm_pb2.Alarm:
            """The engine does not believe a loop, or does again."""
            there.clock.now_ms += 1_000
            names = [str(loop.loop_id) for loop in there.city.network.loops]
            there.control.alarms.append(
                LoopAlarm(time_s=1.0, loop=names.index("north.main"), fault=fault, quality=0.0)
            )
            there.server.sweep()
            await until(
                lambda: (
                    bool(found := there.city.by_name["north"].alarms)
                    and found["server:north.main"].active == (fault != "sound")
                )
            )
            return (await listed(there))["server:north.main"]

        async with running(store=store) as there:
            first = await doubt(there)
            await acknowledge(there, first.alarm_id)
        async with running(store=store, after=there) as again:
            again.clock.now_ms += 600_000
            found = await doubt(again)
            assert (found.acked_by, found.raised_unix_ms) == ("ada", first.raised_unix_ms)
            # Once healed it is another one.
            await doubt(again, "sound")
            assert (await doubt(again)).acked_by == ""
            await acknowledge(again, first.alarm_id)
        async with running(store=store, after=again) as third:
            assert (await doubt(third, "silent")).acked_by == ""  # another fault
            await acknowledge(third, first.alarm_id)
        async with running(store=store, after=third) as last:
            last.clock.now_ms += 3_600_000
            assert (await doubt(last, "silent")).acked_by == ""  # long after

    asyncio.run(inside())


@live
async def test_a_controller_tells_what_is_wrong_and_tells_it_again(there: Live) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ampelwerk.controllers.client.ALARMS_EVERY_S", 0.0)
        patch.setattr("ampelwerk.controllers.service.controller_service.LEAST_WINDOW_MS", 50)
        session = there.city.by_name["north"]
        async with there.connected("north") as client:
            roadside = client.roadside

            def tick() -> None:
                there.clock.now_ms += 1_000
                roadside.prepare(there.clock.now_ms // 100)
                roadside.tick(there.clock.now_ms // 100)

            tick()
            roadside.arbiter.take_local(there.clock.now_ms // 100)
            tick()
            await until(lambda: session.status().open_alarms == 1)
            assert session.alarms["local_control"].active
            await client.cut()
            roadside.arbiter.give_back()
            roadside.local.interlock.trip("lamp fault")
            tick()
            session.alarms = {}  # whatever the server has lost
            client.allowed.set()
            await until(lambda: set(session.alarms) == {"local_control", "interlock_failed"})
            assert not session.alarms["local_control"].active
            assert session.alarms["interlock_failed"].text == "lamp fault"
            assert session.alarms["interlock_failed"].severity == alarm_pb2.ALARM_SEVERITY_MAJOR
