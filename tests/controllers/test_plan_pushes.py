"""Pushes of plans: one unanswered at most, refused ones, silence, and servers that follow one another."""

from __future__ import annotations

import grpc
import pytest

from ampelwerk.controllers.certificates import utc_now
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.controllers.ladder import Level
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.server import Server
from ampelwerk.proto.v1 import (
    controller_pb2,
    network_pb2,
    plan_pb2,
)
from tests.controllers.city import road
from tests.controllers.live import BEGIN_MS, CITY, Live, live, until
from tests.controllers.peer import Peer

Status = grpc.StatusCode


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
