"""After a broken line, a restart of the server or of a controller, all agree on overrides again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.steering import Lease
from ampelwerk.models.override import OverrideAction, Precedence
from ampelwerk.proto.v1 import controller_pb2, override_pb2
from tests.controllers.control_room import Person, Street, asked, records
from tests.controllers.live import Live, running, until

ENDED = override_pb2.OVERRIDE_STATE_ENDED
ACTIVE = override_pb2.OVERRIDE_STATE_ACTIVE


@pytest.fixture(autouse=True)
def dials_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ampelwerk.controllers.service.controller_service.LEAST_WINDOW_MS", 50)


async def back(street: Street) -> None:
    client = street.clients[0]
    await until(lambda: client.connected and client.roadside.quiet)
    await street.settle()


async def state(there: Live, name: str) -> tuple[int, str]:
    """State and cause of an override, as a viewer sees them."""
    there.clock.now_ms += 200
    async with there.channel(Kind.VIEWER, "vic") as channel:
        found = (await Person(channel).listed())[name]
        return found.state, found.cause


def test_a_broken_line_in_the_life_of_an_override(tmp_path: Path) -> None:
    async def inside() -> None:
        async with (
            running(store=tmp_path / "s") as there,
            there.connected("north") as client,
            there.channel(Kind.OPERATOR, "ada") as channel,
        ):
            ada, street = Person(channel), Street(there, client)
            granted = await ada.request(asked(ttl_ms=40_000))
            await street.settle()
            await street.pass_s(20)
            await client.cut()
            await until(lambda: there.city.by_name["north"].stream is None)
            # Released while nobody hears it: over here, ending there by itself.
            released = await ada.release(granted.override_id)
            assert released.state == override_pb2.OVERRIDE_STATE_ENDING
            await street.pass_s(5)
            assert client.roadside.overrides.names == [granted.override_id]
            client.allowed.set()
            await back(street)
            assert client.roadside.overrides.names == []
            assert await state(there, granted.override_id) == (ENDED, "RELEASED")
            # Nobody comes back in time: it ends at the controller by its own clock.
            second = await ada.request(asked(ttl_ms=30_000))
            await street.settle()
            await street.pass_s(10)
            await client.cut()
            await street.pass_s(19, sweep=False)
            assert client.roadside.overrides.names == [second.override_id]
            await street.pass_s(2, sweep=False)
            assert client.roadside.overrides.names == []
            client.allowed.set()
            await back(street)
            await street.pass_s(1)
            assert await state(there, second.override_id) == (ENDED, "EXPIRED")

    asyncio.run(inside())


def test_the_server_restarts_with_the_same_store(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "store.sqlite3"
        async with AsyncExitStack() as clients:
            async with running(store=store) as there:
                client = await clients.enter_async_context(there.connected("north"))
                other = await clients.enter_async_context(there.connected("south"))
                async with there.channel(Kind.OPERATOR, "ada") as channel:
                    ada, street = Person(channel), Street(there, client, other)
                    kept = await ada.request(asked("north", ttl_ms=600_000))
                    lapsing = await ada.request(asked("south", ttl_ms=30_000))
                    await street.settle()
                    await street.pass_s(20)
                    assert await state(there, kept.override_id) == (ACTIVE, "")
            # While the server is away the controllers go on: one lease holds, the other ends.
            now_ds = there.clock.now_ms // 100
            for second in range(1, 16):
                there.clock.now_ms += 1_000
                for one in (client, other):
                    one.roadside.prepare(now_ds + 10 * second)
                    one.roadside.tick(now_ds + 10 * second)
            assert client.roadside.overrides.names == [kept.override_id]
            assert other.roadside.overrides.names == []
            async with running(store=store, after=there) as again:
                street = Street(again, client, other)
                again.server.sweep()
                await until(lambda: client.connected and other.connected)
                await street.settle()
                await street.pass_s(1)
                assert await state(again, kept.override_id) == (ACTIVE, "")
                assert await state(again, lapsing.override_id) == (ENDED, "EXPIRED")
                async with again.channel(Kind.OPERATOR, "ada") as channel:
                    await Person(channel).release(kept.override_id)
                await street.settle()
                assert client.roadside.overrides.names == []
                assert await state(again, kept.override_id) == (ENDED, "RELEASED")
        assert records(store)[-1].result == "ended"

    asyncio.run(inside())


def test_a_controller_that_was_started_anew_gets_its_lease_again(tmp_path: Path) -> None:
    async def inside() -> None:
        async with (
            running(store=tmp_path / "s") as there,
            there.channel(Kind.OPERATOR, "ada") as channel,
        ):
            async with there.connected("north") as client:
                street = Street(there, client)
                granted = await Person(channel).request(asked(ttl_ms=60_000))
                await street.settle()
                await street.pass_s(20)
            await until(lambda: there.city.by_name["north"].stream is None)
            async with there.connected("north") as client:
                street = Street(there, client)
                await street.settle()
                assert client.roadside.overrides.names == [granted.override_id]
                (lease,) = client.roadside.arbiter.leases
                assert lease.expiry_ds == granted.expiry_unix_ms // 100

    asyncio.run(inside())


def test_a_lease_that_nobody_knows_is_ended_after_the_next_heartbeat(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, there.connected("north") as client:
            street = Street(there, client)
            async with there.channel(Kind.OPERATOR, "ada") as channel:
                granted = await Person(channel).request(asked(ttl_ms=60_000))
                await street.settle()
            client.roadside.arbiter.set(
                Lease(
                    override_id="stray", action=OverrideAction.PRIORITY, precedence=Precedence.PRIORITY,
                    target=0, eta_ds=there.clock.now_ms // 100 + 500,
                    effective_ds=0, expiry_ds=there.clock.now_ms // 100 + 900,
                ),
                there.clock.now_ms // 100,
            )  # fmt: skip
            await street.pass_s(6)
            assert client.roadside.overrides.names == [granted.override_id]

    asyncio.run(inside())


def test_the_cabinet_takes_the_say(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, there.connected("north") as client:
            street = Street(there, client)
            async with there.channel(Kind.OPERATOR, "ada") as channel:
                first = await Person(channel).request(asked(ttl_ms=60_000))
                await street.settle()
                await street.pass_s(20)
                client.roadside.arbiter.take_local(there.clock.now_ms // 100)
                await street.pass_s(1)
                assert await state(there, first.override_id) == (ENDED, "LOCAL")
                second = await Person(channel).request(asked(ttl_ms=60_000))
                await street.settle()
                assert await state(there, second.override_id) == (ENDED, "LOCAL")

    asyncio.run(inside())


def test_a_clock_that_is_set_back_does_not_lengthen_a_lease(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, there.connected("north") as client:
            street = Street(there, client)
            async with there.channel(Kind.OPERATOR, "ada") as channel:
                await Person(channel).request(asked(ttl_ms=30_000))
            await street.settle()
            roadside = client.roadside
            there.clock.now_ms += 30_000  # the monotonic clock; the day's clock stands still
            roadside.prepare((there.clock.now_ms - 30_000) // 100)
            assert roadside.overrides.names == []

    asyncio.run(inside())


def test_a_controller_believes_no_push_that_makes_no_sense(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, there.connected("north") as client:
            leases, shown = client.roadside.overrides, client.roadside.local.stage
            act = override_pb2.OverrideAction
            senseless = (
                act(),
                act(force_stage=override_pb2.ForceStage()),
                act(force_stage=override_pb2.ForceStage(stage_id="third")),
                act(gating=override_pb2.Gating(group_id="main")),
                act(green_wave=override_pb2.GreenWave(group_ids=["main"], eta_unix_ms=[1, 2])),
                act(priority=override_pb2.Priority(group_id="main", eta_unix_ms=1)),
                act(fixed_time=override_pb2.FixedTime()),
            )
            for number, action in enumerate(senseless, start=1):
                push = controller_pb2.OverridePush(
                    nonce=number, override_id=f"o{number}", action=action, ttl_ms=60_000,
                    kind=controller_pb2.OVERRIDE_KIND_SET,
                )  # fmt: skip
                report = leases.take(push)
                assert (report.nonce, report.state) == (number, ENDED)
                assert report.cause in ("FAILED", "EXPIRED")
            assert leases.names == []
            await Street(there, client).pass_s(1)
            assert client.roadside.local.stage == shown

    asyncio.run(inside())


def test_a_deposed_server_has_no_say(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "s"
        async with AsyncExitStack() as clients:
            async with running(store=store, epoch=7) as there:
                client = await clients.enter_async_context(there.connected("north"))
                async with there.channel(Kind.OPERATOR, "ada") as channel:
                    kept = await Person(channel).request(asked(ttl_ms=600_000))
                await Street(there, client).settle()
            async with running(store=store, after=there, epoch=8) as newer:
                street = Street(newer, client)
                await until(lambda: client.connected)
                await street.settle()
            # The first one comes back and believes that it leads: nobody listens.
            dials = client.dials
            async with running(store=store, after=there, epoch=7) as older:
                await until(lambda: client.dials >= dials + 3)
                assert not client.connected
                assert older.city.by_name["north"].stream is None
            leases, stale = client.roadside.overrides, client.roadside.stale_pushes
            for epoch, names in ((0, [kept.override_id]), (7, [kept.override_id]), (8, [])):
                push = controller_pb2.OverridePush(
                    nonce=1, override_id=kept.override_id, epoch=epoch, cause="RELEASED",
                    kind=controller_pb2.OVERRIDE_KIND_END,
                )  # fmt: skip
                client.roadside.outbox.clear()
                client.roadside.receive(controller_pb2.ServerMessage(override_push=push))
                assert leases.names == names
                assert len(client.roadside.outbox) == (epoch == 8)
            assert client.roadside.stale_pushes == stale + 2

    asyncio.run(inside())


def test_pushes_bear_the_epoch_of_their_server(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, there.connected("north") as client:
            street, seen = Street(there, client), []
            take = client.roadside.receive

            def receive(message: controller_pb2.ServerMessage) -> None:
                if message.HasField("override_push"):
                    seen.append((message.override_push.kind, message.override_push.epoch))
                take(message)

            client.roadside.receive = receive  # type: ignore[method-assign]
            async with there.channel(Kind.OPERATOR, "ada") as channel:
                ada = Person(channel)
                granted = await ada.request(asked())
                await street.settle()
                await ada.renew(granted.override_id, 50_000)
                await street.settle()
                await ada.release(granted.override_id)
                await street.settle()
            kinds = controller_pb2.OVERRIDE_KIND_SET, controller_pb2.OVERRIDE_KIND_RENEW
            assert seen == [(kind, 7) for kind in (*kinds, controller_pb2.OVERRIDE_KIND_END)]

    asyncio.run(inside())
