"""`ampelwerk check`: the exit code says whether plans are safe, the findings say why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from tests.cli.test_bad_input import assert_refused
from tests.sim import odd_networks

UNSAFE = 2


def ampelwerk(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """plans.json, plans.add.xml and model.json of cologne1."""
    folder = tmp_path_factory.mktemp("check")
    for words in (
        ("plan", "import", "cologne1", "-o", folder / "plans.json"),
        ("plan", "export", folder / "plans.json", "cologne1", "--sumo-additional",
         folder / "plans.add.xml"),
        ("model", "cologne1", "-o", folder / "model.json"),
    ):  # fmt: skip
        assert ampelwerk(*words).exit_code == 0
    return folder


def edited(path: Path, target: Path, *changes: tuple[str, str]) -> Path:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    target.write_text(text, encoding="utf-8")
    return target


def verdicts(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("plans", ["plans.json", "plans.add.xml"])
@pytest.mark.parametrize("model", ["cologne1", "model.json"])
def test_shipped_program_is_safe(folder: Path, plans: str, model: str) -> None:
    named = str(folder / model) if model.endswith(".json") else model
    result = ampelwerk("check", folder / plans, "--model", named, "--json")
    assert result.exit_code == 0, result.output
    (verdict,) = verdicts(result)
    assert verdict["safe"] and verdict["certificate"]["profile"] == "sumo/1"
    assert verdict["findings"] == []


def test_unsafe_plan_is_refused_with_every_finding(folder: Path, tmp_path: Path) -> None:
    short = edited(folder / "plans.json", tmp_path / "short.plans", ('"at_s": 45', '"at_s": 71'))
    result = ampelwerk("check", short, "--model", "cologne1")
    assert result.exit_code == UNSAFE
    assert "error: MIN_GREEN: GS_cluster" in result.stdout
    assert "1 unsafe" in result.stdout
    (verdict,) = verdicts(ampelwerk("check", short, "--model", "cologne1", "--json"))
    assert verdict["certificate"] is None
    groups = {tuple(f["groups"]) for f in verdict["findings"] if f["rule"] == "MIN_GREEN"}
    assert groups == {("K1",), ("K5",)}
    assert all(f["limit_s"] == 5.0 for f in verdict["findings"] if f["rule"] == "MIN_GREEN")


def test_unsafe_sumo_program_is_refused(folder: Path, tmp_path: Path) -> None:
    early = edited(
        folder / "plans.add.xml", tmp_path / "early.add.xml",
        ('"6" state="rrrrrrrrGGrrrrrrrrGG"', '"6" state="GrrrrrrrGGrrrrrrrrGG"'),
    )  # fmt: skip
    result = ampelwerk("check", early, "--model", "cologne1", "--json")
    assert result.exit_code == UNSAFE
    rules = {f["rule"] for f in verdicts(result)[0]["findings"]}
    assert {"CONFLICT", "INTERGREEN", "SEQUENCE"} >= rules - {"MIN_GREEN", "AMBER"} >= {"CONFLICT"}


def test_program_whose_durations_vary_is_checked_at_its_shortest(
    folder: Path, tmp_path: Path
) -> None:
    actuated = edited(
        folder / "plans.add.xml", tmp_path / "actuated.add.xml",
        ('duration="29"', 'duration="29" minDur="2" maxDur="50"'), ('"static"', '"actuated"'),
    )  # fmt: skip
    result = ampelwerk("check", actuated, "--model", "cologne1")
    assert result.exit_code == UNSAFE
    assert "at its shortest durations" in result.stdout
    longest = edited(actuated, tmp_path / "longest.add.xml", ('minDur="2"', 'minDur="20"'))
    words = ("check", longest, "--model", "cologne1", "--max-green", "60")
    result = ampelwerk(*words)
    assert result.exit_code == UNSAFE
    assert "at its longest durations): 61 s, allowed 60 s" in result.stdout


def test_amber_between_greens_is_told_and_read_as_green(folder: Path, tmp_path: Path) -> None:
    flicker = edited(
        folder / "plans.add.xml", tmp_path / "flicker.add.xml",
        ('"5" state="rrrrryyyggrrrrryyygg"', '"5" state="rrrrryyyyyrrrrryyyyy"'),
    )  # fmt: skip
    result = ampelwerk("check", flicker, "--model", "cologne1")
    assert result.exit_code == 0, result.output
    assert "amber_between_greens" in result.stdout and "links 8, 9, 18, 19" in result.stdout


def test_profile_and_limits_decide(folder: Path, tmp_path: Path) -> None:
    plans = folder / "plans.json"
    program = folder / "plans.add.xml"
    assert ampelwerk("check", program, "--model", "cologne1", "--profile", "rilsa").exit_code == 2
    result = ampelwerk(
        "check", plans, "--model", "cologne1", "--max-red", "50", "--max-cycle", "80"
    )
    assert result.exit_code == UNSAFE
    assert "CYCLE" in result.stdout and "MAX_RED" in result.stdout
    assert_refused(
        ampelwerk("check", plans, "--model", "cologne1", "--max-red", "-1"), "--max-red", "above 0"
    )


def test_switches_of_the_calendar_are_checked(folder: Path, tmp_path: Path) -> None:
    content = json.loads((folder / "plans.json").read_text(encoding="utf-8"))
    (site,) = content["intersections"]
    (day,) = site["plans"]
    site["plans"].append({**day, "id": "night", "offset_s": 60, "transition": "dwell"})
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    content["calendar"] = [
        {"days": days, "at": "06:00", "plan": "0"},
        {"days": days, "at": "20:00", "plan": "night"},
    ]
    path = tmp_path / "calendar.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    words = ("check", path, "--model", "cologne1")
    assert ampelwerk(*words).exit_code == 0
    result = ampelwerk(*words, "--max-red", "60")
    assert result.exit_code == UNSAFE
    assert "plan night" in result.stdout and "while the plan takes over" in result.stdout


def test_signals_left_to_sumo_are_named_and_left_out(folder: Path) -> None:
    scenario = odd_networks.railway(folder)
    result = ampelwerk("check", scenario.net_file, "--model", scenario.net_file)
    assert result.exit_code == 0, result.output
    assert "1 checked" in result.stdout
    assert "left to SUMO, not checked" in result.stderr


def test_certificate_is_written_and_not_overwritten(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "certificates.json"
    words = ("check", folder / "plans.json", "--model", "cologne1", "-o", output)
    assert ampelwerk(*words).exit_code == 0
    (verdict,) = json.loads(output.read_text(encoding="utf-8"))
    assert len(verdict["certificate"]["plan_sha256"]) == 64
    assert_refused(ampelwerk(*words), "--force")


def test_what_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    plans, program = folder / "plans.json", folder / "plans.add.xml"
    nowhere = tmp_path / "nowhere.xml"
    assert_refused(ampelwerk("check", nowhere, "--model", "cologne1"), str(nowhere))
    assert_refused(ampelwerk("check", plans, "--model", "grid4x4"), "no such intersection", "GS_")
    assert_refused(ampelwerk("check", program, "--model", "grid4x4"), "no such intersection")
    assert_refused(ampelwerk("check", plans, "--model", tmp_path / "no.json"), "no such model")
    assert_refused(
        ampelwerk("check", plans, "--model", folder / "model.json", "--profile", "rilsa"),
        "another profile",
    )
    letters = edited(program, tmp_path / "letters.add.xml", ("rrryyr", "rrrXyr"))
    assert_refused(ampelwerk("check", letters, "--model", "cologne1"), "phase 3", "letters")
    number = edited(program, tmp_path / "number.add.xml", ('duration="6"', 'duration="six"'))
    assert_refused(ampelwerk("check", number, "--model", "cologne1"), "no number")
    empty = tmp_path / "empty.add.xml"
    empty.write_text("<additional/>", encoding="utf-8")
    assert_refused(ampelwerk("check", empty, "--model", "cologne1"), "no signal program")


def test_intergreen_is_explained_term_by_term() -> None:
    words = ("model", "corridor", "--profile", "rilsa", "--explain-intergreen", "F1", "K1")
    assert_refused(ampelwerk(*words), "several intersections", "--intersection")
    shown = ampelwerk(*words, "-i", "j0").stdout
    assert "j0, end of green of F1 to start of K1: 6 s (rilsa/1)" in shown
    assert "t_r = (s_0 + l) / v_r = (6.4 m + 0 m) / 1.2 m/s = 5.33 s" in shown
    found = json.loads(ampelwerk(*words, "-i", "j0", "--json").stdout)
    assert found["intergreen_s"] == max(stream["result_s"] for stream in found["streams"]) == 6
    plain = ampelwerk("model", "corridor", "--explain-intergreen", "F1", "K1", "-i", "j0").stdout
    assert "smallest gap that the scenario's programs show" in plain
