"""What a control room watches: everything as it stands, then changes, from a cursor after a break."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.service.city_changes import CityChanges
from ampelwerk.controllers.service.network_service import pause_s
from ampelwerk.proto.v1 import alarm_pb2, network_pb2, override_pb2, plan_pb2, telemetry_pb2
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from tests.controllers.control_room import Person, asked
from tests.controllers.live import BEGIN_MS, Live, live, refusal, running

Status = grpc.StatusCode
NAMES = ["north", "middle", "south"]


class Watcher:
    """Somebody who watches."""

    def __init__(self, channel: grpc.aio.Channel, *names: str, after: int = 0) -> None:
        request = network_pb2.WatchNetworkRequest(intersection_ids=names, after_cursor=after)
        self.stream = NetworkServiceStub(channel).Watch(request)
        self.cursor = after

    async def next(self) -> network_pb2.NetworkEvent:
        event: Any = await asyncio.wait_for(self.stream.read(), 10)
        assert isinstance(event, network_pb2.NetworkEvent)
        self.cursor = event.cursor or self.cursor
        return event

    async def until(
        self, found: Callable[[network_pb2.NetworkEvent], bool]
    ) -> network_pb2.NetworkEvent:
        while True:
            event = await self.next()
            if found(event):
                return event

    async def snapshot(self) -> list[network_pb2.NetworkEvent]:
        """Everything as it stands, without its frame."""
        event = await self.next()
        assert event.WhichOneof("body") == "snapshot" and not event.snapshot.complete
        found = []
        while (event := await self.next()).WhichOneof("body") != "snapshot":
            assert not event.cursor
            found.append(event)
        assert event.snapshot.complete and event.cursor
        return found

    async def silent(self, seconds: float = 0.6) -> None:
        """Nothing comes."""
        reading = asyncio.ensure_future(self.stream.read())
        done, _ = await asyncio.wait((reading,), timeout=seconds)
        assert not done, reading.result()
        reading.cancel()


def alarms(**fields: Any) -> telemetry_pb2.ReportAlarmsRequest:
    usual = {"alarm_id": "a1", "code": "late_ticks", "active": True, "raised_unix_ms": BEGIN_MS}
    return telemetry_pb2.ReportAlarmsRequest(alarms=[alarm_pb2.Alarm(**{**usual, **fields})])


def places(events: list[network_pb2.NetworkEvent]) -> list[str]:
    return [e.intersection.intersection_id for e in events if e.HasField("intersection")]


@live
async def test_everything_as_it_stands_then_changes(there: Live) -> None:
    async with there.channel(Kind.VIEWER, "anna") as channel:
        watcher = Watcher(channel)
        assert places(await watcher.snapshot()) == NAMES
        before = watcher.cursor
        async with there.connected("middle"):
            event = await watcher.next()
            assert event.intersection.intersection_id == "middle"
            assert event.cursor > before
            there.control.want(1, 1)
            there.city.tick(BEGIN_MS / 1000)
            plan = await watcher.until(lambda e: e.HasField("plan"))
            assert plan.plan.intersection_id == "middle"
            assert plan.plan.state == plan_pb2.PLAN_STATE_ACCEPTED
        await watcher.until(lambda e: e.intersection.state == network_pb2.CONTROLLER_STATE_LOST)
        unknown = Watcher(channel, "west")
        assert await refusal(unknown.stream.read()) == (Status.NOT_FOUND, "UNKNOWN_ID")


@live
async def test_after_a_break_only_what_has_changed(there: Live) -> None:
    async with (
        there.channel(Kind.VIEWER, "anna") as channel,
        there.channel(Kind.CONTROLLER, "south") as south,
    ):
        first = Watcher(channel)
        await first.snapshot()
        first.stream.cancel()
        telemetry = TelemetryServiceStub(south)
        await telemetry.ReportAlarms(alarms(), timeout=5)
        again = Watcher(channel, after=first.cursor)
        events = [await again.next() for _ in range(2)]
        assert {e.WhichOneof("body") for e in events} == {"intersection", "alarm"}
        assert places(events) == ["south"]
        assert events[0].intersection.open_alarms == 1 or events[1].intersection.open_alarms == 1
        await again.silent()
        # Of a thing that has changed several times only the last state is told.
        for text in ("once", "twice"):
            await telemetry.ReportAlarms(alarms(text=text), timeout=5)
        third = Watcher(channel, after=again.cursor)
        told = [
            e.alarm.text for e in [await third.next(), await third.next()] if e.HasField("alarm")
        ]
        assert told == ["twice"]


@live
async def test_a_cursor_lives_an_hour(there: Live) -> None:
    async with (
        there.channel(Kind.VIEWER, "anna") as channel,
        there.channel(Kind.CONTROLLER, "south") as south,
    ):
        old = Watcher(channel)
        await old.snapshot()
        old.stream.cancel()
        await TelemetryServiceStub(south).ReportAlarms(alarms(), timeout=5)
        fresh = Watcher(channel, after=old.cursor)
        await fresh.next()
        await fresh.next()
        there.clock.now_ms += 3_600_001
        await asyncio.sleep(0.3)  # the change is forgotten meanwhile
        assert places(await Watcher(channel, after=old.cursor).snapshot()) == NAMES
        await Watcher(channel, after=fresh.cursor).silent()
        for unknown in (1, 2**64 - 1):
            assert places(await Watcher(channel, after=unknown).snapshot()) == NAMES


@live
async def test_who_watches_makes_way_on_a_busy_server(there: Live) -> None:
    looks = 0
    look = CityChanges.look

    def stand_still() -> None:
        time.sleep(0.09)

    def counted(changes: CityChanges) -> None:
        nonlocal looks
        looks += 1
        look(changes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CityChanges, "look", counted)
        async with there.channel(Kind.VIEWER, "anna") as channel:
            watcher = Watcher(channel)
            await watcher.snapshot()
            before = looks
            await asyncio.sleep(2.0)
            unhindered, before = looks - before, looks
            for _ in range(20):
                stand_still()
                await asyncio.sleep(0.01)
            hindered = looks - before
    assert unhindered >= 6
    assert hindered <= 3


@pytest.mark.parametrize(
    ("late_s", "pause"), [(0.0, 0.2), (0.01, 0.2), (0.05, 1.0), (0.2, 4.0), (9.0, 5.0)]
)
def test_pause_of_who_watches(late_s: float, pause: float) -> None:
    assert pause_s(late_s) == pytest.approx(pause)


@live
async def test_one_intersection_and_nothing_of_the_others(there: Live) -> None:
    async with (
        there.channel(Kind.VIEWER, "anna") as channel,
        there.channel(Kind.CONTROLLER, "south") as south,
        there.channel(Kind.CONTROLLER, "north") as north,
    ):
        watcher = Watcher(channel, "north")
        assert places(await watcher.snapshot()) == ["north"]
        await TelemetryServiceStub(south).ReportAlarms(alarms(), timeout=5)
        await TelemetryServiceStub(north).ReportAlarms(alarms(), timeout=5)
        events = [await watcher.next(), await watcher.next()]
        assert places(events) == ["north"]
        assert [e.alarm.intersection_id for e in events if e.HasField("alarm")] == ["north"]
        await watcher.silent()


def test_overrides_and_a_server_that_was_started_anew(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "store.sqlite3"
        async with AsyncExitStack() as clients:
            async with running(store=store) as there:
                await clients.enter_async_context(there.connected("north"))
                async with there.channel(Kind.OPERATOR, "ada") as channel:
                    watcher = Watcher(channel)
                    await watcher.snapshot()
                    granted = await Person(channel).request(asked(ttl_ms=600_000))
                    delivered = override_pb2.OVERRIDE_STATE_DELIVERED
                    seen = await watcher.until(lambda e: e.override.state == delivered)
                    assert seen.override.override_id == granted.override_id
                    stopping = asyncio.create_task(there.server.stop())
                    while await watcher.stream.read() is not grpc.aio.EOF:
                        pass
                    assert await watcher.stream.code() is Status.OK
                    await stopping
            there.clock.now_ms += 1_000
            async with (
                running(store=store, after=there) as again,
                again.channel(Kind.VIEWER, "vic") as channel,
            ):
                events = await Watcher(channel, after=watcher.cursor).snapshot()
                assert places(events) == NAMES
                (kept,) = [e.override for e in events if e.HasField("override")]
                assert kept.override_id == granted.override_id

    asyncio.run(inside())


@pytest.mark.parametrize("names", [("north", "west"), ("north",) * 2])
def test_names_are_looked_up_before_anything_is_told(names: tuple[str, ...]) -> None:
    async def inside() -> None:
        async with running() as there, there.channel(Kind.VIEWER, "anna") as channel:
            watcher = Watcher(channel, *names)
            if "west" in names:
                assert await refusal(watcher.stream.read()) == (Status.NOT_FOUND, "UNKNOWN_ID")
            else:
                assert places(await watcher.snapshot()) == ["north"]

    asyncio.run(inside())
