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
    options = ("--control", control, "--end", "240")
    direct = _simulate(small, tmp_path / "direct", *options)
    wire = _simulate(small, tmp_path / "wire", *options, "--link", "grpc")
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


def test_an_outage_is_climbed_down_and_up_again(small: SmallScenario, tmp_path: Path) -> None:
    directory = _simulate(
        small, tmp_path / "cut", "--link", "grpc", "--outage", "30:30", "--end", "240"
    )
    rows = [line.split(",") for line in (directory / "levels.csv").read_text().splitlines()[1:]]
    sites = {row[1] for row in rows}
    assert sites
    for site in sites:
        mine = [(float(time), level) for time, name, level, _ in rows if name == site]
        assert [level for _, level in mine] == ["ADAPTIVE", "COORDINATED", "ADAPTIVE"]
        start_s, down_s, up_s = (time_s for time_s, _ in mine)
        assert start_s == 1
        assert 30 + 15 <= down_s <= 30 + 21  # the lease of 20 s counts from the last heartbeat
        assert 60 + 60 <= up_s <= 60 + 60 + 91  # a minute, then the begin of a cycle
    measures = json.loads((directory / "measures.json").read_text())
    assert measures["safety"]["violations"] == 0


def test_an_outage_needs_a_wire_and_two_numbers(small: SmallScenario) -> None:
    for options in (["--outage", "30:30"], ["--link", "grpc", "--outage", "soon"]):
        result = CliRunner().invoke(app, ["simulate", *small.arguments, *options])
        assert result.exit_code == 2
        assert "--outage" in result.output
