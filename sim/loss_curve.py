"""How much control loses when loops fail: the loss curve.

    L(f) = (D(f) - D(0)) / (D_fixed - D(0))

D is the mean delay over all trips due, f the share of faulty loops: 0 is as good as with healthy
loops, 1 as bad as fixed time. Where healthy control is no better than fixed time L says nothing,
and D stands alone. Intervals are Student's t at 95 % of the differences to the healthy run of the
same seed; that of L takes the denominator as known.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ampelwerk.models.faults import Fault
from ampelwerk.sim.comparison import CONFIDENCE, Estimate, estimate
from ampelwerk.sim.run import read_measures
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.run_process import Job

FIXED = "fixed"
"""The control that looks at no loop, against which loss is measured."""
MANIFEST, JSON_FILE, CSV_FILE, PICTURE = "faults.json", "loss.json", "loss.csv", "loss.svg"

Measures = Mapping[str, Any]
"""Contents of measures.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One kind of fault at one share."""

    share: float
    """Share of faulty loops. [-]"""
    delay_s: Estimate | None
    """Mean delay over the seeds. [s]"""
    change_s: Estimate | None
    """Mean of its paired differences to the healthy runs. [s]"""
    loss: Estimate | None
    """L; None where healthy control is no better than fixed time. [-]"""
    runs: tuple[Measures, ...]
    """Measures of its runs, by seed."""

    def count(self, flag: str) -> int:
        """Runs for which a flag is true."""
        return sum(bool(run[flag]) for run in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCurves:
    """Finished runs of one control under several kinds of fault."""

    control: str
    """Kind of control."""
    seeds: tuple[int, ...]
    """Seeds, the same for all."""
    fixed: Point
    """Fixed time; faults do not touch it."""
    healthy: Point
    """The control without faults."""
    curves: Mapping[str, tuple[Point, ...]]
    """Points by kind of fault, from share 0 upwards."""

    @property
    def has_loss(self) -> bool:
        """Healthy control is better than fixed time, so that L means something."""
        return self.healthy.loss is not None

    def area(self, kind: str) -> float | None:
        """Mean of L over the shares run, by the trapezoidal rule. [-]"""
        points = [(p.share, p.loss.mean) for p in self.curves[kind] if p.loss is not None]
        if len(points) < 2:
            return None
        pairs = pairwise(points)
        total = sum((b - a) * (u + v) / 2 for (a, u), (b, v) in pairs)
        return total / (points[-1][0] - points[0][0])


def jobs_of(
    config: RunConfig, kinds: Sequence[Fault], shares: Sequence[float], seeds: Sequence[int],
    directory: Path,
) -> list[Job]:  # fmt: skip
    """All runs, seed by seed: fixed time, healthy loops, then every kind at every share above 0."""
    jobs = []
    for seed in seeds:
        own = replace(config, seed=seed, faults=())
        jobs.append(
            Job(config=replace(own, control=FIXED), directory=_place(directory, FIXED, own))
        )
        jobs.append(Job(config=own, directory=_place(directory, "healthy", own)))
        for kind in kinds:
            for share in shares:
                if share > 0:
                    fault = replace(kind, share=share)
                    name = f"{fault.label.replace(',', '-').replace('=', '-')}-{100 * share:g}"
                    jobs.append(
                        Job(
                            config=replace(own, faults=(fault,)),
                            directory=_place(directory, name, own),
                        )
                    )
    return jobs


def _place(directory: Path, name: str, config: RunConfig) -> Path:
    return directory / "cases" / name / f"seed-{config.seed}"


def collect(jobs: Sequence[Job], kinds: Sequence[Fault]) -> LossCurves:
    """Read the measures of all finished runs."""
    by_case: dict[tuple[str, float], dict[int, Measures]] = {}
    for job in jobs:
        faults = job.config.faults
        case = (faults[0].label, faults[0].share) if faults else (job.config.control, 0.0)
        by_case.setdefault(case, {})[job.config.seed] = read_measures(job.directory)
    control = next(job.config.control for job in jobs if job.config.control != FIXED)
    return curves_of(control, [kind.label for kind in kinds], by_case)


def curves_of(
    control: str, kinds: Sequence[str], runs: Mapping[tuple[str, float], Mapping[int, Measures]]
) -> LossCurves:
    """The curves of finished runs.

    Parameters
    ----------
    runs : (kind of fault, share) -> measures by seed; healthy runs and those of fixed time stand
        under the name of the control and share 0.
    """
    healthy, fixed = runs[control, 0.0], runs[FIXED, 0.0]
    gain_s = _gain_s(healthy, fixed)

    def point(share: float, found: Mapping[int, Measures]) -> Point:
        change_s = _change_s(found, healthy)
        return Point(
            share=share,
            delay_s=estimate([float(r["delay_s"]) for r in found.values() if _known(r)]),
            change_s=change_s,
            loss=_scaled(change_s, gain_s),
            runs=tuple(found.values()),
        )

    at_none = point(0.0, healthy)
    return LossCurves(
        control=control,
        seeds=tuple(healthy),
        fixed=point(0.0, fixed),
        healthy=at_none,
        curves={
            kind: (
                at_none,
                *(point(s, found) for (name, s), found in sorted(_of(kind, runs), key=_share)),
            )
            for kind in kinds
        },
    )


def _of(
    kind: str, runs: Mapping[tuple[str, float], Mapping[int, Measures]]
) -> list[tuple[tuple[str, float], Mapping[int, Measures]]]:
    return [(case, found) for case, found in runs.items() if case[0] == kind]


def _share(item: tuple[tuple[str, float], Mapping[int, Measures]]) -> float:
    return item[0][1]


def _known(run: Measures) -> bool:
    return run.get("delay_s") is not None


def _change_s(runs: Mapping[int, Measures], healthy: Mapping[int, Measures]) -> Estimate | None:
    """Mean difference in delay to the healthy run of the same seed. [s]"""
    return estimate(
        [
            float(run["delay_s"]) - float(healthy[seed]["delay_s"])
            for seed, run in runs.items()
            if seed in healthy and _known(run) and _known(healthy[seed])
        ]
    )


def _gain_s(healthy: Mapping[int, Measures], fixed: Mapping[int, Measures]) -> float | None:
    """How much less delay the healthy control has than fixed time; None if it has not. [s]"""
    gain = _change_s(fixed, healthy)
    return gain.mean if gain is not None and gain.mean > 0 else None


def _scaled(change_s: Estimate | None, gain_s: float | None) -> Estimate | None:
    """L from a difference in delay."""
    if change_s is None or gain_s is None:
        return None
    return Estimate(
        mean=change_s.mean / gain_s,
        low=None if change_s.low is None else change_s.low / gain_s,
        high=None if change_s.high is None else change_s.high / gain_s,
        count=change_s.count,
    )


def as_data(curves: LossCurves) -> dict[str, Any]:
    """The curves as plain data."""
    first = curves.healthy.runs[0]
    return {
        "scenario": first["scenario"],
        "profile": first["profile"],
        "begin": first["begin"],
        "end": first["end"],
        "control": curves.control,
        "seeds": list(curves.seeds),
        "confidence": CONFIDENCE,
        "fixed": _point_data(curves.fixed),
        "healthy": _point_data(curves.healthy),
        "curves": {
            kind: {"area": curves.area(kind), "points": [_point_data(p) for p in points]}
            for kind, points in curves.curves.items()
        },
    }


def _point_data(point: Point) -> dict[str, Any]:
    def data(found: Estimate | None) -> dict[str, Any] | None:
        return asdict(found) if found else None

    return {
        "share": point.share,
        "delay_s": data(point.delay_s),
        "change_s": data(point.change_s),
        "loss": data(point.loss),
        "gridlocked": point.count("gridlock"),
        "invalid": sum(not run["valid"] for run in point.runs),
        "violations": sum(run["safety"]["violations"] for run in point.runs),
        "by_seed": [
            {
                "seed": run["seed"],
                "delay_s": run["delay_s"],
                "longest_red_s": run["longest_red_s"],
                "pedestrian_wait_s": run["pedestrian_wait_s"],
                "gridlock": run["gridlock"],
                "detectors": run["detectors"],
            }
            for run in point.runs
        ],
    }


def write(curves: LossCurves, directory: Path) -> None:
    """loss.json and loss.csv."""
    (directory / JSON_FILE).write_text(
        json.dumps(as_data(curves), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    with (directory / CSV_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["control", "fault", "share", "runs", "delay_s", "delay_low_s", "delay_high_s",
             "change_s", "change_low_s", "change_high_s", "loss", "loss_low", "loss_high",
             "gridlocked", "violations"]
        )  # fmt: skip
        writer.writerow([FIXED, "", *_row(curves.fixed)])
        writer.writerow([curves.control, "", *_row(curves.healthy)])
        for kind, points in curves.curves.items():
            for point in points[1:]:
                writer.writerow([curves.control, kind, *_row(point)])


def _row(point: Point) -> list[Any]:
    cells: list[Any] = [f"{point.share:g}", len(point.runs)]
    for found in (point.delay_s, point.change_s, point.loss):
        ends = (found.mean, found.low, found.high) if found else (None, None, None)
        cells += ["" if value is None else f"{value:.4f}" for value in ends]
    violations = sum(run["safety"]["violations"] for run in point.runs)
    return [*cells, point.count("gridlock"), violations]
