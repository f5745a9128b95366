"""Every odd network runs under control: nothing unsafe, nothing silently left out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sim.odd_networks import BUILDERS, Builder

pytestmark = pytest.mark.sumo

LEFT_TO_SUMO = {"left_to_sumo": {"C0", "D0"}}
BORDER = ("top", "bottom", "left", "right")
"""netgenerate puts a signal with a single stage at every end of a road."""


def simulate(words: list[str], control: str, *more: str) -> dict[str, Any]:
    result = subprocess.run(
        [
            sys.executable, "-c", "from ampelwerk.cli.main import main; main()",
            "simulate", *words, "--control", control, "--end", "300", "--json", *more,
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    measures: dict[str, Any] = json.loads(result.stdout)
    return measures


@pytest.mark.parametrize("builder", BUILDERS, ids=[b.__name__ for b in BUILDERS])
def test_odd_network_runs_under_control(builder: Builder, tmp_path: Path) -> None:
    words = builder(tmp_path)
    for control in ("fixed", "actuated", "max-pressure", "priority-index"):
        measures = simulate(words, control)
        left = {
            u["intersection"]
            for u in measures["uncontrolled"]
            if not u["intersection"].startswith(BORDER)
        }
        assert left == LEFT_TO_SUMO.get(builder.__name__, set())
        assert all(u["reason"] for u in measures["uncontrolled"])
        assert measures["safety"]["checked_switches"] > 0
        assert measures["safety"]["violations"] == 0, measures["safety"]
        assert measures["safety"]["collisions_by_signals"] == 0
        assert measures["completed"] > 0


@pytest.mark.parametrize("name", ["crossings", "tram", "joined"])
def test_odd_network_runs_under_the_rilsa_profile(name: str, tmp_path: Path) -> None:
    words = next(b for b in BUILDERS if b.__name__ == name)(tmp_path)
    for control in ("fixed", "priority-index"):
        measures = simulate(words, control, "--profile", "rilsa")
        assert measures["profile"].startswith("rilsa/")
        assert measures["safety"]["violations"] == 0
        assert measures["completed"] > 0
