"""A controller and its server: plans down, reports up, over a real wire and a simulated clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.ladder import Level
from ampelwerk.controllers.service.controller_service import ControllerService, Timers
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.proto.v1 import (
    controller_pb2,
    decision_pb2,
    network_pb2,
    plan_pb2,
)
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.decision_pb2_grpc import DecisionServiceStub
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceStub
from tests.controllers.live import BEGIN_MS, Live, live, refusal, until
from tests.controllers.peer import BOOT, Peer, registration

Status = grpc.StatusCode


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
async def test_greens_are_kept_back_until_the_engine_says_so_no_more(there: Live) -> None:
    async with there.connected("north") as client:
        roadside = client.roadside

        async def tick(*, held: bool) -> None:
            there.clock.now_ms += 1000
            if held:
                there.control.wishes.append(Wish(intersection=0, stage=1, reason="", hold=True))
            pushes = there.city.pushes
            there.city.tick(there.clock.unix_ms() / 1000)
            if there.city.pushes > pushes:
                await until(lambda: roadside.version == there.city.by_name["north"].version)
            roadside.prepare(there.clock.unix_ms() // 100)
            roadside.local.tick(there.clock.unix_ms() // 100)

        there.control.want(0, 1)
        await tick(held=False)
        for _ in range(5):
            await tick(held=True)
        assert there.city.pushes == 2  # the stage, and once that its greens wait
        assert roadside.local.green_mask == 0
        assert roadside.local.held_ds > 0
        await tick(held=False)
        assert there.city.pushes == 3
        for _ in range(10):
            await tick(held=False)
        assert there.city.pushes == 3
        assert roadside.local.green_mask == 0b10


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


class _Call:
    """What gRPC hands to a method, so that a test may cancel the call at any turn of the event loop."""

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"peer_spiffe_id": [b"spiffe://test-city/controller/north"]}

    async def write(self, message: controller_pb2.ServerMessage) -> None:
        await asyncio.sleep(0)


@live
async def test_a_call_that_is_cancelled_at_any_turn_leaves_nothing_behind(there: Live) -> None:
    session, service = there.city.by_name["north"], ControllerService(there.city, Timers())
    session.boot_id = BOOT
    hello = controller_pb2.ControllerMessage(hello=controller_pb2.Hello(boot_id=BOOT))

    async def messages() -> AsyncIterator[controller_pb2.ControllerMessage]:
        yield hello
        await asyncio.sleep(0)

    greeted = 0
    for turns in range(16):
        call = asyncio.create_task(service.Connect(messages(), cast(Any, _Call())))
        for _ in range(turns):
            await asyncio.sleep(0)
        greeted += session.stream is not None
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert session.stream is None, turns
    assert greeted > 2


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
