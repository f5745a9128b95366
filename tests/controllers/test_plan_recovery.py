"""Published plans outlive refusals, broken lines and restarts of the server and of controllers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.ladder import Level
from ampelwerk.controllers.signing import PlanSigner
from ampelwerk.proto.v1 import alarm_pb2, controller_pb2, plan_pb2
from tests.controllers.control_room import Street, records, refused
from tests.controllers.live import Live, running, until
from tests.controllers.peer import Peer
from tests.controllers.plan_room import (
    ACCEPTED,
    APPLIED,
    AT,
    NEXT_STAGE,
    PUBLISHED,
    QUARANTINED,
    Author,
    PlanRoom,
    asked,
    plan,
    plan_room,
)
from tests.controllers.test_network_watch import Watcher

REJECTED = plan_pb2.PLAN_STATE_REJECTED


@pytest.fixture(autouse=True)
def dials_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ampelwerk.controllers.service.controller_service.LEAST_WINDOW_MS", 50)


async def back(street: Street) -> None:
    await until(lambda: all(c.connected and c.roadside.quiet for c in street.clients))
    await street.settle()


async def in_force(eve: Author) -> None:
    """The controller's acceptance has come in: a version superseded before that is not gone back to."""
    async with asyncio.timeout(20):
        while (await eve.states())[-1] != ACCEPTED:
            await asyncio.sleep(0.02)


async def alarm_of(there: Live) -> alarm_pb2.Alarm:
    """The alarm of a refused plan, when the server has looked for what is wrong."""
    there.server.sweep()
    assert there.overrides is not None
    await there.overrides.settled()
    return there.city.by_name["north"].alarms["server:published-plan"]


@plan_room
async def test_a_refused_version_is_quarantined_and_the_one_before_stays(room: PlanRoom) -> None:
    eve = await room.author()
    async with room.there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north", capabilities=["published"])
        await eve.publish(asked(plan()))
        first = await peer.published()
        peer.report(first, ACCEPTED)
        await in_force(eve)
        await eve.publish(asked(plan(main_s=45), expected_version=1))
        second = await peer.published()
        assert (second.version, second.epoch) == (2, 7)
        finding = {"rule": "MIN_GREEN", "message": "too short\x1b for me"}
        watcher = Watcher(await room.line(Kind.VIEWER, "vic"))
        await watcher.snapshot()
        peer.report(second, REJECTED, cause="it breaks rules", findings=[finding])
        session = room.there.city.by_name["north"]
        await until(lambda: session.published is not None and session.published.version == 1)
        told = await watcher.until(lambda e: e.plan.state == REJECTED)
        assert (told.plan.published, told.plan.version) == (True, 2)
    assert await eve.states() == [ACCEPTED, QUARANTINED]
    assert (await eve.listed())[
        1
    ].cause == "it breaks rules: too short\N{REPLACEMENT CHARACTER} for me"
    alarm = await alarm_of(room.there)
    assert (alarm.code, alarm.component, alarm.intersection_id) == (
        "published_plan_rejected", "version 2", "north",
    )  # fmt: skip
    outcomes = [(e.target, e.result) for e in records(room.store) if e.method == "plan.outcome"]
    assert outcomes[-2:] == [("north version 2", "rejected"), ("north version 2", "quarantined")]
    await refused(
        room.store, eve.publish(asked(plan(main_s=45), expected_version=2)),
        grpc.StatusCode.FAILED_PRECONDITION, "UNSAFE", actor="eve",
    )  # fmt: skip
    async with room.there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north", capabilities=["published"])
        again = await peer.published()
        assert again.version == 1  # never version 2 again
        peer.report(again, ACCEPTED)
        await eve.publish(asked(plan(main_s=50), expected_version=2))
        third = await peer.published()
        assert third.version == 3
        assert (await alarm_of(room.there)).active  # until a newer one is accepted
        peer.report(third, ACCEPTED)
        await until(lambda: session.published_refused is None)
        assert not (await alarm_of(room.there)).active
    assert await eve.alarms() == []


