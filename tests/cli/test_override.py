"""The control room's commands against a server and a controller that are processes of their own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from ampelwerk.cli.override import show, show_forecast
from ampelwerk.controllers.control_room import ApproachForecast, Forecast, SeenGreen, SeenOverride
from tests.cli.test_live import address_of, process, serve
from tests.controllers.city import road_json


class Desk:
    """Commands with the server's address and a certificate."""

    def __init__(self, address: str, folder: Path) -> None:
        self._line = ("--server", address, "--certificates", folder)

    def run(self, *words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in (*words, *self._line)])

    def rows(self, *words: object) -> list[dict[str, Any]]:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def until(self, name: str, state: str, timeout_s: float = 20.0) -> dict[str, Any]:
        end_s = time.monotonic() + timeout_s
        while True:
            found = {row["override_id"]: row for row in self.rows("override", "list", "--all")}
            if name in found and found[name]["state"] == state:
                return found[name]
            assert time.monotonic() < end_s, found
            time.sleep(0.5)

    def forecast(self, *words: object, timeout_s: float = 30.0) -> dict[str, Any]:
        """There is none before a heartbeat has said that the controller has started."""
        end_s = time.monotonic() + timeout_s
        while True:
            (found,) = self.rows("override", "preview", *words)
            if found["approaches"]:
                return found
            assert time.monotonic() < end_s, found
            time.sleep(0.5)


def test_a_day_at_the_desk(tmp_path: Path) -> None:
    model, folder = tmp_path / "model.json", tmp_path / "dev"
    model.write_bytes(road_json())
    with serve(model) as server:
        desk = Desk(address_of(server), folder)
        asking = ("override", "request", "stage", "-i", "north", "--target", "side-stage")
        why = ("--reason", "burst water main")
        absent = desk.run(*asking, *why)
        assert absent.exit_code == 1
        assert "OFFLINE" in absent.output
        words = ("roadside", "--server", desk._line[1], "--model", model, "-i", "north")
        with process(*words, "--certificates", folder):
            deadline = time.monotonic() + 20
            while (done := desk.run(*asking, *why, "--ttl", 60, "--json")).exit_code:
                assert "OFFLINE" in done.output, done.output
                assert time.monotonic() < deadline
                time.sleep(1)
            name = json.loads(done.stdout)["override_id"]
            desk.until(name, "active")
            renewed = desk.rows("override", "renew", name, "--ttl", 120)
            assert renewed[0]["expiry_unix_ms"] > json.loads(done.stdout)["expiry_unix_ms"]
            low = desk.run("override", "release", name, "--as", "viewer:dev")
            assert (low.exit_code, "ROLE" in low.output) == (1, True)
            found = desk.forecast(*asking[2:], "--ttl", 60)
            assert {one["approach"] for one in found["approaches"]} == {"north.main", "north.side"}
            assert [one["override_id"] for one in found["holders"]] == [name]
            seen = desk.run("override", "preview", "flash", "-i", "north")
            assert "not modelled" in seen.output
            desk.rows("override", "release", name)
            assert desk.until(name, "ended")["cause"] == "released"
        verified = desk.run("audit", "verify", "--key", folder / "plan-public-key.pem")
        assert verified.exit_code == 0, verified.output
        assert "the chain is whole" in verified.output
        methods = [row["method"] for row in desk.rows("audit", "show", "--method", "override")]
        assert methods[:2] == ["override.request", "override.request"]
        assert "override.release" in methods
        refused = desk.run("audit", "show", "--as", "operator:dev")
        assert (refused.exit_code, "ROLE" in refused.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("request", "dance", "-i", "north", "--reason", "for a test"), "ACTION"),
        (("request", "priority", "-i", "north", "--reason", "for a test"), "--eta"),
        (("request", "stage", "--reason", "for a test"), "where"),
        (("request", "green-wave", "--leg", "J7", "--reason", "for a test"), "--leg"),
        (("request", "hold", "-i", "a", "--reason", "for a test", "--key", "x"), "--key"),
        (("release", "o1", "--as", "king:anna"), "--as"),
        (("list", "--as", "operator:nobody"), "no certificate"),
    ],
)
def test_what_makes_no_sense_is_told_before_anybody_is_asked(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    result = Desk("127.0.0.1:1", tmp_path).run("override", *words)
    assert result.exit_code == 2, result.output
    assert said in result.output


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    words = ["certs", tmp_path, "--person", "operator:dev", "--person", "supervisor:dev"]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    for command in (("override", "list"), ("audit", "show"), ("audit", "verify")):
        result = Desk("127.0.0.1:1", tmp_path).run(*command)
        assert (result.exit_code, "cannot be reached" in result.output) == (1, True)


def test_the_list_says_what_a_vehicle_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    given = SeenGreen(from_unix_ms=1_800_000_000_000, length_ms=12_500)
    override = SeenOverride(
        override_id="o1", action="priority", state="ended", cause="served", holder="J7",
        role="controller", effective_unix_ms=0, expiry_unix_ms=1_800_000_060_000,
        reason="line 5, vehicle 17", where={"J7": "ended"}, greens={"J7": given},
    )  # fmt: skip
    show([override], as_json=True)
    told = json.loads(capsys.readouterr().out)["greens"]
    assert told == {"J7": {"from_unix_ms": 1_800_000_000_000, "length_ms": 12_500}}
    show([override], as_json=False)
    words = " ".join(capsys.readouterr().out.split())
    assert "green" in words and "08:00:00Z" in words
    assert str(given) == "green from 08:00:00Z for 12.5 s"


OVER = SeenOverride(
    override_id="o5c0ffee5c0ffee5",
    action="green-wave",
    state="ended",
    cause="superseded",
    holder="ada",
    role="operator",
    effective_unix_ms=0,
    expiry_unix_ms=3_600_000,
    reason="fire engine 3 to the station",
    where={"247379907": "ended", "252017285": "ended"},
    greens={},
)


def test_names_and_states_stay_whole_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show([OVER], as_json=False)
    shown = capsys.readouterr().out
    for words in ("o5c0ffee5c0ffee5", "(superseded)", "01:00:00Z", "green-wave", "252017285: ended",
                  "ada (operator)"):  # fmt: skip
        assert words in shown


def test_a_forecast_tells_its_units(capsys: pytest.CaptureFixture[str]) -> None:
    one = ApproachForecast(
        intersection="J7", approach="north [old]", delay_change_veh_s=31.0, longest_red_s=90.0
    )
    show_forecast(Forecast(horizon_s=540.0, approaches=(one,), notes=(), holders=()), as_json=False)
    shown = capsys.readouterr().out
    for words in ("delay [veh s]", "longest red [s]", "north [old]", "+31", "+31 veh s in 540 s"):
        assert words in shown
