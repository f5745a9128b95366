"""Real runs with a quarter of the loops failed: never worse than fixed time, and faults are found."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from ampelwerk.models.detection import LoopAlarm
from ampelwerk.models.faults import Fault, FaultKind
from ampelwerk.sim.loop_alarms import what_was_found
from ampelwerk.sim.scenario import resolve
from tests.sim.runs import simulate

END_S = 25200 + 2400
"""Forty minutes of cologne1 in the morning."""


def alarm(time_s: float, loop: int, fault: str, quality: float) -> LoopAlarm:
    return LoopAlarm(time_s=time_s, loop=loop, fault=fault, quality=quality)


def test_what_was_found_counts_each_loop_once_from_when_it_failed() -> None:
    alarms = [
        alarm(100.0, 1, "stuck-off", 0.0),  # before it failed: a false alarm
        alarm(400.0, 1, "stuck-on", 0.0),
        alarm(500.0, 2, "chatter", 0.0),
        alarm(900.0, 2, "sound", 1.0),
        alarm(950.0, 2, "stuck-off", 0.0),
        alarm(700.0, 9, "stuck-off", 0.0),
    ]
    found = what_was_found(alarms, {1: 300.0, 2: 300.0, 3: 300.0})
    assert found == {
        "found_faulty": 3,
        "found_kinds": {"chatter": 1, "stuck-off": 1, "stuck-on": 1},
        "found_rightly": 2,
        "found_wrongly": 1,
        "found_after_median_s": 150.0,
        "found_after_longest_s": 200.0,
    }


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("fixed") / "run"
    return simulate(resolve("cologne1", end_s=END_S), directory, "fixed")


@pytest.mark.sumo
@pytest.mark.parametrize(
    "kind", [FaultKind.STUCK_ON, FaultKind.STUCK_OFF, FaultKind.FROZEN, FaultKind.CHATTER]
)
def test_a_quarter_of_the_loops_failed_costs_less_than_fixed_time(
    tmp_path: Path, fixed: dict[str, Any], kind: FaultKind
) -> None:
    scenario, fault = resolve("cologne1", end_s=END_S), Fault(kind=kind, share=0.25)
    measures = simulate(scenario, tmp_path / "run", "rolling-horizon", seed=2, faults=(fault,))
    assert measures["delay_s"] < fixed["delay_s"]
    assert not measures["gridlock"]
    assert measures["safety"]["violations"] == 0
    detectors = measures["detectors"]
    assert detectors["found_rightly"] >= 3
    assert detectors["found_wrongly"] <= 1
    with (tmp_path / "run" / "detectors.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lost = {row["loop"] for row in rows if row["quality"] == "0"}
    assert len(lost) == detectors["found_rightly"] + detectors["found_wrongly"]


@pytest.mark.sumo
def test_healthy_loops_raise_no_alarm(tmp_path: Path) -> None:
    measures = simulate(resolve("cologne1", end_s=END_S), tmp_path / "run", "rolling-horizon")
    assert measures["detectors"]["found_faulty"] == 0
