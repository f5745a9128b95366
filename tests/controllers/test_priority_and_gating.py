"""Over the wire: a bus announces itself at the roadside, and an approach is gated."""

from __future__ import annotations

import itertools
from typing import Any

import grpc
import pytest

from ampelwerk.controllers.client import RoadsideClient
from ampelwerk.controllers.control_room import seen
from ampelwerk.controllers.identity import Kind
from ampelwerk.models.errors import RefusalCode, RequestRefusedError, ServerError
from ampelwerk.proto.v1 import controller_pb2, override_pb2
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from tests.controllers.control_room import Street, asked, asked_for, key, records, refused
from tests.controllers.live import refusal
from tests.controllers.test_control_room import ACTIVE, DELIVERED, ENDED, Room, room

Status = grpc.StatusCode
MAIN, SIDE = 0, 1


async def bus(room: Room, client: RoadsideClient, **changes: Any) -> override_pb2.Override:
    """A bus on the side road is here in half a minute."""
    usual: dict[str, Any] = {
        "ttl_ms": 60_000, "reason": "line 5, vehicle 17", "key": key(),
    }  # fmt: skip
    eta_ms = room.there.clock.now_ms + 30_000
    return await client.request_priority("side", eta_ms, **{**usual, **changes})


def asking(room: Room, **changes: Any) -> controller_pb2.PriorityRequest:
    usual: dict[str, Any] = {
        "intersection_id": "north", "idempotency_key": key(), "group_id": "side",
        "eta_unix_ms": room.there.clock.now_ms + 30_000, "ttl_ms": 60_000,
        "reason": "line 5, vehicle 17",
    }  # fmt: skip
    return controller_pb2.PriorityRequest(**{**usual, **changes})


@room
async def test_a_bus_announces_itself_and_finds_green(room: Room) -> None:
    street = await room.street("north")
    (client,), local = street.clients, street.clients[0].roadside.local
    await street.pass_s(1)
    eta_ms = room.there.clock.now_ms + 30_000
    granted = await bus(room, client)
    entry = asked_for(room.store)[-1]  # durable before the reply
    assert (entry.actor, entry.role, entry.method, entry.result, entry.reason) == (
        "north", "controller", "override.request", "ok", "line 5, vehicle 17",
    )  # fmt: skip
    assert (entry.target, entry.detail) == (f"{granted.override_id} north", "priority")
    assert (granted.holder, granted.role, granted.priority) == ("north", "controller", 1)
    await street.settle()
    vic = await room.person(Kind.VIEWER, "vic")
    assert (await vic.listed())[granted.override_id].state == DELIVERED
    while room.there.clock.now_ms < eta_ms:
        await street.pass_s(1)
    assert local.green_mask == 1 << SIDE
    active = (await vic.listed())[granted.override_id]
    (given,) = active.per_intersection
    begin_ms = given.green_from_unix_ms
    assert active.state == ACTIVE
    assert eta_ms - 10_000 < begin_ms <= eta_ms
    assert given.green_ms == 0  # it goes on
    await street.pass_s(8)
    over = (await vic.listed())[granted.override_id]
    assert (over.state, over.cause) == (ENDED, "SERVED")
    (given,) = over.per_intersection
    assert given.green_from_unix_ms == begin_ms
    assert given.green_ms == eta_ms + 5_000 - begin_ms  # until the lease was over
    outcome = records(room.store)[-1]
    assert outcome.detail == f"served; north green from {begin_ms} for {given.green_ms} ms"
    shown = str(seen(over).greens["north"])
    assert shown.startswith("green from ") and shown.endswith(f" for {given.green_ms / 1000:g} s")
    assert client.roadside.overrides.names == []


