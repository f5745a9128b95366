"""`watch`, `alarms` and `explain --live` against a server and a controller that are processes."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from ampelwerk.cli.watch_table import Board, line_of
from ampelwerk.controllers.city_words import LineState, Picture, SeenAlarm, SeenIntersection
from tests.cli.test_live import address_of, process, serve
from tests.controllers.city import road_json

HEED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
INTERRUPTIBLE = (
    sys.executable, "-c", f"{HEED}; from ampelwerk.cli.main import main; main()"
)  # fmt: skip
"""A shell lets what it runs in the background ignore interrupts, and so do its children."""


class Room:
    """Commands with the server's address and a certificate."""

    def __init__(self, address: str, folder: Path) -> None:
        self.line = ("--server", address, "--certificates", folder)

    def run(self, *words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in (*words, *self.line)])
        assert result.exit_code == code, result.output
        return result

    def rows(self, *words: object) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*words, "--json").stdout.splitlines()]


def until(there: Callable[[], bool], timeout_s: float = 30.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not there():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.3)


def test_a_shift_in_the_control_room(tmp_path: Path) -> None:
    model, folder, seen = tmp_path / "model.json", tmp_path / "dev", tmp_path / "seen.json"
    model.write_bytes(road_json())
    with serve(model) as server, seen.open("w") as lines:
        address = address_of(server)
        room = Room(address, folder)
        words = ("roadside", "--server", address, "--model", model, "-i", "north")
        watching = subprocess.Popen(
            [*INTERRUPTIBLE, "watch", "--json", *map(str, room.line)],
            stdout=lines, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            with process(*words, "--certificates", folder) as controller:
                _while_it_runs(room, controller)
                server.send_signal(signal.SIGTERM)
                _, said = server.communicate(timeout=30)
                assert server.returncode == 0
                assert all(line.startswith(("{", "try: ")) for line in said.splitlines()), said
                with serve(model, address) as again:
                    address_of(again)
                    until(lambda: any(e["event"] == "line" and e["up"] for e in _events(seen)))
                    watching.send_signal(signal.SIGINT)
                    _, complaints = watching.communicate(timeout=10)
            assert (watching.returncode, complaints) == (0, "")
        finally:
            watching.kill()
            watching.communicate()
    events = _events(seen)
    assert [e["up"] for e in events if e["event"] == "line"] == [False, True]
    assert {e["event"] for e in events} >= {"intersection", "alarm", "line"}
    for before, after in pairwise(events):
        assert {**before, "seen_unix_ms": 0} != {**after, "seen_unix_ms": 0}


def _while_it_runs(room: Room, controller: subprocess.Popen[str]) -> None:
    until(lambda: _state(room, "north")["level"] == "adaptive")
    table = room.run("watch", "--once").stdout
    assert "1 adaptive" in table and "2 unknown" in table
    assert [row["intersection"] for row in room.rows("watch", "--once", "-i", "south")] == ["south"]
    assert "follows     adaptive" in room.run("explain", "--live", "-i", "north").stdout
    unheard = room.run("explain", "--live", "-i", "south").stdout
    assert "decided nothing here" in unheard and "no controller has been heard" in unheard
    assert room.run("alarms").stdout == "no alarms\n"
    # A process that stands still misses its ticks: an alarm, until a minute has passed without.
    for _ in range(3):
        controller.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        controller.send_signal(signal.SIGCONT)
        time.sleep(0.4)
    until(lambda: bool(room.rows("alarms")))
    (alarm,) = room.rows("alarms")
    assert (alarm["intersection"], alarm["alarm_id"], alarm["acked_by"]) == (
        "north", "late_ticks", "",
    )  # fmt: skip
    assert "ROLE" in room.run("alarms", "--ack", "late_ticks", "--as", "viewer:dev", code=1).output
    assert "no active alarm" in room.run("alarms", "--ack", "x", code=2).output
    assert room.rows("alarms", "--ack", "late_ticks")[0]["acked_by"] == "dev"
    assert "seen by" in room.run("alarms", "--all", "-i", "north").stdout
    assert "UNKNOWN_ID" in room.run("watch", "-i", "west", code=1).output


def _events(path: Path) -> list[dict[str, Any]]:
    whole = path.read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()] or [{"event": ""}]


def _state(room: Room, name: str) -> dict[str, Any]:
    found = room.rows("watch", "--once", "-i", name)
    return next(row for row in found if row["event"] == "intersection")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("explain", "-i", "a", "--live"), 2, "--server"),
        (("explain", "-i", "a", "--server", "x:1"), 2, "--live"),
        (("explain", "run", "-i", "a", "--live", "--server", "x:1"), 2, "DIR"),
        (("explain", "-i", "a"), 2, "DIR"),
        (("explain", "run", "-i", "a"), 2, "--at"),
        (("watch", "--server", "127.0.0.1:1"), 1, "127.0.0.1:1"),
        (("watch", "--server", "127.0.0.1:1", "--as", "king:a"), 2, "--as"),
        (("alarms", "--server", "127.0.0.1:1"), 1, "cannot be reached"),
        (("explain", "--live", "--server", "127.0.0.1:1", "-i", "a"), 1, "cannot be reached"),
    ],
)
def test_what_goes_wrong_is_told(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    people = ("--person", "viewer:dev", "--person", "operator:dev")
    assert CliRunner().invoke(app, ["certs", str(tmp_path), *people]).exit_code == 0
    result = CliRunner().invoke(app, [*words, "--certificates", str(tmp_path)])
    assert result.exit_code == code, result.output
    assert said in result.output


def seen(name: str, **fields: Any) -> SeenIntersection:
    usual: dict[str, Any] = {
        "controller": "leased", "mode": "run", "level": "adaptive", "cause": "", "stage": "1",
        "plan_version": 3, "published_version": 0, "overrides": (), "open_alarms": 0, "clock": "ntp", "green": (),
        "amber": (), "red_amber": (), "red": (),
    }  # fmt: skip
    return SeenIntersection(intersection=name, **{**usual, **fields})


def test_those_that_need_somebody_stand_first_and_what_is_over_goes() -> None:
    board = Board()
    begin = Picture(complete=False, server_unix_ms=0)
    for change in (
        begin,
        seen("a"),
        seen("b", controller="lost"),
        seen("c", mode="failed", level="failure"),
        seen("d", controller="unknown", level=""),
        seen("e", open_alarms=1),
    ):
        board.take(change)
    alarm = SeenAlarm(
        intersection="e", alarm_id="x", code="x", severity="minor", component="", active=True,
        raised_unix_ms=1, cleared_unix_ms=0, acked_by="", text="why",
    )  # fmt: skip
    assert board.take(alarm)
    assert not board.take(alarm)
    assert not board.take(seen("a"))
    assert board.take(seen("a", stage="2"))
    table = board.table()
    assert [str(cell) for cell in table.columns[0].cells] == ["c", "b", "e", "a", "d"]
    assert str(list(table.columns[7].cells)[2]) == "x !"
    assert line_of(alarm) == "e alarm x raised: why"
    board.take(LineState(up=False, text="the server is gone"))
    assert "the server is gone" in str(board.table().title)
    board.take(begin)
    assert board.table().row_count == 0
    board.take(seen("[/] [red]x"))  # a name is no markup
    console = Console(file=io.StringIO(), width=200)
    console.print(board.table())
    assert "[/] [red]x" in console.file.getvalue()  # type: ignore[attr-defined]
