"""`simulate --record` and `replay`, used as a stranger would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario
from tests.sim.runs import record

pytestmark = pytest.mark.sumo

BAD_INPUT = 2


def ampelwerk(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def assert_refused(result: Result, *phrases: str) -> None:
    assert result.exit_code == BAD_INPUT, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for phrase in phrases:
        assert phrase in result.stderr


@pytest.fixture(scope="module")
def recorded(small: SmallScenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = resolve(str(small.net), routes=[small.routes], end_s=300.0)
    folder = tmp_path_factory.mktemp("recorded")
    return record(scenario, folder, ["rolling-horizon"])["rolling-horizon"]


@pytest.fixture
def copy(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "copy"))


def test_recorded_and_replayed_without_sumo(small: SmallScenario, tmp_path: Path) -> None:
    """Even the net is gone, and any import of SUMO fails."""
    net = Path(shutil.copy(small.net, tmp_path / "gone.net.xml"))
    command = [sys.executable, "-c", "from ampelwerk.cli.main import main; main()"]
    subprocess.run(
        [*command, "simulate", str(net), "-r", str(small.routes), "-e", "300", "--record",
         "-o", str(tmp_path / "run")],
        check=True, capture_output=True,
    )  # fmt: skip
    net.unlink()
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    code = (
        "import sys\n"
        "absent = ('libsumo', 'traci', 'sumolib', 'sumo')\n"
        "sys.modules.update(dict.fromkeys(absent))\n"  # an import of one of them fails
        "from ampelwerk.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert not [name for name in absent if sys.modules[name]]\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "replay", str(tmp_path / "elsewhere")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "identical" in result.stdout and "byte for byte" in result.stdout


def test_json_of_the_same_control(recorded: Path) -> None:
    result = ampelwerk("replay", recorded, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["identical"] is True
    assert found["first_difference"] is None
    rows = (recorded / "decisions.csv").read_text(encoding="utf-8").count("\n")
    assert found["decisions"] == rows - 1


def test_changed_decisions_are_found_and_shown(copy: Path) -> None:
    path = copy / "decisions.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[3] = lines[3].replace(",", ",!", 1)
    path.write_text("\n".join(lines), encoding="utf-8")
    result = ampelwerk("replay", copy)
    assert result.exit_code == 1
    assert "different from line 4" in result.stdout
    assert lines[3] in result.stdout
    assert "was changed" in result.stderr
    path.write_text("\n".join(lines[:3]) + "\n", encoding="utf-8")
    result = ampelwerk("replay", copy, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["first_difference"]["recorded"] == ""


def test_another_version_is_named(copy: Path) -> None:
    path = copy / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["versions"]["ampelwerk"] = "0.0.1"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    result = ampelwerk("replay", copy)
    assert result.exit_code == 0
    assert "recorded with ampelwerk 0.0.1" in result.stderr


def test_another_control_says_how_far_it_agrees_and_what_that_is_worth(
    recorded: Path, tmp_path: Path
) -> None:
    result = ampelwerk("replay", recorded, "--control", "actuated", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "of the time both wanted the same stage" in result.stdout
    assert "The loops saw the traffic that rolling-horizon let through" in result.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "decisions.csv", "model.json", "run.json", "signals.csv",
    }  # fmt: skip
    again = ampelwerk("replay", recorded, "--control", "actuated", "-o", tmp_path / "out")
    assert_refused(again, "--force")
    found = json.loads(ampelwerk("replay", recorded, "--control", "actuated", "--json").stdout)
    assert found["recorded_only"] + found["same_decisions"] == found["recorded_decisions"]
    assert found["replayed_only"] + found["same_decisions"] == found["decisions"]
    assert 0 < found["same_stage_share"] < 1
    assert set(found["by_intersection"]) == {"A0", "B0"}


def test_the_recorded_run_is_never_overwritten(copy: Path) -> None:
    for place in (copy, copy.parent):
        refused = ampelwerk("replay", copy, "-o", place, "--force")
        assert_refused(refused, "holds the run that is replayed")
    assert (copy / "frames.npz").is_file()


def test_controls_that_cannot_be_replayed(recorded: Path) -> None:
    assert_refused(ampelwerk("replay", recorded, "--control", "native"), "native", "SUMO")
    assert_refused(ampelwerk("replay", recorded, "--control", "actuatd"), "did you mean actuated")


def test_directories_that_hold_no_record(copy: Path, tmp_path: Path) -> None:
    assert_refused(ampelwerk("replay", tmp_path / "nowhere"), "no such directory")
    (tmp_path / "empty").mkdir()
    assert_refused(ampelwerk("replay", tmp_path / "empty"), "holds no run")
    manifest = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    del manifest["record"]
    (copy / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert_refused(ampelwerk("replay", copy), "kept no record", "simulate` with --record")


def test_recording_what_decides_nothing_or_is_not_kept(
    small: SmallScenario, tmp_path: Path
) -> None:
    native = ampelwerk(
        "simulate", *small.arguments, "--control", "native", "--record", "-o", tmp_path / "run"
    )
    assert_refused(native, "nothing that could be recorded", "--control fixed")
    assert not (tmp_path / "run").exists()
    assert_refused(ampelwerk("simulate", *small.arguments, "--record"), "--record", "--output")
