"""Server and controllers as processes: certificates, dialling in, a kill, a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub
from typer.testing import CliRunner

from ampelwerk.cli.main import app
from ampelwerk.controllers.certificates import read_credentials
from ampelwerk.controllers.client import channel_to
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.proto.v1 import network_pb2, telemetry_pb2
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceStub
from tests.controllers.city import road_json
from tests.controllers.live import refusal
from tests.controllers.peer import BOOT, Peer

AMPELWERK = [sys.executable, "-c", "from ampelwerk.cli.main import main; main()"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    path.write_bytes(road_json())
    return path


@contextlib.contextmanager
def process(*words: object) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until the test is done with it."""
    with subprocess.Popen(
        [*AMPELWERK, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()
            running.communicate()


def address_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("listening on "), server.stderr.read() if server.stderr else line
    return line.split()[-1]


def serve(
    model: Path, listen: str = "127.0.0.1:0"
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    folder = model.parent / "dev"
    return process("serve", "--dev", "--model", model, "--folder", folder, "--listen", listen)


def test_a_controller_dials_in_and_survives_the_server(model: Path) -> None:
    with serve(model) as server:
        address = address_of(server)
        with process(
            *("roadside", "--server", address, "--model", model, "-i", "north"),
            *("--certificates", model.parent / "dev", "--demand", "600", "--seconds", "15"),
        ) as controller:
            time.sleep(4)
            server.send_signal(signal.SIGKILL)
            said, complaints = controller.communicate(timeout=60)
    assert controller.returncode == 0, complaints
    lines = [line.split() for line in said.splitlines()]
    assert {line[1] for line in lines} <= {"ADAPTIVE", "COORDINATED"}
    # Green for either road after the start: which one depends on the second of the cycle.
    assert any(line[-1] in ("Gr", "rG") for line in lines)
    told = [json.loads(line)["message"] for line in complaints.splitlines()]
    assert told and all(message.startswith("link lost: UNAVAILABLE: ") for message in told)


def test_sigterm_with_everybody_connected_says_goodbye_and_nothing_else(model: Path) -> None:
    with serve(model) as server:
        told = asyncio.run(_everybody(address_of(server), model.parent / "dev", server))
        _, said = server.communicate(timeout=30)
    assert server.returncode == 0
    assert all(line.startswith(("{", "try: ")) for line in said.splitlines()), said
    logged = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [entry for entry in logged if entry["level"] == "error"] == []
    assert [entry["message"] for entry in logged][-2:] == ["stopping", "stopped"]
    draining = (grpc.StatusCode.UNAVAILABLE, "DRAINING")
    assert told == {
        "connect": "goodbye", "silent connect": draining, "detectors": draining,
        "events": draining, "watch": grpc.StatusCode.OK, "health": draining,
    }  # fmt: skip


async def _everybody(
    address: str, folder: Path, server: subprocess.Popen[str]
) -> dict[str, object]:
    """All kinds of streams are held open while the server is told to stop; how each ends."""

    def line(kind: Kind, name: str) -> grpc.aio.Channel:
        identity = Identity(city="dev", kind=kind, name=name)
        return channel_to(address, read_credentials(folder, identity))

    async with (
        line(Kind.CONTROLLER, "north") as north,
        line(Kind.CONTROLLER, "south") as south,
        line(Kind.VIEWER, "dev") as viewer,
    ):
        peer, silent = Peer(north), Peer(south)
        await peer.dial("north")
        await peer.push()
        streams: dict[str, Any] = {
            "silent connect": ControllerServiceStub(south).Connect(),
            "detectors": peer.telemetry.UploadDetectors(),
            "events": silent.telemetry.UploadEvents(),
            "watch": NetworkServiceStub(viewer).Watch(network_pb2.WatchNetworkRequest()),
            "health": HealthStub(viewer).Watch(HealthCheckRequest()),
        }
        await streams["watch"].read()
        await streams["health"].read()
        batch = telemetry_pb2.DetectorBatch(boot_id=BOOT, seq=1)
        await streams["detectors"].write(batch)
        await streams["detectors"].read()
        server.send_signal(signal.SIGTERM)
        began_s, told = time.monotonic(), {}
        async for message in peer.stream:
            told["connect"] = message.WhichOneof("body")
        assert await peer.stream.code() is grpc.StatusCode.OK
        for name, stream in streams.items():
            told[name] = await _end_of(stream)
        assert time.monotonic() - began_s < 5
        return told


async def _end_of(stream: Any) -> object:
    try:
        while await stream.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError:
        return await refusal(stream.read())
    return await stream.code()


def _run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 2, result.output
    return result.output


def test_certificates_are_made_for_a_model_and_for_people(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    words = ["certs", folder, "--city", "town", "--model", model, "--person", "operator:anna"]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    names = {path.name for path in folder.iterdir()}
    assert {"ca.pem", "server-server.pem", "controller-north.pem", "operator-anna-key.pem"} <= names
    for path in folder.glob("*key.pem"):
        if path.name != "plan-public-key.pem":
            assert path.stat().st_mode & 0o077 == 0, f"others may read {path.name}"
    before = (folder / "ca.pem").read_bytes()
    words = ["certs", folder, "--city", "town", "--intersection", "west"]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    assert (folder / "ca.pem").read_bytes() == before


def test_wrong_input_is_told_and_nothing_is_written(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    assert "--person" in _run("certs", folder, "--person", "king:anna")
    assert "--city" in _run("certs", folder, "--city", "Not A City")
    assert not folder.exists()
    assert "--dev" in _run("serve")
    assert "--model" in _run("serve", "--dev")
    wide = _run("serve", "--dev", "--model", model, "--folder", folder, "--listen", "0.0.0.0:1")
    assert "loopback" in wide
    assert not folder.exists()
    unknown = ("--model", model, "-i", "west", "--certificates", folder)
    assert "no such intersection" in _run("roadside", "--server", "127.0.0.1:1", *unknown)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("listen = 5", "listen"),
        ("tick_s = 0.0", "tick_s"),
        ("colour = 'red'", "colour"),
        ("listen = 'nowhere'", "listen"),
        ("[", "cannot be read"),
        ("control = 'native'", "native"),
        ("control = 'adaptve'", "adaptive"),
    ],
)
def test_a_configuration_that_is_wrong_is_refused_by_field(
    model: Path, tmp_path: Path, line: str, said: str
) -> None:
    path = tmp_path / "server.toml"
    path.write_text(f"city = 'town'\nmodel = '{model.name}'\ncertificates = 'certs'\n{line}\n")
    _run_certs = CliRunner().invoke(app, ["certs", str(tmp_path / "certs"), "--city", "town"])
    assert _run_certs.exit_code == 0
    assert said in _run("serve", "--config", path)


def test_a_fleet_says_who_is_run_by_another_controller(model: Path) -> None:
    folder = model.parent / "dev"
    with serve(model) as server:
        line = ("--server", address_of(server), "--model", model, "--certificates", folder)
        with process("roadside", *line, "-i", "north") as controller:
            assert controller.stdout is not None
            controller.stdout.readline()
            with process("fleet", "3", *line, "--uploads", "6", "--seconds", "40") as fleet:
                _, said = fleet.communicate(timeout=60)
    assert fleet.returncode == 1
    assert "no detector data of north" in said and "another controller" in said
    assert "Traceback" not in said
