"""Truth as read from SUMO agrees with SUMO's own output, and estimation is measured against it."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ampelwerk.controllers.control import Control
from ampelwerk.engine.city import lay_out
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.controls import Controlled, connect
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.run_process import Job, run_in_fresh_process
from ampelwerk.sim.scenario import resolve
from benchmarks.truth import Truth
from tests.benchmarks.test_ablation import ROOT, benchmark, configuration
from tests.conftest import SmallScenario

END_S = 400.0


class Witnessed:
    """A control beside which the truth is written down."""

    def __init__(self, inner: Control, loop: Controlled, path: Path) -> None:
        self._inner, self._path = inner, path
        self._truth = Truth(loop.network, lay_out(loop.network), loop.step_s)
        self.alarms, self.decide = inner.alarms, inner.decide
        self._passed: list[tuple[str, float]] = []
        self._came = self._left = self._most = 0.0

    def observe(self, frame: DetectorFrame) -> None:
        self._inner.observe(frame)
        seen = self._truth.read(frame.time_s)
        self._passed += [(passage.vehicle, passage.at_s) for passage in seen.passages]
        self._came += float(seen.came_veh.sum())
        self._left += len(seen.passages)
        self._most = max(self._most, float(seen.queue_veh.max()))
        # Who came and has not left stands in a queue.
        assert self._came - self._left == float(seen.queue_veh.sum())
        if frame.time_s >= END_S:
            content = {"passed": self._passed, "longest_queue_veh": self._most}
            self._path.write_text(json.dumps(content), encoding="utf-8")


def connect_witnessed(path: Path, control: str, loop: Controlled) -> Control:
    return Witnessed(connect(control, loop), loop, path)


@pytest.mark.sumo
def test_passages_are_those_of_sumos_own_output(
    small: SmallScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # the process of the run imports this file
    scenario = resolve(str(small.net), routes=[small.routes], end_s=END_S)
    config = RunConfig(scenario=scenario, control="actuated", profile=SumoProfile(), seed=1)
    path = tmp_path / "passed.json"
    run_in_fresh_process(
        Job(config=config, directory=tmp_path / "run", connect=partial(connect_witnessed, path))
    )
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, list[float]] = {}
    for vehicle, at_s in content["passed"]:
        found.setdefault(vehicle, []).append(at_s)
    wanted: dict[str, list[float]] = {}
    for vehicle in ElementTree.parse(tmp_path / "run" / "vehroutes.xml").iter("vehicle"):
        (route,) = vehicle.iter("route")
        left = [float(s) for s in route.get("exitTimes", "").split()]
        # All edges but the last lead to a signal; -1 stands for an edge not left yet.
        wanted[str(vehicle.get("id"))] = [s for s in left[:-1] if 0.0 <= s <= END_S]
    wanted = {vehicle: times for vehicle, times in wanted.items() if times}
    assert len(wanted) > 80
    assert found.keys() == wanted.keys()
    for vehicle, times in wanted.items():
        assert found[vehicle] == pytest.approx(times, abs=1.05)
    assert content["longest_queue_veh"] >= 2.0


@pytest.mark.sumo
def test_errors_are_printed_and_written_lane_by_lane(small: SmallScenario, tmp_path: Path) -> None:
    network = configuration(small, tmp_path)
    shown = benchmark(
        "estimation_error", tmp_path / "out", "--network", network, "--seeds", "1:2"
    ).stdout
    assert "unannounced" in shown
    with (tmp_path / "out" / "sumo-1" / "estimation.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert {row["intersection"] for row in rows} == {"A0", "B0"}
    busy = [row for row in rows if float(row["arrivals_true_veh"]) > 0.2]
    assert busy
    for row in rows:
        assert float(row["queue_error_size_veh"]) >= abs(float(row["queue_error_veh"]))
        assert float(row["queue_error_size_veh"]) < 1.0
    for row in busy:
        assert float(row["queue_true_veh"]) > 0.0
        assert abs(float(row["due_error_s"])) <= float(row["due_error_size_s"]) < 3.0
        assert float(row["arrivals_error_size_veh"]) < 1.0
