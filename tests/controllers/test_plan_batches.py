"""Plans that take over together: all of them or none, whatever is lost on the way."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.service.plan_batch import AHEAD_MS, DECIDE_MS
from ampelwerk.proto.v1 import controller_pb2, plan_pb2
from tests.controllers.control_room import Street, key, records, refused
from tests.controllers.live import running, until
from tests.controllers.peer import Peer
from tests.controllers.plan_room import (
    ACCEPTED,
    APPLIED,
    AT,
    QUARANTINED,
    REVERTED,
    VERIFIED,
    Author,
    PlanRoom,
    asked,
    plan,
    plan_room,
    unsafe,
)

Status = grpc.StatusCode
ROAD = ("north", "middle", "south")


@pytest.fixture(autouse=True)
def dials_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ampelwerk.controllers.service.controller_service.LEAST_WINDOW_MS", 50)


def applied(street: Street) -> list[int]:
    """Version that each controller follows."""
    return [client.roadside.published.version for client in street.clients]


def held(street: Street) -> list[int]:
    """Version that each controller has accepted for good."""
    return [client.roadside.published.held[1] for client in street.clients]


async def states(eve: Author) -> list[int]:
    """State of the newest version of each intersection of the road."""
    return [(await eve.states(name))[-1] for name in ROAD]


@plan_room
async def test_all_take_over_at_one_moment(room: PlanRoom) -> None:
    street = await room.street(*ROAD)
    eve = await room.author()
    at_ms = room.there.clock.now_ms + 30_000
    request_key = key()
    plans = [plan(name) for name in ROAD]
    reply = await eve.together(*plans, activation=AT, at_unix_ms=at_ms, idempotency_key=request_key)
    assert [(one.version, one.state) for one in reply.plans] == [(1, VERIFIED)] * 3
    entry = records(room.store)[reply.plans[0].audit_seq - 1]
    assert (entry.method, entry.actor) == ("plan.publishtogether", "eve")
    assert entry.target == f"{reply.batch_id}: " + ", ".join(f"{n} version 1" for n in ROAD)
    await street.settle()
    await refused(
        room.store, eve.publish(asked(plan(), expected_version=1)), Status.ABORTED, "HELD"
    )
    again = await eve.together(*plans, activation=AT, at_unix_ms=at_ms, idempotency_key=request_key)
    assert again == reply
    await street.pass_s(26)
    assert (await states(eve), held(street)) == ([VERIFIED] * 3, [0] * 3)
    await street.pass_s(3)
    assert (await states(eve), held(street), applied(street)) == (
        [ACCEPTED] * 3, [1] * 3, [0] * 3,
    )  # fmt: skip
    await street.pass_s(1)
    assert room.there.clock.now_ms == at_ms
    assert applied(street) == [1] * 3
    assert await states(eve) == [APPLIED] * 3
    outcomes = [e.result for e in records(room.store) if e.method == "plan.outcome"]
    assert outcomes == ["published", "accepted"] * 3 + ["applied"] * 3


@plan_room
async def test_as_soon_as_all_have_accepted(room: PlanRoom) -> None:
    street = await room.street(*ROAD)
    eve = await room.author()
    began_ms = room.there.clock.now_ms
    await eve.together(*map(plan, ROAD))
    await street.settle()
    while applied(street) == [0] * 3:
        await street.pass_s(1)
        assert room.there.clock.now_ms < began_ms + AHEAD_MS + 90_000
    assert room.there.clock.now_ms >= began_ms + AHEAD_MS
    assert applied(street) == [1] * 3  # the same plan before, so the same next stage


@plan_room
async def test_what_makes_no_batch(room: PlanRoom) -> None:
    await room.street("north", "middle")
    eve, now_ms = await room.author(), room.there.clock.now_ms
    try:
        await eve.together(*map(plan, ROAD))
    except grpc.aio.AioRpcError as error:
        assert error.code() is Status.FAILED_PRECONDITION
        assert "south" in str(error.details())
    else:
        raise AssertionError("a controller is not there")
    assert records(room.store)[-1].result == "OFFLINE"
    two = (plan("north"), plan("middle"))
    await refused(
        room.store, eve.together(*two, expected=3), Status.ABORTED, "VERSION", actor="eve"
    )
    await refused(
        room.store, eve.together(plan("north"), unsafe("middle")),
        Status.FAILED_PRECONDITION, "UNSAFE", target="north middle",
    )  # fmt: skip
    await refused(room.store, eve.together(plan("west")), Status.NOT_FOUND, "UNKNOWN_ID")
    for call in (
        eve.together(),
        eve.together(plan("north"), plan("north")),
        eve.together(*two, activation=AT, at_unix_ms=now_ms + 10_000),
        eve.together(*two, activation=AT, at_unix_ms=now_ms + 700_000),
        eve.together(*two, reason="short"),
    ):
        room.there.clock.now_ms += 1_000
        await refused(room.store, call, Status.INVALID_ARGUMENT, "INVALID")
    assert await eve.listed() == []


@plan_room
async def test_one_that_refuses_ends_it_for_all(room: PlanRoom) -> None:
    street = await room.street("north", "south")
    eve = await room.author()
    async with room.there.channel(Kind.CONTROLLER, "middle") as channel:
        peer = Peer(channel)
        await peer.dial("middle", capabilities=["published"])
        await eve.together(*map(plan, ROAD))
        push = await peer.published()
        assert (push.prepare_only, bool(push.batch_id)) == (True, True)
        peer.report(push, plan_pb2.PLAN_STATE_REJECTED, cause="not here")
        answer = (await peer.message("activate")).activate
        assert (answer.abort, answer.batch_id) == (True, push.batch_id)
        peer.say(
            plan_report=controller_pb2.PlanReport(
                nonce=answer.nonce, version=1, state=REVERTED, published=True
            )
        )
        await street.settle()
        assert await states(eve) == [REVERTED, QUARANTINED, REVERTED]
        await street.pass_s(90)
    assert (held(street), applied(street)) == ([0] * 2, [0] * 2)
    assert "middle has refused" in (await eve.listed("north"))[0].cause


@plan_room
async def test_one_that_does_not_answer_ends_it_for_all(room: PlanRoom) -> None:
    street = await room.street(*ROAD)
    eve = await room.author()
    deaf = street.clients[1].roadside.published
    deaf.take = lambda push: None  # type: ignore[method-assign]
    await eve.together(*map(plan, ROAD))
    prepared = [street.clients[n].roadside.published for n in (0, 2)]
    dispatch = room.there.server._plans
    assert dispatch is not None
    await until(lambda: dispatch._batches[0]._waits == {1})  # the others have answered
    assert all(one._prepared is not None for one in prepared)
    room.there.clock.now_ms += 10_001
    room.there.server.sweep()
    await until(lambda: all(one._prepared is None for one in prepared))
    assert room.there.overrides is not None
    await room.there.overrides.settled()
    assert await states(eve) == [REVERTED] * 3
    assert "no answer of middle in 10 s" in (await eve.listed("south"))[0].cause


@plan_room
async def test_a_batch_that_comes_to_nothing_leaves_what_was_accepted_before(
    room: PlanRoom,
) -> None:
    street = await room.street(*ROAD)
    eve = await room.author()
    await street.pass_s(1)  # the next cycle begins in 79 s
    await eve.publish(asked(plan()))
    await street.settle()
    await eve.together(plan("north", main_s=45), expected=1)
    await street.settle()
    await street.clients[0].cut()
    await until(lambda: room.there.city.by_name["north"].stream is None)
    await street.pass_s(5)
    assert await eve.states() == [ACCEPTED, REVERTED]
    assert held(street) == [1, 0, 0]
    await street.pass_s(75)
    assert applied(street) == [1, 0, 0]


@pytest.mark.parametrize("seconds", [0, 1, 2])
def test_one_that_is_lost_before_the_decision_ends_it_for_all(tmp_path: Path, seconds: int) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, AsyncExitStack() as stack:
            room = PlanRoom(there, tmp_path / "s", stack)
            street, eve = await room.street(*ROAD), await room.author()
            await eve.together(*map(plan, ROAD))
            await street.settle()
            await street.pass_s(seconds)
            lost = street.clients[2]
            await lost.cut()
            await until(lambda: there.city.by_name["south"].stream is None)
            await street.pass_s(100)
            assert (held(street), applied(street)) == ([0] * 3, [0] * 3)
            assert await states(eve) == [REVERTED] * 3
            assert "the line to south was lost" in (await eve.listed("north"))[0].cause
            lost.allowed.set()
            await until(lambda: lost.connected and lost.roadside.quiet)
            await street.pass_s(90)
            assert (held(street), applied(street)) == ([0] * 3, [0] * 3)
            again = await eve.together(*map(plan, ROAD), expected=1)
            assert [one.version for one in again.plans] == [2] * 3
            await street.settle()
            await street.pass_s(100)
            assert applied(street) == [2] * 3

    asyncio.run(inside())


@plan_room
async def test_one_that_is_lost_when_all_is_final_takes_over_with_the_others(
    room: PlanRoom,
) -> None:
    street = await room.street(*ROAD)
    eve = await room.author()
    at_ms = room.there.clock.now_ms + 25_000
    await eve.together(*map(plan, ROAD), activation=AT, at_unix_ms=at_ms)
    await street.settle()
    await street.pass_s(24)
    lost = street.clients[0]
    await lost.cut()
    await street.pass_s(1)
    assert applied(street) == [1] * 3
    lost.allowed.set()
    await until(lambda: lost.connected and lost.roadside.quiet)
    await street.settle()
    assert await states(eve) == [APPLIED] * 3


@pytest.mark.parametrize(
    ("stop_ms", "expected"),
    [(0, 0), (AHEAD_MS - DECIDE_MS - 1_000, 0), (AHEAD_MS - 500, 1)],
    ids=["prepared", "told the moment", "final"],
)
def test_a_server_that_dies_leaves_nothing_half_done(
    tmp_path: Path, stop_ms: int, expected: int
) -> None:
    async def inside() -> None:
        store = tmp_path / "store.sqlite3"
        async with AsyncExitStack() as clients:
            async with running(store=store) as there:
                street = await PlanRoom(there, store, clients).street(*ROAD)
                async with there.channel(Kind.SUPERVISOR, "eve") as channel:
                    await Author(channel).together(*map(plan, ROAD))
                await street.settle()
                await street.pass_s(stop_ms // 1_000)
            await until(lambda: not any(client.connected for client in street.clients))
            now_ms = there.clock.now_ms
            for second in range(1, 100):  # nobody is there; every controller by itself
                there.clock.now_ms = now_ms + second * 1_000
                for client in street.clients:
                    client.roadside.prepare(there.clock.now_ms // 100)
                    client.roadside.tick(there.clock.now_ms // 100)
            assert applied(street) == [expected] * 3
            async with running(store=store, after=there) as again:
                street = Street(again, *street.clients)
                await until(lambda: all(c.connected and c.roadside.quiet for c in street.clients))
                await street.settle()
                await street.pass_s(2)
                async with again.channel(Kind.SUPERVISOR, "eve") as channel:
                    eve = Author(channel)
                    assert await states(eve) == [APPLIED if expected else REVERTED] * 3
                    assert applied(street) == [expected] * 3
                    await eve.together(*(plan(name, main_s=45) for name in ROAD), expected=1)
                    await street.settle()
                    await street.pass_s(100)
                assert applied(street) == [2] * 3

    asyncio.run(inside())
