"""`explain`: what it says about decisions, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario
from tests.sim import odd_networks
from tests.sim.runs import record

pytestmark = pytest.mark.sumo

BAD_INPUT = 2
CONTROLS = ("rolling-horizon", "actuated", "max-pressure", "fixed")


@pytest.fixture(scope="module")
def runs(small: SmallScenario, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    scenario = resolve(str(small.net), routes=[small.routes], end_s=300.0)
    return record(scenario, tmp_path_factory.mktemp("runs"), CONTROLS)


@pytest.fixture
def copy(runs: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(runs["rolling-horizon"], tmp_path / "copy"))


def ampelwerk(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def explain(directory: Path, at: str | float, *more: str, intersection: str = "A0") -> str:
    result = ampelwerk("explain", directory, "-i", intersection, "--at", str(at), *more)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def explain_json(directory: Path, at: str | float) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(explain(directory, at, "--json"))
    return found


def refused(directory: Path, *phrases: str, intersection: str = "A0", at: str = "100") -> None:
    result = ampelwerk("explain", directory, "-i", intersection, "--at", at)
    assert result.exit_code == BAD_INPUT, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for phrase in phrases:
        assert phrase in result.stderr


def decided(directory: Path) -> list[dict[str, str]]:
    """Decisions at A0."""
    with (directory / "decisions.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["intersection"] == "A0"]


def write_decisions(directory: Path, *rows: str) -> None:
    header = "time,intersection,stage,reason,runner_up,gap,binding"
    (directory / "decisions.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def test_an_ordinary_decision(runs: dict[str, Path]) -> None:
    rows = decided(runs["rolling-horizon"])
    row, following = rows[2], rows[3]
    at_s = float(row["time"]) + 1
    text = explain(runs["rolling-horizon"], at_s)
    assert f"1 s earlier, at {row['time']} s, rolling-horizon switched from" in text
    assert f"from stage {rows[1]['stage']} to stage {row['stage']}." in text
    assert f"asked for at {rows[1]['time']} s" in text
    assert "the best plan switches now" in text
    assert f"next best   stage {row['runner_up']}, that is, no change" in text
    assert f"{float(row['gap']):.4g} vehicle-seconds less waiting were predicted" in text
    assert f"next        stage {following['stage']} at {following['time']} s" in text
    assert "motor vehicles from" in text and "(edge bottom0A0)" in text
    assert f"lamps       at {at_s:g} s: " in text and "amber" in text


def test_the_moment_of_a_decision_belongs_to_it(runs: dict[str, Path]) -> None:
    rows = decided(runs["rolling-horizon"])
    row = rows[2]
    assert "At that moment rolling-horizon switched" in explain(
        runs["rolling-horizon"], row["time"]
    )
    before = explain_json(runs["rolling-horizon"], float(row["time"]) - 0.5)
    assert before["decided_s"] == float(rows[1]["time"])
    assert before["next"] == {
        "time_s": float(row["time"]), "stage": row["stage"], "by_plan": False,
    }  # fmt: skip


def test_a_decision_by_the_supervisor_and_its_binding_rule(copy: Path) -> None:
    write_decisions(
        copy,
        "20,A0,2,the best plan switches now,1,7.5000,",
        "50,A0,1,a lane has waited too long,2,-3.2500,red of 90 s for lane left0A0_0",
    )
    text = explain(copy, 60)
    assert "10 s earlier, at 50 s, rolling-horizon switched from stage 2 to stage 1." in text
    assert "why         a lane has waited too long" in text
    assert "3.25 vehicle-seconds more waiting were predicted" in text
    assert "chosen for the reason above all the same" in text
    assert "binding     red of 90 s for lane left0A0_0" in text
    assert "nothing else until the end of the run" in text
    found = explain_json(copy, 60)
    assert (found["gap"], found["gap_unit"]) == (-3.25, "vehicle-seconds of waiting")
    assert found["binding"] == "red of 90 s for lane left0A0_0"
    assert found["chosen"]["stage"] == "1"
    assert found["lamps"]["state"]


def test_a_decision_without_any_other_stage(copy: Path) -> None:
    write_decisions(copy, "20,A0,2,pedestrians have been served,,0.0000,")
    assert "no other stage was named" in explain(copy, 30)
    write_decisions(copy, "20,A0,2,pedestrians have been served,1,0.0000,")
    assert "not decided by a difference in the prediction" in explain(copy, 30)


def test_each_control_speaks_in_its_own_measure(runs: dict[str, Path]) -> None:
    text = explain(runs["max-pressure"], 150)
    assert "the pressure of stage" in text
    assert explain_json(runs["max-pressure"], 150)["gap_unit"] == "pressure"
    text = explain(runs["actuated"], 150)
    assert "gap-out: the traffic at green had gaps" in text
    assert "actuated compares no costs" in text
    assert explain_json(runs["actuated"], 150)["gap"] is None


def test_before_the_first_decision_the_plan_is_followed(runs: dict[str, Path]) -> None:
    text = explain(runs["rolling-horizon"], 0)
    assert "The run began with stage 1, as plan 0 wants it" in text
    assert "had not decided anything yet" in text
    text = explain(runs["fixed"], "0:01:40")
    assert "A0 at 100 s" in text
    assert "plan 0 went on to stage" in text and "fixed decides nothing itself" in text
    assert "by the plan at" in text


def test_a_controller_that_followed_its_plan_is_said_to(copy: Path) -> None:
    rows = ["time,intersection,level,cause", "1,A0,ADAPTIVE,", "100,B0,FAILURE,"]
    rows += ["120,A0,COORDINATED,the lease ran out", "200,A0,ADAPTIVE,"]
    (copy / "levels.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    said = "But the controller followed no decisions: COORDINATED since 120 s (the lease ran out)."
    assert said in explain(copy, 150)
    assert explain_json(copy, 150)["followed"]["level"] == "COORDINATED"
    for at in (119, 201):
        assert "followed no decisions" not in explain(copy, at)


def test_a_replay_is_explained_as_one(runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    ampelwerk("replay", runs["fixed"], "--control", "priority-index", "-o", out)
    text = explain(out, 200)
    assert "A replay: what priority-index decides on loops that another run recorded." in text
    assert "lamps       at 200 s: " in text


def test_pedestrians_are_named(tmp_path: Path) -> None:
    directory = record(odd_networks.crossings(tmp_path), tmp_path, ["actuated"])["actuated"]
    texts = [explain(directory, at_s) for at_s in (60, 120, 180)]
    assert any("pedestrians, crossing :A0_c" in text for text in texts)


def test_unknown_intersection_suggests_near_ones(runs: dict[str, Path]) -> None:
    refused(runs["actuated"], "found: a1", "did you mean A0", "A0, B0", intersection="a1")
    refused(runs["actuated"], "choose one of these", intersection="xyzzy")


def test_an_intersection_left_to_sumo_is_said_to_be(copy: Path) -> None:
    path = copy / "model.json"
    model = json.loads(path.read_text(encoding="utf-8"))
    model["uncontrolled"] = [{"intersection_id": "R1", "reason": "Its program is off."}]
    path.write_text(json.dumps(model), encoding="utf-8")
    refused(copy, "left to SUMO", "Its program is off.", intersection="R1")


@pytest.mark.parametrize("at", ["-1", "301", "1e9", "nan", "noon", "0:10", ""])
def test_times_that_are_none_or_outside_the_run(runs: dict[str, Path], at: str) -> None:
    refused(runs["actuated"], "--at", at=at)


def test_time_outside_the_run_names_its_limits(runs: dict[str, Path]) -> None:
    refused(runs["actuated"], "301 s", "0 to 300 s", at="301")


def test_directories_without_a_run(copy: Path, tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "no such directory")
    refused(copy / "run.json", "this is no directory")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds no run", "run.json")
    (copy / "run.json").write_text("{", encoding="utf-8")
    refused(copy, "cannot be read")
    (copy / "run.json").write_text('{"status": "complete"}', encoding="utf-8")
    refused(copy, "incomplete")


def test_native_decides_nothing(copy: Path) -> None:
    path = copy / "run.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"rolling-horizon"', '"native"'),
        encoding="utf-8",
    )
    refused(copy, "native", "decided nothing")


def test_of_a_comparison_one_run_must_be_named(copy: Path, tmp_path: Path) -> None:
    comparison = tmp_path / "comparison"
    (comparison / "runs" / "actuated").mkdir(parents=True)
    (comparison / "compare.json").write_text("{}", encoding="utf-8")
    refused(comparison, "comparison of several runs", "let it finish")
    place = comparison / "runs" / "actuated" / "seed-1"
    shutil.copytree(copy, place)
    refused(comparison, "name one of its runs", str(place))


def test_damaged_files_are_refused(copy: Path) -> None:
    write_decisions(copy, "20,A0,99,why,,0.0000,")
    refused(copy, "line 2", "unknown '99'")
    write_decisions(copy, "20,A0,2,why")
    refused(copy, "line 2")
    (copy / "decisions.csv").write_text("a,b\n", encoding="utf-8")
    refused(copy, "columns a, b")
    (copy / "decisions.csv").unlink()
    refused(copy, "missing")
