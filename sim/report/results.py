"""What `simulate` or `compare` left in a directory, read for the report.

One run lies in the directory itself; a comparison has its runs in ``runs/<control>/seed-<n>``. A
run is complete when it has ``measures.json``, which is written last; others are named, not drawn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.sim.comparison import Comparison
from ampelwerk.sim.imported import read_network
from ampelwerk.sim.run_directory import MANIFEST, MEASURES, MODEL

COMPARISON = "comparison.json"
_NEEDED = (
    "scenario", "control", "seed", "begin", "end", "profile", "gridlock", "valid", "safety",
    "by_class", "dropped_before_begin", "delay_s",
)  # fmt: skip
"""Keys of measures.json that the report cannot do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """One complete run."""

    directory: Path
    """Where its files lie."""
    control: str
    """Kind of control."""
    seed: int
    """Seed of SUMO's random numbers."""
    measures: dict[str, Any]
    """Contents of measures.json."""
    manifest: dict[str, Any]
    """Contents of run.json."""

    @property
    def begin_s(self) -> float:
        """Begin of the simulation. [s]"""
        return float(self.measures["begin"])

    @property
    def end_s(self) -> float:
        """End of the simulation. [s]"""
        return float(self.measures["end"])

    @property
    def net_file(self) -> Path:
        """The net that was simulated."""
        return Path(self.manifest["config"]["scenario"]["net_file"])

    def file(self, name: str) -> Path:
        """A file of the run.

        Raises
        ------
        InvalidInputError : it is not there.
        """
        path = self.directory / name
        if not path.is_file():
            raise InvalidInputError(
                "a file of the run is missing", where=str(path), remedy="run it again"
            )
        return path

    def network(self) -> Network:
        """The imported intersections.

        Raises
        ------
        InvalidInputError : model.json is missing, or was written by another version.
        """
        return read_network(self.file(MODEL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All complete runs of a directory."""

    directory: Path
    """The directory."""
    controls: dict[str, tuple[FinishedRun, ...]]
    """Runs by control, the reference first, by seed."""
    comparison: dict[str, Any] | None
    """Contents of comparison.json, None for a single run."""
    incomplete: tuple[str, ...]
    """Runs that were cut off."""

    @property
    def runs(self) -> list[FinishedRun]:
        """All runs."""
        return [run for runs in self.controls.values() for run in runs]

    def compared(self) -> Comparison:
        """The runs for means and paired differences, what the witness found among the measures."""
        return Comparison(
            controls=tuple(self.controls),
            seeds=tuple(sorted({run.seed for run in self.runs})),
            runs=tuple({**run.measures, **run.measures["safety"]} for run in self.runs),
        )

    @property
    def drawn(self) -> list[FinishedRun]:
        """One run of each control, of the same seed where there is one they share."""
        shared = set[int].intersection(
            *({run.seed for run in runs} for runs in self.controls.values())
        )
        seed = min(shared) if shared else None
        return [
            next((run for run in runs if run.seed == seed), runs[0])
            for runs in self.controls.values()
        ]


def read_results(directory: Path) -> Results:
    """Read the results of `simulate` or `compare`.

    Raises
    ------
    InvalidInputError : there are none, or a file is broken.
    """
    if (directory / MEASURES).is_file():
        run = _read_run(directory)
        return Results(
            directory=directory, controls={run.control: (run,)}, comparison=None, incomplete=()
        )
    places = sorted(path for path in directory.glob("runs/*/seed-*") if path.is_dir())
    runs = [_read_run(place) for place in places if (place / MEASURES).is_file()]
    if not runs:
        raise InvalidInputError(
            "the directory holds no finished run",
            where=str(directory),
            limit="a directory written by `ampelwerk simulate -o` or `ampelwerk compare -o`",
            remedy="check the path, or let the run finish first",
        )
    comparison = _read_json(directory / COMPARISON) if (directory / COMPARISON).is_file() else None
    found = {run.control for run in runs}
    order = _control_order(comparison, found)
    return Results(
        directory=directory,
        controls={
            control: tuple(
                sorted((r for r in runs if r.control == control), key=lambda run: run.seed)
            )
            for control in order
        },
        comparison=comparison,
        incomplete=tuple(
            str(place.relative_to(directory / "runs"))
            for place in places
            if not (place / MEASURES).is_file()
        ),
    )


def _control_order(comparison: dict[str, Any] | None, found: set[str]) -> list[str]:
    """The comparison's order, its reference first; by name without a comparison."""
    wanted = [str(name) for name in (comparison or {}).get("controls", ())]
    first = [name for name in wanted if name in found]
    return first + sorted(found - set(first))


def _read_run(directory: Path) -> FinishedRun:
    measures = _read_json(directory / MEASURES)
    manifest = _read_json(directory / MANIFEST)
    for content, name, keys in (
        (measures, MEASURES, _NEEDED),
        (manifest, MANIFEST, ("config",)),
        (manifest.get("config", {}), MANIFEST, ("scenario", "time_to_teleport_s")),
    ):
        missing = [key for key in keys if key not in content]
        if missing:
            raise InvalidInputError(
                "a value is missing",
                where=str(directory / name),
                found=f"no {', '.join(missing)}",
                remedy="run it again",
            )
    return FinishedRun(
        directory=directory,
        control=str(measures["control"]),
        seed=int(measures["seed"]),
        measures=measures,
        manifest=manifest,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidInputError(
            "a file of the run is missing", where=str(path), remedy="run it again"
        ) from error
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            "the file cannot be read", where=str(path), found=str(error), remedy="run it again"
        ) from error
    if not isinstance(content, dict):
        raise InvalidInputError(
            "the file holds something else than results", where=str(path), remedy="run it again"
        )
    return content
