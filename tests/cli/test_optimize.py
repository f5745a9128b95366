"""`ampelwerk optimize` as a stranger would use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ampelwerk.cli.optimize import optimize
from ampelwerk.models.errors import InvalidInputError
from tests.cli.test_commands import ampelwerk
from tests.conftest import SmallScenario

pytestmark = pytest.mark.sumo


@pytest.fixture(scope="module")
def record(small: SmallScenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day") / "run"
    ampelwerk(
        "simulate", *small.arguments, "--control", "fixed", "--record", "--end", "600", "-o", folder
    )
    return folder


def test_plans_from_a_recorded_run_verify_run_and_repeat(
    small: SmallScenario, record: Path, tmp_path: Path
) -> None:
    words: list[str | Path] = [
        "optimize", *small.arguments, "--counts", record, "--interval", "5min",
        "--corridor", "A0,B0",
    ]  # fmt: skip
    plans, sumo = tmp_path / "plans.json", tmp_path / "plans.add.xml"
    told = ampelwerk(*words, "-o", plans, "--sumo-additional", sumo, "--json")
    data = json.loads(told.stdout)
    assert [row["intersection"] for row in data["plans"]] == ["A0", "B0"]
    assert any(finding["rule"] == "green_band" for finding in data["findings"])
    for row in data["plans"]:
        assert row["cycle_s"] == sum(step["step_s"] for step in row["stages"])
        assert row["degree_of_saturation"] < 1
    again = tmp_path / "again.json"
    ampelwerk(*words, "-o", again)
    assert again.read_bytes() == plans.read_bytes()
    ampelwerk("check", plans, "--model", small.net)
    ampelwerk("check", sumo, "--model", small.net)
    run: list[str | Path] = ["simulate", *small.arguments, "--end", "600", "--json"]
    ours = ampelwerk(*run, "--control", "plan", "--plans", plans)
    before = ampelwerk(*run, "--control", "native")
    assert json.loads(ours.stdout)["delay_s"] < json.loads(before.stdout)["delay_s"]


def test_a_scenario_counts_itself_where_no_counts_are_given(
    small: SmallScenario, tmp_path: Path
) -> None:
    plans = tmp_path / "plans.json"
    told = ampelwerk(
        "optimize", *small.arguments, "--interval", "5min", "--count-seeds", "7", "-o", plans
    )
    assert "Plans written" in told.stderr
    ampelwerk("check", plans, "--model", small.net)


def test_a_model_needs_counts_and_takes_a_table(small: SmallScenario, tmp_path: Path) -> None:
    model, plans, counts = (tmp_path / name for name in ("m.json", "p.json", "c.csv"))
    ampelwerk("model", *small.arguments, "-o", model)
    refused = ampelwerk("optimize", model, "-o", plans, expect=2)
    assert "--counts" in refused.stderr
    lanes = [lane["lane_id"] for lane in json.loads(model.read_text())["lanes"]]
    rows = "".join(f"0,3600,{lane},{150 + 10 * k}\n" for k, lane in enumerate(lanes))
    counts.write_text("begin_s,end_s,lane,count\n" + rows)
    ampelwerk("optimize", model, "--counts", counts, "-o", plans)
    ampelwerk("check", plans, "--model", model)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"interval": "15"}, "--interval"),
        ({"interval": "5s"}, "--interval"),
        ({"time_limit_s": 0.0}, "--time-limit"),
        ({"corridors": ["A0"]}, "--corridor"),
        ({"corridors": ["A0,nowhere"]}, "nowhere"),
        ({"counts": [Path("nowhere.csv")]}, "nowhere.csv"),
        ({"count_seeds": "x"}, "--count-seeds"),
        ({"max_plans": 0}, "--max-plans"),
    ],
)
def test_bad_words_are_refused_and_nothing_is_written(
    small: SmallScenario, changed: dict[str, Any], where: str, tmp_path: Path
) -> None:
    words: dict[str, Any] = {
        "routes": [small.routes], "additional": [], "counts": [], "interval": "5min",
        "count_seeds": "1", "corridors": [], "max_plans": 1, "time_limit_s": None,
        "profile": "sumo", "min_green_s": None, "output": tmp_path / "plans.json",
        "sumo_additional": None, "force": False, "as_json": False,
    }  # fmt: skip
    with pytest.raises(InvalidInputError, match=where):
        optimize(str(small.net), **(words | changed))
    assert not (tmp_path / "plans.json").exists()
