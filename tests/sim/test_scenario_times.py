"""Begin and end of a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.run import run
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario


@pytest.mark.parametrize(("asked_s", "simulated_s"), [(60.5, 61.0), (60.0, 60.0)])
def test_an_end_within_a_step_is_the_end_of_that_step(
    small: SmallScenario, tmp_path: Path, asked_s: float, simulated_s: float
) -> None:
    # Departures at half seconds make such ends: without one it is the last departure plus an hour.
    scenario = resolve(str(small.net), routes=[small.routes], end_s=asked_s)
    assert scenario.end_s == simulated_s
    config = RunConfig(scenario=scenario, control="fixed", profile=SumoProfile(), seed=1)
    place = tmp_path / "run"
    place.mkdir()
    measures = run(config, place)
    assert measures["safety"]["violations"] == 0
    assert measures["safety"]["checked_switches"] > 0
