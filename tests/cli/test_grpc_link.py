"""`--link grpc`: the wire changes nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ampelwerk.cli.main import app
from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
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


OVERRIDES = """
[[override]]
at = 30
action = "stage"
intersection = "A0"
target = "1"
ttl = 40
renew = [50]
reason = "burst water main"
[[override]]
at = 60
action = "hold"
intersection = "A0"
requester = "bob"
reason = "he comes too late"
[[override]]
at = 100
action = "all-red"
intersection = "A0"
ttl = 60
release = 120
reason = "people on the road"
[[override]]
at = 130
action = "stage"
intersection = "A0"
target = "3"
ttl = 30
role = "viewer"
reason = "may only look"
"""


@pytest.mark.parametrize("control", ["adaptive", "actuated"])
def test_overrides_through_the_wire_show_the_same_signals(
    small: SmallScenario, tmp_path: Path, control: str
) -> None:
    file = tmp_path / "overrides.toml"
    file.write_text(OVERRIDES, encoding="utf-8")
    options = ("--control", control, "--end", "300", "--overrides", str(file))
    direct = _simulate(small, tmp_path / "direct", *options)
    wire = _simulate(small, tmp_path / "wire", *options, "--link", "grpc")
    assert (wire / "signals.csv").read_bytes() == (direct / "signals.csv").read_bytes()
    told = [_events(directory) for directory in (direct, wire)]
    for events in told:
        assert ("override-1", "active", "") in events
        assert ("override-1", "ended", "expired") in events
        assert ("override-2", "refused", "HELD") in events
        assert ("override-3", "ended", "released") in events
        assert ("override-4", "refused", "ROLE") in events
    assert told[1] <= told[0]  # what passes within a tick is not seen over the wire
    store = Store(str(wire / "store.sqlite3"), look=True)
    with store.read() as reading:
        assert audit.verify(reading.connection).findings == ()
        results = [r.entry.result for r in audit.records(reading.connection, method="override.req")]
    store.close()
    assert results == ["ok", "HELD", "ok", "ROLE"]
    measures = json.loads((wire / "measures.json").read_text())
    assert measures["safety"]["violations"] == 0


def _events(directory: Path) -> set[tuple[str, str, str]]:
    with (directory / "overrides.csv").open(newline="", encoding="utf-8") as file:
        return {
            (row["name"], row["event"], row["cause"])
            for row in csv.DictReader(file)
            if row["event"] != "forecast"
        }


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
    for options in (
        ["--outage", "30:30"],
        ["--link", "grpc", "--outage", "soon"],
        ["--link", "grpc", "--outage", "26100:60"],
    ):
        result = CliRunner().invoke(app, ["simulate", *small.arguments, *options])
        assert result.exit_code == 2
        assert "--outage" in result.output