@plan_room
async def test_a_controller_that_comes_later_gets_the_newest_by_push_and_by_pull(
    room: PlanRoom,
) -> None:
    eve = await room.author()
    await eve.publish(asked(plan()))
    await eve.publish(asked(plan(main_s=45), expected_version=1))
    assert await eve.states() == [plan_pb2.PLAN_STATE_SUPERSEDED, PUBLISHED]
    async with room.there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial("north", capabilities=["rolling"])  # too old for published plans
        pulled = await peer.pulled("north")
        assert (pulled.published_version, pulled.version) == (2, 0)
        content = plan_pb2.Plan.FromString(pulled.published_plan.plan)
        assert (content.version, content.intersection_id) == (2, "north")
        held = await peer.pulled("north", if_published_version=2)
        assert (held.published_version, held.HasField("published_plan")) == (2, False)
        push = await peer.push()
        assert (push.kind, push.published) == (controller_pb2.PUSH_KIND_HEARTBEAT, False)
    async with room.there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial(
            "north", capabilities=["published"], held_published_epoch=7, held_published_version=1
        )
        assert (await peer.published()).version == 2
    async with room.there.channel(Kind.CONTROLLER, "north") as channel:
        peer = Peer(channel)
        await peer.dial(
            "north", capabilities=["published"], held_published_epoch=7, held_published_version=2
        )
        await peer.push()  # that there is no schedule; nothing else
        assert room.there.overrides is not None
        await room.there.overrides.settled()
        stream = room.there.city.by_name["north"].stream
        assert stream is not None
        assert stream.last_nonce == 1
    street = await room.street("north")
    await street.pass_s(90)
    assert await eve.states() == [plan_pb2.PLAN_STATE_SUPERSEDED, APPLIED]


@plan_room
async def test_what_a_controller_follows_survives_its_restart(room: PlanRoom) -> None:
    file = room.store.parent / "north.plans"
    eve = await room.author()
    async with room.there.connected("north", plan_file=file) as client:
        street = Street(room.there, client)
        await eve.publish(asked(plan(main_s=50), activation=NEXT_STAGE))
        await street.settle()
        await street.pass_s(80)
        assert client.roadside.published.version == 1
        at_ms = room.there.clock.now_ms + 60_000
        await eve.publish(asked(plan(), expected_version=1, activation=AT, at_unix_ms=at_ms))
        await street.settle()
    roadside = room.there.roadside("north", plan_file=file)  # no server in sight
    assert (roadside.published.version, roadside.published.held) == (1, (7, 2))
    now_ds = room.there.clock.now_ms // 100
    for second in range(1, 200):
        room.there.clock.now_ms += 1_000
        roadside.prepare(now_ds + 10 * second)
        roadside.tick(now_ds + 10 * second)
        assert roadside.published.version == (1 if second < 60 else 2)
    assert roadside.ladder.level is Level.COORDINATED
    assert roadside.local.schedule.plan_at(0).cycle_ds == 800
    client = room.there.client(roadside)
    task = asyncio.create_task(client.run())
    await until(lambda: client.connected and client.roadside.quiet)
    await Street(room.there, client).settle()
    assert (await eve.states())[-1] == APPLIED  # it tells what has happened meanwhile
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@plan_room
async def test_a_broken_file_or_a_strange_signature_is_not_believed(room: PlanRoom) -> None:
    file = room.store.parent / "north.plans"
    file.write_text('{"current": "AAAA", "next": ""')
    assert room.there.roadside("north", plan_file=file).published.held == (0, 0)
    eve = await room.author()
    street = await room.street("north", plan_file=file)
    await eve.publish(asked(plan(), activation=NEXT_STAGE))
    await street.settle()
    await street.pass_s(80)
    assert room.there.roadside("north", plan_file=file).published.version == 1
    ours, room.there.signer = room.there.signer, PlanSigner(Ed25519PrivateKey.generate())
    assert room.there.roadside("north", plan_file=file).published.version == 0
    room.there.signer = ours