@room
async def test_the_next_bus_waits_or_takes_the_place(room: Room) -> None:
    street = await room.street("north", "south")
    north, south = street.clients
    first = await bus(room, north)
    with pytest.raises(RequestRefusedError) as held:
        await bus(room, north)
    assert (held.value.code, held.value.holder) == (RefusalCode.HELD, "north")
    assert asked_for(room.store)[-1].result == "HELD"
    assert (await bus(room, south)).holder == "south"  # another intersection
    same = key()
    second = await bus(room, north, supersede=True, key=same)
    assert await bus(room, north, supersede=True, key=same) == second
    assert asked_for(room.store)[-1].result == "repeated"
    vic = await room.person(Kind.VIEWER, "vic")
    assert (await vic.listed())[first.override_id].cause == "SUPERSEDED"
    released = await north.release_priority(second.override_id, key=key())
    entry = asked_for(room.store)[-1]
    assert (entry.actor, entry.method, entry.result) == ("north", "override.release", "ok")
    assert released.cause == "RELEASED"
    await street.settle()
    assert not (await vic.listed())[second.override_id].per_intersection[0].green_ms
    assert north.roadside.overrides.names == []


@room
async def test_a_bus_that_has_passed_early_leaves_what_it_was_given(room: Room) -> None:
    street = await room.street("north")
    (client,), local = street.clients, street.clients[0].roadside.local
    granted = await bus(room, client)
    while not local.green_mask >> SIDE & 1:
        await street.pass_s(1)
    begin_ms = room.there.clock.now_ms
    await street.pass_s(3)
    await client.release_priority(granted.override_id, key=key())
    await street.settle()
    vic = await room.person(Kind.VIEWER, "vic")
    over = (await vic.listed())[granted.override_id]
    (given,) = over.per_intersection
    assert (over.cause, given.green_from_unix_ms, given.green_ms) == ("RELEASED", begin_ms, 3_000)


@room
async def test_a_bus_waits_beneath_an_operator(room: Room) -> None:
    street = await room.street("north")
    (client,) = street.clients
    ada = await room.person(Kind.OPERATOR, "ada")
    hold = override_pb2.OverrideAction(hold_stage=override_pb2.HoldStage(stage_id="main-stage"))
    held = await ada.request(asked(action=hold, ttl_ms=300_000))
    granted = await bus(room, client)
    await street.pass_s(32)
    assert client.roadside.local.green_mask == 1 << MAIN
    waiting = (await ada.listed())[granted.override_id]
    assert waiting.state == DELIVERED
    assert waiting.per_intersection[0].green_from_unix_ms == 0  # none so far
    with pytest.raises(RequestRefusedError) as error:  # and may not end what is not its own
        await client.release_priority(held.override_id, key=key())
    assert error.value.code is RefusalCode.ROLE
    assert asked_for(room.store)[-1].result == "ROLE"


@room
async def test_what_a_controller_may_not_ask_for(room: Room) -> None:
    await room.street("north", "south")
    store, there = room.store, room.there
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        stub = ControllerServiceStub(channel)

        def ask(**changes: Any) -> Any:
            there.clock.now_ms += 1_000
            return stub.RequestPriority(asking(room, **changes), timeout=5)

        await refused(
            store, ask(intersection_id="south"), Status.PERMISSION_DENIED, "IDENTITY",
            actor="north", role="controller", method="override.request",
        )  # fmt: skip
        release = controller_pb2.PriorityRelease(
            intersection_id="south", idempotency_key=key(), override_id="o1"
        )
        await refused(
            store, stub.ReleasePriority(release, timeout=5), Status.PERMISSION_DENIED, "IDENTITY",
            actor="north", method="override.release",
        )  # fmt: skip
        await refused(store, ask(group_id="third"), Status.NOT_FOUND, "UNKNOWN_ID", actor="north")
        for changes in (
            {"intersection_id": ""},
            {"idempotency_key": b""},
            {"group_id": ""},
            {"eta_unix_ms": 0},
            {"eta_unix_ms": -1},
            {"eta_unix_ms": there.clock.now_ms - 1},
            {"eta_unix_ms": there.clock.now_ms + 120_000},
            {"eta_unix_ms": 2**62},
            {"ttl_ms": 0},
            {"ttl_ms": 3_600_001},
            {"reason": "short"},
            {"reason": "\x1b[2J and more"},
        ):
            await refused(
                store, ask(**changes), Status.INVALID_ARGUMENT, "INVALID", actor="north",
            )  # fmt: skip
        release.intersection_id = "north"
        await refused(
            store, stub.ReleasePriority(release, timeout=5), Status.NOT_FOUND, "UNKNOWN_ID",
            actor="north", method="override.release",
        )  # fmt: skip
        there.clock.now_ms += 10_000
        calls = [await _code(stub.RequestPriority(asking(room), timeout=5)) for _ in range(6)]
        assert calls == ["", *["HELD"] * 4, "RATE"]
    for kind in (Kind.VIEWER, Kind.OPERATOR, Kind.SUPERVISOR, Kind.ENGINEER):
        async with there.channel(kind, "north") as channel:
            call = ControllerServiceStub(channel).RequestPriority(asking(room), timeout=5)
            await refused(
                store, call, Status.PERMISSION_DENIED, "ROLE",
                actor="north", role=kind.value, method="controller.requestpriority",
            )  # fmt: skip


