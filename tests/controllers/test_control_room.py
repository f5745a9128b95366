"""The control room over mTLS: every refusal with its status and audit record, every life of a lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.override_book import DELIVERY_MS
from ampelwerk.proto.v1 import override_pb2
from tests.controllers.control_room import (
    MAIN,
    SIDE,
    Person,
    Street,
    asked,
    asked_for,
    key,
    records,
    refused,
)
from tests.controllers.live import Live, refusal, running, until

Status = grpc.StatusCode
ACTIVE = override_pb2.OVERRIDE_STATE_ACTIVE
DELIVERED = override_pb2.OVERRIDE_STATE_DELIVERED
ENDING = override_pb2.OVERRIDE_STATE_ENDING
ENDED = override_pb2.OVERRIDE_STATE_ENDED


class Room:
    """A server, its store, people and a street."""

    def __init__(self, there: Live, store: Path, stack: AsyncExitStack) -> None:
        self.there, self.store, self._stack = there, store, stack

    async def person(self, kind: Kind, name: str) -> Person:
        channel = await self._stack.enter_async_context(self.there.channel(kind, name))
        return Person(channel)

    async def street(self, *names: str) -> Street:
        clients = [
            await self._stack.enter_async_context(self.there.connected(name)) for name in names
        ]
        return Street(self.there, *clients)


def room(test: Callable[[Room], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """A test with a control room."""

    def run(tmp_path: Path) -> None:
        async def inside() -> None:
            store = tmp_path / "store.sqlite3"
            async with running(store=store) as there, AsyncExitStack() as stack:
                await test(Room(there, store, stack))

        asyncio.run(inside())

    run.__name__ = test.__name__
    return run


@room
async def test_an_override_goes_down_shows_and_expires(room: Room) -> None:
    street = await room.street("north")
    local = street.clients[0].roadside.local
    ada = await room.person(Kind.OPERATOR, "ada")
    await street.pass_s(5)
    assert local.stage == 0
    granted = await ada.request(asked("north", ttl_ms=60_000))
    assert granted.state == override_pb2.OVERRIDE_STATE_GRANTED
    assert (granted.holder, granted.role, granted.priority) == ("ada", "operator", 3)
    entry = asked_for(room.store)[-1]  # durable before the reply
    assert (entry.actor, entry.role, entry.method) == ("ada", "operator", "override.request")
    assert (entry.result, entry.reason) == ("ok", "burst water main")
    assert entry.target == f"{granted.override_id} north"
    await street.settle()
    assert (await ada.listed())[granted.override_id].state == DELIVERED
    await street.pass_s(30)
    assert local.intersection.stages[local.stage].stage_id == SIDE
    assert (await ada.listed())[granted.override_id].state == ACTIVE
    assert room.there.city.by_name["north"].status().override_ids == [granted.override_id]
    await street.pass_s(29)
    assert street.clients[0].roadside.overrides.names == [granted.override_id]
    await street.pass_s(2)
    assert street.clients[0].roadside.overrides.names == []
    over = (await ada.listed())[granted.override_id]
    assert (over.state, over.cause) == (ENDED, "EXPIRED")
    outcomes = [e for e in records(room.store) if e.method == "override.outcome"]
    assert {e.target for e in outcomes} == {granted.override_id}
    assert [e.result for e in outcomes][-1] == "ended"


@room
async def test_two_operators_want_the_same_intersection(room: Room) -> None:
    await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    bob = await room.person(Kind.OPERATOR, "bob")
    eve = await room.person(Kind.SUPERVISOR, "eve")
    first = await ada.request(asked())
    await refused(
        room.store, bob.request(asked()), Status.ABORTED, "HELD",
        actor="bob", role="operator", method="override.request",
    )  # fmt: skip
    await refused(room.store, bob.request(asked(supersede=True)), Status.ABORTED, "HELD")
    try:
        await bob.request(asked())
    except grpc.aio.AioRpcError as error:
        assert "ada holds it" in str(error.details())
    for call in (bob.release(first.override_id), bob.renew(first.override_id, 60_000)):
        await refused(room.store, call, Status.PERMISSION_DENIED, "ROLE", actor="bob")
    second = await eve.request(asked(supersede=True))
    listed = await ada.listed()
    assert listed[first.override_id].cause == "SUPERSEDED"
    assert listed[second.override_id].holder == "eve"


@room
async def test_release_during_the_transition(room: Room) -> None:
    street = await room.street("north")
    local = street.clients[0].roadside.local
    ada = await room.person(Kind.OPERATOR, "ada")
    await street.pass_s(10)
    granted = await ada.request(asked())
    await street.settle()
    await street.pass_s(2)
    assert not local.settled  # amber or all red on the way to the side road
    released = await ada.release(granted.override_id)
    assert (released.state, released.cause) == (ENDING, "RELEASED")
    entry = asked_for(room.store)[-1]
    await street.settle()
    assert (await ada.listed())[granted.override_id].state == ENDED
    assert [e.method for e in records(room.store)][-2:] == ["override.release", "override.outcome"]
    assert entry.target == granted.override_id
    assert street.clients[0].roadside.overrides.names == []
    await street.pass_s(20)
    assert local.intersection.stages[local.stage].stage_id == MAIN
    await refused(
        room.store, ada.release(granted.override_id), Status.NOT_FOUND, "UNKNOWN_ID", actor="ada"
    )


@room
async def test_whose_role_is_too_low_is_refused_and_recorded(room: Room) -> None:
    await room.street("north")
    for kind in (Kind.VIEWER, Kind.ENGINEER, Kind.CONTROLLER):
        somebody = await room.person(kind, "north")
        await refused(
            room.store, somebody.request(asked()), Status.PERMISSION_DENIED, "ROLE",
            actor="north", role=kind.value, method="override.request",
        )  # fmt: skip
    ada = await room.person(Kind.OPERATOR, "ada")
    granted = await ada.request(asked())
    await refused(
        room.store, ada.approve(granted.override_id), Status.PERMISSION_DENIED, "ROLE",
        actor="ada", role="operator", method="override.approve",
    )  # fmt: skip
    viewer = await room.person(Kind.VIEWER, "vic")
    assert granted.override_id in await viewer.listed()
    for _ in range(20):  # a flood of refusals does not fill the audit
        assert await refusal(viewer.release(granted.override_id)) == (
            Status.PERMISSION_DENIED, "ROLE",
        )  # fmt: skip
    assert len([e for e in records(room.store) if e.actor == "vic"]) == 5


@room
async def test_unknown_names_and_bad_fields(room: Room) -> None:
    await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    stage = override_pb2.OverrideAction(force_stage=override_pb2.ForceStage(stage_id="third"))
    unknown = (
        ada.request(asked("west")),
        ada.request(asked(action=stage)),
        ada.release("o123"),
        ada.renew("o123", 60_000),
    )
    for call in unknown:
        await refused(room.store, call, Status.NOT_FOUND, "UNKNOWN_ID", actor="ada")
    wave = override_pb2.GreenWave(group_ids=["main", "main"], eta_unix_ms=[1])
    fixed = override_pb2.OverrideAction(fixed_time=override_pb2.FixedTime())
    bad = (
        asked(ttl_ms=0),
        asked(ttl_ms=3_600_001),
        asked(reason="short"),
        asked("north", "north"),
        asked(idempotency_key=b"short"),
        asked(action=override_pb2.OverrideAction()),
        asked(action=override_pb2.OverrideAction(green_wave=wave)),
        asked(action=fixed),
        asked(route_id="r1"),
        asked(preview_id="p1"),
        asked("north" * 100),
        asked("north\x1b[2J"),
        asked(reason="burst\x1b[2J water main"),
        asked(not_before_unix_ms=-1),
    )
    for wanted in bad:
        room.there.clock.now_ms += 1_000
        await refused(
            room.store, ada.request(wanted), Status.INVALID_ARGUMENT, "INVALID",
            actor="ada", method="override.request",
        )  # fmt: skip
    for call in (
        ada.release(""),
        ada.release("o1", idempotency_key=b""),
        ada.release("o1", reason="x" * 501),
    ):
        await refused(room.store, call, Status.INVALID_ARGUMENT, "INVALID", actor="ada")
    assert await ada.listed() == {}


@room
async def test_a_replayed_request_has_the_same_reply_and_no_second_effect(room: Room) -> None:
    street = await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    wanted = asked()
    granted = await ada.request(wanted)
    await street.pass_s(5)
    assert await ada.request(wanted) == granted
    assert asked_for(room.store)[-1].result == "repeated"
    assert len(await ada.listed()) == 1
    wanted.ttl_ms = 50_000
    await refused(room.store, ada.request(wanted), Status.ALREADY_EXISTS, "KEY_REUSED")
    same = key()
    released = await ada.release(granted.override_id, idempotency_key=same)
    assert await ada.release(granted.override_id, idempotency_key=same) == released


@room
async def test_a_controller_that_is_not_there_gets_no_command(room: Room) -> None:
    street = await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    await refused(
        room.store, ada.request(asked("north", "south")), Status.FAILED_PRECONDITION, "OFFLINE"
    )
    street.clients[0].roadside.local.interlock.trip("lamp fault")
    await street.pass_s(6)
    await refused(room.store, ada.request(asked()), Status.FAILED_PRECONDITION, "LOCAL")


@room
async def test_lamps_off_need_a_second_person(room: Room) -> None:
    street = await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    eve = await room.person(Kind.SUPERVISOR, "eve")
    ada_too = await room.person(Kind.SUPERVISOR, "ada")
    flash = override_pb2.OverrideAction(flash=override_pb2.Flash())
    waiting = await ada.request(asked(action=flash))
    assert waiting.state == override_pb2.OVERRIDE_STATE_AWAITING_APPROVAL
    await street.settle()
    assert street.clients[0].roadside.overrides.names == []
    await refused(
        room.store, ada_too.approve(waiting.override_id), Status.PERMISSION_DENIED, "ROLE"
    )
    granted = await eve.approve(waiting.override_id)
    assert granted.state == override_pb2.OVERRIDE_STATE_GRANTED
    await street.settle()
    await street.pass_s(30)
    assert street.clients[0].roadside.local.display.name == "FLASH"


@room
async def test_renewal_reaches_the_controller(room: Room) -> None:
    street = await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    granted = await ada.request(asked(ttl_ms=20_000))
    await street.pass_s(15)
    renewed = await ada.renew(granted.override_id, 40_000)
    assert renewed.expiry_unix_ms == room.there.clock.now_ms + 40_000
    await street.settle()
    await street.pass_s(38)
    assert street.clients[0].roadside.overrides.names == [granted.override_id]
    await street.pass_s(3)
    assert street.clients[0].roadside.overrides.names == []


@room
async def test_what_is_not_delivered_everywhere_is_over_everywhere(room: Room) -> None:
    street = await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    async with room.there.connected("south") as south:
        south.roadside.receive = lambda message: None  # type: ignore[method-assign]
        granted = await ada.request(asked("north", "south"))
        here = street.clients[0].roadside.overrides
        await until(lambda: here.names == [granted.override_id])
        room.there.clock.now_ms += DELIVERY_MS
        room.there.server.sweep()
        await until(lambda: here.names == [])
    assert (await ada.listed())[granted.override_id].cause == "UNDELIVERED"
    assert street.clients[0].roadside.overrides.names == []
