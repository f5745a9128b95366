"""The commands about plans: what they print, write and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_bad_input import ampelwerk, assert_refused
from tests.conftest import SmallScenario


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "plans.json"
    result = ampelwerk("plan", "import", "corridor", "-o", path)
    assert result.exit_code == 0, result.output
    assert "written" in result.stderr
    return path


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def changed(plans: Path, path: Path, **fields: Any) -> Path:
    path.write_text(json.dumps({**content(plans), **fields}), encoding="utf-8")
    return path


def test_show_prints_the_plans_and_json_the_document(plans: Path) -> None:
    shown = ampelwerk("plan", "show", plans, "--intersection", "j0").stdout
    assert "j0, plan coordinated: cycle 90 s" in shown
    assert "j1, plan" not in shown
    assert json.loads(ampelwerk("plan", "show", plans, "--json").stdout) == content(plans)


def test_show_refuses_names_that_are_not_there(plans: Path) -> None:
    assert_refused(ampelwerk("plan", "show", plans, "-i", "x"), "found: x", "allowed: j0")
    assert_refused(ampelwerk("plan", "show", plans, "--plan", "x"), "allowed: coordinated")


def test_diff_says_what_differs(plans: Path, tmp_path: Path) -> None:
    other = changed(plans, tmp_path / "other.json", version=2)
    assert ampelwerk("plan", "diff", plans, other).stdout == "version: 1 → 2\n"
    assert ampelwerk("plan", "diff", plans, plans).stdout == "no difference\n"
    assert json.loads(ampelwerk("plan", "diff", plans, other, "--json").stdout) == [
        {"where": "", "what": "version", "before": "1", "after": "2"}
    ]


def test_nothing_is_overwritten_unasked(plans: Path, tmp_path: Path) -> None:
    before = plans.read_bytes()
    assert_refused(ampelwerk("plan", "import", "corridor", "-o", plans), "--force")
    assert_refused(
        ampelwerk("plan", "export", plans, "corridor", "--sumo-additional", plans), "--force"
    )
    assert plans.read_bytes() == before
    nowhere = tmp_path / "nowhere" / "plans.json"
    assert_refused(ampelwerk("plan", "import", "corridor", "-o", nowhere), "does not exist")


def test_export_writes_the_plan_of_a_name(plans: Path, tmp_path: Path) -> None:
    path = tmp_path / "plans.add.xml"
    words = ("plan", "export", plans, "corridor", "--sumo-additional", path)
    assert_refused(ampelwerk(*words, "--plan", "night"), "allowed: coordinated")
    assert not path.exists()
    assert ampelwerk(*words, "--plan", "coordinated").exit_code == 0
    assert path.read_text(encoding="utf-8").count('programID="coordinated-plan"') == 5


def test_plans_of_another_network_are_refused(plans: Path, small: SmallScenario) -> None:
    words = ("simulate", *small.arguments, "--control", "plan", "--plans", str(plans))
    assert_refused(ampelwerk(*words), "no such intersection", "j0")


def test_control_plan_and_plan_file_belong_together(plans: Path, small: SmallScenario) -> None:
    assert_refused(ampelwerk("simulate", *small.arguments, "--control", "plan"), "--plans")
    assert_refused(
        ampelwerk("simulate", *small.arguments, "--control", "fixed", "--plans", plans),
        "--control plan",
    )


def test_broken_plan_file_is_refused_before_anything_runs(
    plans: Path, small: SmallScenario, tmp_path: Path
) -> None:
    broken = changed(plans, tmp_path / "broken.json", version="one")
    output = tmp_path / "run"
    arguments = [*small.arguments, "--control", "plan", "--plans", str(broken), "-o", str(output)]
    assert_refused(
        ampelwerk("simulate", *arguments),
        str(broken),
        'version: Input should be a valid integer, not "one"',
    )
    assert not output.exists()


def test_pictures_are_drawn_one_a_plan_and_not_overwritten(plans: Path, tmp_path: Path) -> None:
    words = ("plan", "draw", plans, "corridor", "-o", tmp_path / "pictures")
    result = ampelwerk(*words, "-i", "j0", "-i", "j3")
    assert result.exit_code == 0, result.output
    files = [Path(line) for line in result.stdout.splitlines()]
    assert [file.name for file in files] == [
        "j0-coordinated.svg", "j0-coordinated-stages.svg",
        "j3-coordinated.svg", "j3-coordinated-stages.svg",
    ]  # fmt: skip
    assert all(file.read_text(encoding="utf-8").startswith("<svg ") for file in files)
    assert_refused(ampelwerk(*words), "--force")
    assert len(list((tmp_path / "pictures").iterdir())) == 4


@pytest.mark.sumo
def test_comparison_runs_plans_beside_other_controls(small: SmallScenario, tmp_path: Path) -> None:
    plans = tmp_path / "plans.json"
    assert ampelwerk("plan", "import", *small.arguments, "-o", plans).exit_code == 0
    site = content(plans)["intersections"][0]
    site["plans"][0]["steps"][1]["at_s"] = 2
    changed(plans, plans, intersections=[site], profile="rilsa/1")
    output = tmp_path / "compared"
    words = (
        "compare", *small.arguments, "--control", "native", "--control", "plan", "--plans",
        str(plans), "--seeds", "1:2", "-e", "60", "-o", str(output), "--json",
    )  # fmt: skip
    result = ampelwerk(*words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["controls"] == ["native", "plan"]
    assert "the interlock delays what is illegal" in result.stderr
    assert "its own program runs" in result.stderr
    assert "made under rilsa/1" in result.stderr
    changed(plans, plans, version=2)
    assert_refused(ampelwerk(*words), "another configuration", "plans")