async def _code(call: Any) -> str:
    try:
        return (await refusal(call))[1]
    except AssertionError:
        return ""


@room
async def test_without_a_line_nothing_is_asked_for(room: Room) -> None:
    street = await room.street("north")
    (client,) = street.clients
    await client.cut()
    with pytest.raises(ServerError, match="no line"):
        await bus(room, client)
    assert not [e for e in asked_for(room.store) if e.method.startswith("override")]


def gating(max_green_ms: int = 12_000, group: str = "main") -> override_pb2.OverrideAction:
    return override_pb2.OverrideAction(
        gating=override_pb2.Gating(group_id=group, max_green_ms=max_green_ms)
    )


async def longest_green_s(street: Street, seconds: int) -> int:
    """Longest green of the main road."""
    local, shown = street.clients[0].roadside.local, []
    for _ in range(seconds):
        await street.pass_s(1)
        shown.append(bool(local.green_mask >> MAIN & 1))
    return max(len(list(run)) for green, run in itertools.groupby(shown) if green)


@room
async def test_a_gated_approach_gets_no_more_green_than_allowed(room: Room) -> None:
    street = await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    assert await longest_green_s(street, 130) >= 25
    granted = await ada.request(asked(action=gating(), ttl_ms=150_000))
    entry = asked_for(room.store)[-1]
    assert (entry.actor, entry.method, entry.result, entry.detail) == (
        "ada", "override.request", "ok", "gating",
    )  # fmt: skip
    assert granted.priority == 2
    await street.settle()
    await street.pass_s(20)
    assert 5 <= await longest_green_s(street, 125) <= 13
    assert (await ada.listed())[granted.override_id].state == ACTIVE
    await street.pass_s(10)
    assert (await ada.listed())[granted.override_id].cause == "EXPIRED"
    assert await longest_green_s(street, 130) >= 25


@room
async def test_gating_that_cannot_be(room: Room) -> None:
    await room.street("north")
    ada = await room.person(Kind.OPERATOR, "ada")
    for action in (gating(0), gating(600_001), gating(group="")):
        room.there.clock.now_ms += 1_000
        await refused(
            room.store, ada.request(asked(action=action)), Status.INVALID_ARGUMENT, "INVALID",
            actor="ada", method="override.request",
        )  # fmt: skip
    await refused(
        room.store, ada.request(asked(action=gating(group="third"))), Status.NOT_FOUND, "UNKNOWN_ID"
    )
    plan = override_pb2.OverrideAction(select_plan=override_pb2.SelectPlan(plan_id="day"))
    await ada.request(asked(action=plan))
    bob = await room.person(Kind.OPERATOR, "bob")
    await refused(room.store, bob.request(asked(action=gating())), Status.ABORTED, "HELD")
