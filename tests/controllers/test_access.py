"""Who may call what: every method of the interface, every kind of holder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import pytest

from ampelwerk.controllers.certificates import Authority, utc_now
from ampelwerk.controllers.identity import Identity, Kind, parse
from ampelwerk.controllers.service.access import ALLOWED, COMMANDS
from ampelwerk.models.errors import InvalidInputError
from tests.controllers.live import Live, live, refusal, running

Status = grpc.StatusCode
METHODS = {
    f"/{service.full_name}/{method.name}": method
    for path in (Path(__file__).parents[2] / "proto/v1").glob("*.proto")
    for service in import_module(
        f"ampelwerk.proto.v1.{path.stem}_pb2"
    ).DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
CALLERS = [kind for kind in Kind if kind is not Kind.SERVER]


def test_every_method_of_the_interface_has_a_row_and_no_row_is_stale() -> None:
    assert len(METHODS) > 20
    ours = {method for method in ALLOWED if method.startswith("/ampelwerk.")}
    assert ours == set(METHODS)
    assert set(COMMANDS) <= ours


def test_nothing_is_open_to_controllers_but_what_is_theirs() -> None:
    open_to_them = {
        method.split("/")[1] for method, kinds in ALLOWED.items() if Kind.CONTROLLER in kinds
    }
    assert open_to_them == {
        "ampelwerk.v1.ControllerService",
        "ampelwerk.v1.TelemetryService",
        "grpc.health.v1.Health",
    }


async def _ask(channel: Any, method: str) -> Status:
    """Status of a call with an empty message, OK if it gets an answer."""
    described = METHODS[method]

    async def one() -> AsyncIterator[bytes]:
        yield b""

    try:
        if described.client_streaming:
            stream = channel.stream_stream(method)(one(), timeout=5)
            async for _ in stream:
                break
            stream.cancel()
        elif described.server_streaming:
            async for _ in channel.unary_stream(method)(b"", timeout=5):
                break
        else:
            await channel.unary_unary(method)(b"", timeout=5)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return Status.OK


def test_the_table_is_what_callers_meet(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "store.sqlite3") as there:
            await _walk(there)

    asyncio.run(inside())


async def _walk(there: Live) -> None:
    served = set(there.server.services)
    for kind in CALLERS:
        name = "north" if kind is Kind.CONTROLLER else "somebody"
        async with there.channel(kind, name) as channel:
            for method in METHODS:
                status = await _ask(channel, method)
                if method.split("/")[1] not in served:
                    assert status is Status.UNIMPLEMENTED, method
                elif kind in ALLOWED[method]:
                    assert status is not Status.PERMISSION_DENIED, (kind, method)
                    assert status not in (Status.UNKNOWN, Status.INTERNAL), (kind, method)
                else:
                    assert status is Status.PERMISSION_DENIED, (kind, method)


@live
async def test_a_method_without_a_row_is_refused_to_everybody(there: Live) -> None:
    method = "/ampelwerk.v1.NetworkService/Get"
    rows = dict(ALLOWED)
    del rows[method]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ampelwerk.controllers.service.gate.ALLOWED", rows)
        for kind in CALLERS:
            async with there.channel(kind, "north") as channel:
                assert await _ask(channel, method) is Status.PERMISSION_DENIED


@live
async def test_without_a_certificate_of_the_authority_nobody_gets_in(there: Live) -> None:
    method = "/ampelwerk.v1.NetworkService/Get"
    foreign = Authority.new("test-city", utc_now())
    async with there.channel(Kind.VIEWER, "mallory", authority=foreign) as channel:
        assert await _ask(channel, method) is Status.UNAVAILABLE
    credentials = grpc.ssl_channel_credentials(there.authority.pem)
    options = (("grpc.ssl_target_name_override", "ampelwerk-server"),)
    async with grpc.aio.secure_channel(there.address, credentials, options) as channel:
        assert await _ask(channel, method) is Status.UNAVAILABLE
    async with grpc.aio.insecure_channel(there.address) as channel:
        assert await _ask(channel, method) is Status.UNAVAILABLE


@live
async def test_a_certificate_of_another_city_is_refused(there: Live) -> None:
    async with there.channel(Kind.VIEWER, "anna", city="elsewhere") as channel:
        raw: Any = channel
        call = raw.unary_unary("/ampelwerk.v1.NetworkService/Get")(b"", timeout=5)
        assert await refusal(call) == (Status.PERMISSION_DENIED, "IDENTITY")


def test_reflection_is_offered_in_development_only() -> None:
    method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

    async def status(reflection: bool) -> Status:
        async with (
            running(reflection=reflection) as there,
            there.channel(Kind.VIEWER, "anna") as channel,
        ):

            async def ask() -> AsyncIterator[bytes]:
                yield b"\x3a\x01*"  # list_services: "*"

            try:
                raw: Any = channel
                async for reply in raw.stream_stream(method)(ask(), timeout=5):
                    assert b"ampelwerk.v1.NetworkService" in reply
                    break
            except grpc.aio.AioRpcError as error:
                return error.code()
            return Status.OK

    assert asyncio.run(status(True)) is Status.OK
    assert asyncio.run(status(False)) is Status.UNIMPLEMENTED


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://",
        "spiffe://city/controller",
        "spiffe://city/controller/",
        "spiffe://city/king/anna",
        "spiffe:///controller/a",
        "spiffe://city/controller/a/b",
        "https://city/controller/a",
        "spiffe://city/controller/a%20b",
        f"spiffe://city/controller/{'a' * 257}",
    ],
)
def test_a_uri_that_names_nobody_is_refused(uri: str) -> None:
    with pytest.raises(InvalidInputError):
        parse(uri)


@pytest.mark.parametrize("name", ["north", "-32038056#3", "a/b", "Straße.1", "x" * 256, "%41"])
def test_an_identity_survives_its_certificate(name: str) -> None:
    identity = Identity(city="city", kind=Kind.CONTROLLER, name=name)
    assert parse(identity.uri) == identity
