"""`ampelwerk faults`: what control loses when loops fail, by kind and share."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.batch import check_workers, run_missing
from ampelwerk.cli.failure import OK, RUNTIME_ERROR
from ampelwerk.cli.fault_words import kinds_of, shares_of
from ampelwerk.cli.inputs import BLIND, fresh_directory, known_control, seed_list
from ampelwerk.cli.simulate import announce, announce_faults
from ampelwerk.models.detection import LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import Profile
from ampelwerk.sim import loss_curve
from ampelwerk.sim.comparison import Estimate, claim_directory
from ampelwerk.sim.loss_curve import LossCurves, Point
from ampelwerk.sim.report.loss_plot import loss_picture
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.scenario import resolve


def faults(
    scenario: str,
    *,
    control: str,
    kinds: list[str],
    shares: str,
    seeds: str,
    workers: int | None,
    scheduler: str | None,
    routes: list[Path],
    additional: list[Path],
    profile: Profile,
    without_loops: tuple[LoopRole, ...],
    separate_signals: bool,
    begin_s: float | None,
    end_s: float | None,
    backend: str,
    time_to_teleport_s: float,
    output: Path,
    force: bool,
    as_json: bool,
) -> int:
    """Run what is missing, then print the table and write loss.json, loss.csv and loss.svg."""
    name = known_control(control)
    if name in BLIND:
        raise InvalidInputError(
            "this control looks at no loop, so no fault touches it",
            where="--control",
            found=name,
            remedy="choose one that does, such as actuated",
        )
    check_workers(workers)
    wrong, share_numbers, seed_numbers = kinds_of(kinds), shares_of(shares), seed_list(seeds)
    config = RunConfig(
        scenario=resolve(
            scenario, routes=routes, additional=additional, begin_s=begin_s, end_s=end_s
        ),
        control=name,
        profile=profile,
        without_loops=without_loops,
        separate_signals=separate_signals,
        seed=seed_numbers[0],
        backend=backend,
        time_to_teleport_s=time_to_teleport_s,
    )
    console = Console(stderr=True)
    announce(config.scenario, [name], console)
    announce_faults(wrong, config.scenario, [name], console)
    output = output.absolute()
    if force or not (output / loss_curve.MANIFEST).exists():
        fresh_directory(output, force=force, mark=loss_curve.MANIFEST)
    claim_directory(config, output, manifest_name=loss_curve.MANIFEST, varied=("seed", "faults"))
    jobs = loss_curve.jobs_of(config, wrong, share_numbers, seed_numbers, output)
    if not run_missing(jobs, workers=workers, scheduler=scheduler, console=console):
        return RUNTIME_ERROR
    curves = loss_curve.collect(jobs, wrong)
    loss_curve.write(curves, output)
    (output / loss_curve.PICTURE).write_text(loss_picture(curves) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(loss_curve.as_data(curves), indent=2, ensure_ascii=False))
    else:
        _show(curves)
        console.print(f"The curves are drawn in {output / loss_curve.PICTURE}", highlight=False)
    return OK


def _show(curves: LossCurves) -> None:
    """Mean delay and loss of every kind at every share."""
    run = curves.healthy.runs[0]
    console = Console()
    console.print(
        f"{run['scenario']}: {run['begin']:g} to {run['end']:g} s, {curves.control}, "
        f"profile {run['profile']}, seeds {', '.join(map(str, curves.seeds))}",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("fault", no_wrap=True)
    for title in ("faulty\nloops", "delay\n\\[s]", "loss\nL", "grid-\nlock", "viola-\ntions"):
        table.add_column(title, justify="right", no_wrap=True)
    _add(table, "fixed", curves.fixed, "–")
    _add(table, "none", curves.healthy, "0%")
    for kind, points in curves.curves.items():
        for point in points[1:]:
            _add(table, kind, point, f"{100 * point.share:g}%")
    console.print(table)
    console.print("±: 95 % interval over seeds (Student's t); that of L is of paired differences.")
    if curves.has_loss:
        console.print("L: 0 as with healthy loops, 1 as bad as fixed.")
    else:
        console.print("L says nothing here: with healthy loops delay is no less than under fixed.")


def _add(table: Table, name: str, point: Point, share: str) -> None:
    locked = point.count("gridlock")
    violations = sum(run["safety"]["violations"] for run in point.runs)
    table.add_row(
        name,
        share,
        _interval(point.delay_s, 1),
        _interval(point.loss, 2),
        f"[bold red]{locked} of {len(point.runs)}[/]" if locked else f"0 of {len(point.runs)}",
        f"[bold red]{violations}[/]" if violations else "0",
    )


def _interval(found: Estimate | None, digits: int) -> str:
    if found is None:
        return "–"
    mean = f"{found.mean + 0.0:.{digits}f}"
    return mean if found.high is None else f"{mean} ±{found.high - found.mean:.{digits}f}"
