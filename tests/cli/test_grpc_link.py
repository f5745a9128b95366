"""`--link grpc`: the wire changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ampelwerk.cli.main import app
from tests.conftest import SmallScenario

pytestmark = pytest.mark.sumo


def _simulate(small: SmallScenario, directory: Path, *options: str) -> Path:
    result = CliRunner().invoke(
        app, ["simulate", *small.arguments, "--output", str(directory), *options]
    )
    assert result.exit_code == 0, result.output
    return directory


@pytest.mark.parametrize("control", ["adaptive", "max-pressure", "actuated", "fixed"])
def test_signals_and_delay_are_the_same_through_the_wire(
    small: SmallScenario, tmp_path: Path, control: str
) -> None:
    direct = _simulate(small, tmp_path / "direct", "--control", control)
    wire = _simulate(small, tmp_path / "wire", "--control", control, "--link", "grpc")
    for name in ("signals.csv", "decisions.csv", "detectors.csv"):
        assert (wire / name).read_bytes() == (direct / name).read_bytes()
    measured = [
        json.loads((directory / "measures.json").read_text()) for directory in (direct, wire)
    ]
    for measures in measured:
        del measures["cost"]
    assert measured[0] == measured[1]
    assert measured[0]["delay_s"] > 0


def test_native_has_no_link(small: SmallScenario) -> None:
    result = CliRunner().invoke(
        app, ["simulate", *small.arguments, "--control", "native", "--link", "grpc"]
    )
    assert result.exit_code == 2
    assert "--link" in result.output
