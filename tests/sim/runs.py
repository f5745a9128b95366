"""Real runs for tests, each in a process of its own."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ampelwerk.models.faults import Fault
from ampelwerk.models.plan_set import PlanSet
from ampelwerk.models.profile import Profile, SumoProfile
from ampelwerk.sim.run import read_measures
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.run_process import Job, run_in_fresh_process
from ampelwerk.sim.scenario import Scenario


def simulate(
    scenario: Scenario,
    directory: Path,
    control: str,
    *,
    seed: int = 1,
    profile: Profile | None = None,
    backend: str = "libsumo",
    faults: tuple[Fault, ...] = (),
    plans: PlanSet | None = None,
) -> dict[str, Any]:
    """Run, and read the measures."""
    config = RunConfig(
        scenario=scenario,
        control=control,
        profile=profile or SumoProfile(),
        seed=seed,
        backend=backend,
        faults=faults,
        plans=plans,
    )
    run_in_fresh_process(Job(config=config, directory=directory))
    return read_measures(directory)


RECORD = """
import pickle, sys
from ampelwerk.sim.run import run
for config, directory in pickle.load(sys.stdin.buffer):
    directory.mkdir(parents=True)
    run(config, directory, record=True)
"""


def record(
    scenario: Scenario, folder: Path, controls: Sequence[str], *, separate_signals: bool = False
) -> dict[str, Path]:
    """Recorded runs, one directory a control, all in one fresh process."""
    places = {control: folder / control for control in controls}
    configs = [
        (
            RunConfig(
                scenario=scenario,
                control=control,
                profile=SumoProfile(),
                seed=1,
                separate_signals=separate_signals,
            ),
            place,
        )
        for control, place in places.items()
    ]
    subprocess.run(
        [sys.executable, "-c", RECORD], input=pickle.dumps(configs), check=True, timeout=120
    )
    return places
