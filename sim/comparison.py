"""Several kinds of control over the same seeds, compared in pairs.

The same seed gives every control the same traffic, so the difference of two controls is taken seed
by seed and its mean has a far smaller interval than the means themselves. Intervals are Student's
t at 95 %. An interval that covers 0 ranks nothing.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from scipy import stats

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.run import read_measures
from ampelwerk.sim.run_configuration import RunConfig, configuration_of_run
from ampelwerk.sim.run_process import Job

CONFIDENCE = 0.95
MEASURES = (
    "delay_s",
    "delay_p95_s",
    "time_loss_s",
    "depart_delay_s",
    "waiting_s",
    "stops",
    "travel_time_s",
    "throughput_veh_h",
    "unfinished",
    "never_inserted",
    "longest_red_s",
    "pedestrian_wait_s",
    "co2_kg",
)
"""Measures that are averaged over seeds."""
JSON_FILE, CSV_FILE, MANIFEST = "comparison.json", "comparison.csv", "compare.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over seeds."""

    mean: float
    """Mean, in the unit of the measure."""
    low: float | None
    """Lower end of the 95 % interval; None with a single seed."""
    high: float | None
    """Upper end."""
    count: int
    """Seeds that went into it."""

    @property
    def is_clear(self) -> bool:
        """The interval lies on one side of 0."""
        return self.low is not None and self.high is not None and self.low * self.high > 0


def estimate(values: Sequence[float]) -> Estimate | None:
    """Mean and Student's t interval; None without values."""
    count = len(values)
    if not count:
        return None
    mean = math.fsum(values) / count
    if count == 1:
        return Estimate(mean=mean, low=None, high=None, count=1)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * math.sqrt(variance / count)
    return Estimate(mean=mean, low=mean - half, high=mean + half, count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Finished runs of several controls."""

    controls: tuple[str, ...]
    """Kinds of control; the first is the reference."""
    seeds: tuple[int, ...]
    """Seeds, the same for all."""
    runs: tuple[dict[str, Any], ...]
    """Measures of every run, by control and seed."""

    def of(self, control: str) -> dict[int, dict[str, Any]]:
        """Runs of one control, by seed."""
        return {run["seed"]: run for run in self.runs if run["control"] == control}

    def mean(self, control: str, measure: str) -> Estimate | None:
        """Mean of a measure over the seeds."""
        found = (run.get(measure) for run in self.of(control).values())
        return estimate([float(value) for value in found if value is not None])

    def difference(self, control: str, measure: str) -> Estimate | None:
        """Mean of the paired differences to the reference, seed by seed."""
        reference = self.of(self.controls[0])
        pairs = [
            (run.get(measure), reference[seed].get(measure))
            for seed, run in self.of(control).items()
            if seed in reference
        ]
        return estimate([float(a) - float(b) for a, b in pairs if a is not None and b is not None])

    def count(self, control: str, flag: str) -> int:
        """Runs of a control for which a flag is true."""
        return sum(bool(run[flag]) for run in self.of(control).values())


def jobs_of(
    config: RunConfig, controls: Sequence[str], seeds: Sequence[int], directory: Path
) -> list[Job]:
    """All runs of a comparison, seed by seed so that an early stop leaves pairs."""
    return [
        Job(
            config=replace(config, control=control, seed=seed),
            directory=directory / "runs" / control / f"seed-{seed}",
        )
        for seed in seeds
        for control in controls
    ]


def claim_directory(
    config: RunConfig,
    directory: Path,
    *,
    manifest_name: str = MANIFEST,
    varied: Sequence[str] = ("control", "seed"),
) -> None:
    """Make the directory these runs' own, or find that it already is.

    Parameters
    ----------
    manifest_name : file that keeps the configuration.
    varied : fields of the configuration in which the runs differ.

    Raises
    ------
    InvalidInputError : it holds runs of another configuration.
    """
    wanted = configuration_of_run(config)
    for name in varied:
        wanted.pop(name)
    manifest = directory / manifest_name
    if manifest.exists():
        found = json.loads(manifest.read_text(encoding="utf-8"))
        different = sorted(
            key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)
        )
        if different:
            raise InvalidInputError(
                "the directory holds runs of another configuration",
                where=str(directory),
                found=f"different: {', '.join(different)}",
                remedy="choose another directory, or start anew with --force",
            )
        return
    directory.mkdir(parents=True, exist_ok=True)
    fresh = manifest.with_suffix(".new")
    fresh.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
    fresh.replace(manifest)


def collect(jobs: Sequence[Job], controls: Sequence[str], seeds: Sequence[int]) -> Comparison:
    """Read the measures of all finished runs."""
    return Comparison(
        controls=tuple(controls),
        seeds=tuple(seeds),
        runs=tuple(
            read_measures(job.directory)
            for control in controls
            for job in jobs
            if job.config.control == control
        ),
    )


def write(comparison: Comparison, directory: Path) -> None:
    """comparison.json and comparison.csv."""
    (directory / JSON_FILE).write_text(
        json.dumps(as_data(comparison), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    columns = [
        "control", "seed", *MEASURES, "trips", "completed", "teleports", "collisions", "gridlock",
        "valid", "checked_switches", "violations", "wall_s", "sumo_s", "control_s",
    ]  # fmt: skip
    with (directory / CSV_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for run in comparison.runs:
            writer.writerow({**run, **run["safety"], **run["cost"]})


def as_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data."""
    first = comparison.controls[0]

    def data(found: Estimate | None) -> dict[str, Any] | None:
        return asdict(found) if found else None

    return {
        "scenario": comparison.runs[0]["scenario"],
        "profile": comparison.runs[0]["profile"],
        "begin": comparison.runs[0]["begin"],
        "end": comparison.runs[0]["end"],
        "controls": list(comparison.controls),
        "reference": first,
        "seeds": list(comparison.seeds),
        "confidence": CONFIDENCE,
        "summary": {
            control: {
                "mean": {m: data(comparison.mean(control, m)) for m in MEASURES},
                "difference": {m: data(comparison.difference(control, m)) for m in MEASURES}
                if control != first
                else None,
                "gridlocked": comparison.count(control, "gridlock"),
                "invalid": sum(not run["valid"] for run in comparison.of(control).values()),
                "violations": sum(
                    run["safety"]["violations"] for run in comparison.of(control).values()
                ),
            }
            for control in comparison.controls
        },
        "runs": list(comparison.runs),
    }
