"""Server and controllers as processes: certificates, dialling in, a kill, a graceful end."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ampelwerk.cli.main import app
from tests.controllers.city import road_json

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


def test_sigterm_ends_the_server_gracefully(model: Path) -> None:
    with serve(model) as server:
        address_of(server)
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    assert server.returncode == 0
    messages = [json.loads(line)["message"] for line in said.splitlines() if line.startswith("{")]
    assert messages[-2:] == ["stopping", "stopped"]


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