@plan_room
async def test_a_plan_that_cannot_be_kept_is_not_taken(room: PlanRoom) -> None:
    file = room.store.parent / "missing" / "north.plans"
    eve = await room.author()
    street = await room.street("north", plan_file=file)
    await eve.publish(asked(plan(), activation=NEXT_STAGE))
    await street.settle()
    await street.pass_s(80)
    roadside = street.clients[0].roadside
    assert (roadside.published.version, roadside.published.held) == (0, (0, 0))
    (version,) = await eve.listed()
    assert version.state == plan_pb2.PLAN_STATE_REVERTED
    assert "No such file" in version.cause


def test_the_server_restarts_between_publication_and_acknowledgement(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "store.sqlite3"
        async with AsyncExitStack() as clients:
            async with running(store=store) as there:
                client = await clients.enter_async_context(there.connected("north"))
                deaf = client.roadside.published
                take, deaf.take = deaf.take, lambda push: None  # type: ignore[method-assign]
                async with there.channel(Kind.SUPERVISOR, "eve") as channel:
                    request = asked(plan(), activation=NEXT_STAGE)
                    reply = await Author(channel).publish(request)
                    stream = there.city.by_name["north"].stream
                    assert stream is not None
                    await until(lambda: stream.unanswered is not None)
                    assert await Author(channel).states() == [PUBLISHED]
            deaf.take = take  # type: ignore[method-assign]
            async with running(store=store, after=there) as again:
                street = Street(again, client)
                await back(street)
                async with again.channel(Kind.SUPERVISOR, "eve") as channel:
                    eve = Author(channel)
                    assert await eve.publish(request) == reply  # sent again: nothing new
                    assert await eve.states() == [ACCEPTED]
                    await street.pass_s(80)
                    assert await eve.states() == [APPLIED]
                    assert client.roadside.published.version == 1
                    kept = await eve.get("north", 1)
                    assert plan_pb2.Plan.FromString(kept.signed_plan.plan).epoch == 7
                    second = await eve.publish(asked(plan(main_s=45), expected_version=1))
                    assert second.version == 2
                    await street.pass_s(90)
                    assert client.roadside.published.held == (8, 2)
        assert records(store)[-1].result == "superseded"

    asyncio.run(inside())


def test_a_refused_plan_is_not_pushed_by_the_next_server_either(tmp_path: Path) -> None:
    async def inside() -> None:
        store = tmp_path / "store.sqlite3"
        async with running(store=store) as there:
            await _refuse(there)
        async with running(store=store, after=there) as again:
            async with again.channel(Kind.SUPERVISOR, "eve") as channel:
                assert (await alarm_of(again)).active
                (alarm,) = await Author(channel).alarms()
                assert alarm.code == "published_plan_rejected"
            assert again.city.by_name["north"].published is None

    asyncio.run(inside())


async def _refuse(there: Live) -> None:
    async with (
        there.channel(Kind.SUPERVISOR, "eve") as channel,
        there.channel(Kind.CONTROLLER, "north") as line,
    ):
        eve, peer = Author(channel), Peer(line)
        await peer.dial("north", capabilities=["published"])
        await eve.publish(asked(plan()))
        peer.report(await peer.published(), REJECTED, cause="no")
        session = there.city.by_name["north"]
        await until(lambda: session.published_refused is not None)
        assert session.published is None
        assert (await alarm_of(there)).active


@plan_room
async def test_a_check_beside_the_ticks_is_answered_when_it_is_done(room: PlanRoom) -> None:
    eve = await room.author()
    street = await room.street("north")
    published = street.clients[0].roadside.published
    with ThreadPoolExecutor(1) as pool:
        published._beside = pool
        await eve.publish(asked(plan(), activation=NEXT_STAGE))
        await until(lambda: published._checking is not None)
        checking = published._checking
        assert checking is not None
        await until(checking[2].done)  # time passes only once all is answered
        assert published.held == (0, 0)
        await street.pass_s(80)
    assert await eve.states() == [APPLIED]
