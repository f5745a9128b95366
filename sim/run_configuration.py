"""What one run is to do, and what is written down so that it can be done again."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ampelwerk.models.detection import LoopRole
from ampelwerk.models.faults import Fault
from ampelwerk.models.network import Network
from ampelwerk.models.plan_set import PlanSet
from ampelwerk.models.profile import Profile
from ampelwerk.sim.backend import Backend
from ampelwerk.sim.recording import FORMAT
from ampelwerk.sim.run_directory import DECISIONS, FRAMES, MODEL, sha256, source_sha256
from ampelwerk.sim.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What one run is to do."""

    scenario: Scenario
    """Net, demand and times."""
    control: str
    """Kind of control."""
    profile: Profile
    """Where amber, intergreens and minimum greens come from."""
    seed: int
    """Seed of SUMO's random numbers."""
    loops: str = "auto"
    """auto: place what is missing; scenario: only the loops it brings."""
    without_loops: tuple[LoopRole, ...] = ()
    """Roles for which the city has no loops."""
    separate_signals: bool = False
    """Run signals at a short link each on its own."""
    backend: str = "libsumo"
    """libsumo or traci."""
    gui: bool = False
    """Open SUMO's window."""
    time_to_teleport_s: float = -1.0
    """SUMO removes a vehicle that stood this long; negative: never. [s]"""
    faults: tuple[Fault, ...] = ()
    """What is wrong with the loops, one after another."""
    overrides: Path | None = None
    """File of what a control room asks for."""
    plans: PlanSet | None = None
    """Plans that control `plan` runs."""


def configuration_of_run(config: RunConfig) -> dict[str, Any]:
    """The resolved configuration as plain data: enough to run it again."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(config), default=str))
    return content


def provenance(config: RunConfig, backend: Backend, network: Network) -> dict[str, Any]:
    """What was run, with which versions on which input."""
    return {
        "versions": {
            "ampelwerk": version("ampelwerk"),
            "sumo": backend.version(),
            "python": platform.python_version(),
            **{name: _version(name) for name in ("libsumo", "numba", "numpy")},
        },
        "backend": backend.name,
        "source_sha256": source_sha256(),
        "inputs_sha256": {
            str(path): sha256(path)
            for path in (
                *config.scenario.input_files,
                *((config.overrides,) if config.overrides else ()),
            )
        },
        "intersections": len(network.intersections),
        "uncontrolled": [asdict(u) for u in network.uncontrolled],
        "findings": [str(finding) for site in network.intersections for finding in site.findings],
    }


def record_of(directory: Path) -> dict[str, Any]:
    """What a replay compares with."""
    return {
        "format": FORMAT,
        "sha256": {name: sha256(directory / name) for name in (FRAMES, MODEL, DECISIONS)},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
