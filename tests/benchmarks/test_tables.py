"""The tables of delay and of failed loops on a small network; they share their runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ampelwerk.models.errors import InvalidInputError
from benchmarks.loss_resco import missed
from benchmarks.runs import Runs, cell, chosen, parser
from tests.benchmarks.test_ablation import ROOT, benchmark, configuration
from tests.conftest import SmallScenario


def runs(delays: dict[int, float], locked: tuple[int, ...] = ()) -> Runs:
    return Runs(
        by_seed={s: {"delay_s": delay, "gridlock": s in locked} for s, delay in delays.items()}
    )


def test_what_misses_the_aim_is_said() -> None:
    found = {
        "fixed": runs({1: 40.0, 2: 44.0}),
        "healthy": runs({1: 20.0, 2: 60.0}, locked=(2,)),
        "late": runs({1: 21.0, 2: 59.0}, locked=(2,)),
        "drop": runs({1: 22.0, 2: 30.0}, locked=(1, 2)),
        "stuck-on": runs({1: 45.0, 2: 45.0}),
    }
    assert missed(found) == {
        "drop": ["locks where healthy loops do not, seeds 1"],
        "stuck-on": ["delay +3.0 ± 25.4 s against fixed"],
    }
    assert cell(found["drop"]) == "26.0 ± 50.8 (2 G)"
    assert cell(runs({1: 3.0})) == "3.0"


@pytest.mark.sumo
def test_tables_share_their_runs(small: SmallScenario, tmp_path: Path) -> None:
    common: list[str | Path] = [
        tmp_path / "out", "--network", configuration(small, tmp_path), "--seeds", "1:2",
    ]  # fmt: skip
    shown = benchmark("delay_resco", *common, "--control", "fixed", "--control", "actuated")
    assert "| fixed | actuated | switches checked | violations |" in shown.stdout
    delays = json.loads((tmp_path / "out" / "sumo-1" / "delay.json").read_text(encoding="utf-8"))
    loss = benchmark("loss_resco", *common, "--control", "actuated", "--kind", "stuck-off,from=0",
                     "--share", "100")  # fmt: skip
    assert "2 of 3 runs are here already" in loss.stderr
    content = json.loads((tmp_path / "out" / "sumo-1" / "loss-100.json").read_text("utf-8"))
    (by_control,), (by_kind,) = delays["networks"].values(), content["networks"].values()
    assert by_control["fixed"]["delay_by_seed_s"] == by_kind["fixed"]["delay_by_seed_s"]
    assert by_control["actuated"]["delay_by_seed_s"] == by_kind["healthy"]["delay_by_seed_s"]
    broken = by_kind["stuck-off,from=0"]
    assert broken["difference_s"]["mean"] > 10.0
    assert broken["missed"]
    assert "1 of 1 cases missed the aim." in loss.stdout


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["--seeds", "3:1"], "--seeds"),
        (["--profile", "rilsa", "--amber", "3"], "--amber"),
        (["--min-green", "0"], "1 to 60 s"),
    ],
)
def test_choice_that_is_none_is_refused(tmp_path: Path, words: list[str], phrase: str) -> None:
    arguments = parser("A table.", seeds="1:3").parse_args([str(tmp_path), *words])
    with pytest.raises(InvalidInputError, match=phrase):
        chosen(arguments)


def test_unknown_network_ends_with_a_message(tmp_path: Path) -> None:
    words = [str(tmp_path / "out"), "--network", "cologne9"]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.delay_resco", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert "did you mean cologne8" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
