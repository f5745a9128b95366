"""Overrides in SUMO: carried out, ended by themselves, and never against a rule."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.sim.run_directory import DECISIONS, SIGNALS
from tests.cli.test_bad_input import ampelwerk, assert_refused
from tests.cli.test_commands import ampelwerk as in_a_process
from tests.conftest import SmallScenario

REASON = 'reason = "burst water main"'


def run(
    small: SmallScenario, folder: Path, overrides: str, control: str = "actuated"
) -> tuple[Path, dict[str, Any]]:
    """Simulate with overrides; the directory and the measures."""
    file = folder / "overrides.toml"
    file.write_text(overrides, encoding="utf-8")
    directory = folder / "run"
    in_a_process(
        "simulate", *small.arguments, "-e", "500", "--control", control, "--overrides", file,
        "-o", directory,
    )  # fmt: skip
    measures = json.loads((directory / "measures.json").read_text(encoding="utf-8"))
    assert measures["safety"]["violations"] == 0
    assert measures["safety"]["checked_switches"] > 20
    return directory, measures


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def shown(directory: Path, place: str) -> list[tuple[float, str]]:
    return [
        (float(row["time"]), row["state"])
        for row in rows(directory / SIGNALS)
        if row["intersection"] == place
    ]


@pytest.mark.sumo
def test_stage_flash_and_plan_one_after_the_other(small: SmallScenario, tmp_path: Path) -> None:
    directory, _ = run(
        small,
        tmp_path,
        f"""
[[override]]
at = 60
action = "stage"
intersection = "A0"
target = "1"
ttl = 100
{REASON}
[[override]]
at = "3:00"
action = "flash"
intersection = "A0"
ttl = 60
{REASON}
[[override]]
at = 300
action = "plan"
intersection = "A0"
target = "0"
ttl = 100
release = 360
{REASON}
[[override]]
at = 61
action = "hold"
intersection = "A0"
requester = "another"
{REASON}
""",
    )
    events = [
        (row["name"], row["event"], row["cause"]) for row in rows(directory / "overrides.csv")
    ]
    assert ("override-1", "active", "") in events
    assert ("override-1", "ended", "expired") in events
    assert ("override-2", "ended", "expired") in events
    assert ("override-3", "ended", "released") in events
    assert ("override-4", "refused", "HELD") in events
    states = shown(directory, "A0")
    off = [time_s for time_s, state in states if set(state) == {"o"}]
    assert len(off) == 1
    assert 180 < off[0] < 210
    after = next(time_s for time_s, _ in states if time_s > off[0])
    assert after == 240
    held = [state for time_s, state in states if 85 <= time_s < 160]
    assert held == []  # the stage stood still
    reasons = {row["reason"] for row in rows(directory / DECISIONS)}
    assert "override override-1: stage" in reasons
    store = Store(str(directory / "store.sqlite3"))
    with store.read() as reading:
        report = audit.verify(reading.connection)
        results = [r.entry.result for r in audit.records(reading.connection, actor="another")]
    store.close()
    assert report.findings == ()
    assert results == ["HELD"]


@pytest.mark.sumo
@pytest.mark.parametrize("control", ["fixed", "adaptive"])
def test_control_without_a_word_from_the_room_is_as_ever(
    small: SmallScenario, tmp_path: Path, control: str
) -> None:
    """Arbiters stand before the controllers, but the only request is refused."""
    directory, measures = run(
        small,
        tmp_path,
        f'[[override]]\nat = 10\naction = "hold"\nintersection = "A0"\nrole = "viewer"\n{REASON}\n',
        control,
    )
    plain = tmp_path / "plain"
    in_a_process("simulate", *small.arguments, "-e", "500", "--control", control, "-o", plain)
    assert (plain / SIGNALS).read_bytes() == (directory / SIGNALS).read_bytes()
    assert (plain / DECISIONS).read_bytes() == (directory / DECISIONS).read_bytes()
    without = json.loads((plain / "measures.json").read_text(encoding="utf-8"))
    assert measures["delay_s"] == without["delay_s"]


@pytest.mark.sumo
def test_green_wave_through_both_signals(small: SmallScenario, tmp_path: Path) -> None:
    """The group from the west is green at both signals when the vehicle is expected."""
    model = tmp_path / "model.json"
    in_a_process("model", *small.arguments, "-o", model)
    network = json.loads(model.read_text(encoding="utf-8"))
    groups = {}
    for site in network["intersections"]:
        place = site["envelope"]["intersection_id"]
        edge = {"A0": "left0A0", "B0": "A0B0"}[place]
        movement = next(
            m for m in site["movements"]
            if m["from_lane"].startswith(edge) and m["turn"] == "straight"
        )  # fmt: skip
        name = site["envelope"]["groups"][movement["group"]]["group_id"]
        groups[place] = name, movement["sumo_link_index"]
    legs = ", ".join(
        f'{{intersection = "{place}", target = "{name}", eta = {eta}}}'
        for (place, (name, _)), eta in zip(sorted(groups.items()), (150, 170), strict=True)
    )
    directory, _ = run(
        small, tmp_path,
        f"[[override]]\nat = 100\naction = \"green-wave\"\nlegs = [{legs}]\n{REASON}\n",
        "adaptive",
    )  # fmt: skip
    for (place, (_, link)), eta_s in zip(sorted(groups.items()), (150, 170), strict=True):
        states = shown(directory, place)
        for second in range(eta_s - 10, eta_s + 15):
            state = [s for time_s, s in states if time_s <= second][-1]
            assert state[link] in "Gg", (place, second)
    events = [row["event"] for row in rows(directory / "overrides.csv")]
    assert events[-1] == "ended"


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("not toml", ("cannot be read",)),
        ("[other]\na = 1", ("no overrides",)),
        ("[[override]]\nat = 1", ("action", "reason")),
        (f'[[override]]\nat = "noon"\naction = "hold"\nintersection = "A0"\n{REASON}', ("at",)),
        (
            f'[[override]]\nat = 1\naction = "hold"\nintersection = "A0"\n{REASON}\nfor = 3',
            ("for",),
        ),
        (f'[[override]]\nat = 1\naction = "hold"\nintersection = "Z9"\n{REASON}', ("Z9", "model")),
        (
            f'[[override]]\nat = 1\naction = "stage"\nintersection = "A0"\ntarget = "99"\n{REASON}',
            ("99", "no such stage"),
        ),
        (f'[[override]]\nat = 1\naction = "stage"\nintersection = "A0"\n{REASON}', ("stage",)),
    ],
)
def test_files_that_are_no_overrides(
    small: SmallScenario, tmp_path: Path, text: str, phrases: tuple[str, ...]
) -> None:
    file = tmp_path / "overrides.toml"
    file.write_text(text, encoding="utf-8")
    result = ampelwerk("simulate", *small.arguments, "--overrides", file)
    assert_refused(result, *phrases)


def test_overrides_need_our_controllers_and_are_not_replayed(
    small: SmallScenario, tmp_path: Path
) -> None:
    file = tmp_path / "overrides.json"
    content = {
        "override": [
            {"at": 1, "action": "hold", "intersection": "A0", "reason": "burst water main"}
        ]
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    words: tuple[str | Path, ...] = ("simulate", *small.arguments, "--overrides", file)
    assert_refused(ampelwerk(*words, "--control", "native"), "--overrides")
    assert_refused(ampelwerk(*words, "--record", "-o", tmp_path / "run"), "--record")
