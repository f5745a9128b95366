"""`ampelwerk compare`: the same seeds under several kinds of control, and an honest table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.batch import check_workers, run_missing
from ampelwerk.cli.failure import COMPARED_WORSE, OK, RUNTIME_ERROR
from ampelwerk.cli.fault_words import fault_of
from ampelwerk.cli.inputs import fresh_directory, known_control, seed_list
from ampelwerk.cli.planned import plans_for
from ampelwerk.cli.simulate import announce, announce_faults
from ampelwerk.models.detection import LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.faults import Fault
from ampelwerk.models.profile import Profile
from ampelwerk.sim import comparison as comparing
from ampelwerk.sim.comparison import Comparison, Estimate
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.scenario import resolve


def compare(
    scenario: str,
    *,
    controls: list[str],
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
    faults: list[str],
    plans: Path | None,
    output: Path,
    force: bool,
    gate: bool,
    as_json: bool,
) -> int:
    """Run what is missing, then print the table and write comparison.json and comparison.csv."""
    names = [known_control(name) for name in controls]
    if len(names) < 2 or len(set(names)) != len(names):
        raise InvalidInputError(
            "nothing to compare",
            where="--control",
            found=", ".join(names),
            limit="two or more kinds of control, none twice",
        )
    check_workers(workers)
    wrong = tuple(fault_of(text) for text in faults)
    seed_numbers = seed_list(seeds)
    resolved = resolve(scenario, routes=routes, additional=additional, begin_s=begin_s, end_s=end_s)
    console = Console(stderr=True)
    timing = plans_for(names, plans, resolved, profile, console)
    config = RunConfig(
        scenario=resolved,
        control=names[0],
        profile=profile,
        without_loops=without_loops,
        separate_signals=separate_signals,
        seed=seed_numbers[0],
        backend=backend,
        time_to_teleport_s=time_to_teleport_s,
        faults=wrong,
        plans=timing,
    )
    announce(config.scenario, names, console)
    announce_faults(wrong, config.scenario, names, console)
    output = output.absolute()
    if force or not (output / comparing.MANIFEST).exists():
        fresh_directory(output, force=force, mark=comparing.MANIFEST)
    comparing.claim_directory(config, output)
    jobs = comparing.jobs_of(config, names, seed_numbers, output)
    if not run_missing(jobs, workers=workers, scheduler=scheduler, console=console):
        return RUNTIME_ERROR
    result = comparing.collect(jobs, names, seed_numbers)
    comparing.write(result, output)
    if as_json:
        print(json.dumps(comparing.as_data(result), indent=2, ensure_ascii=False))
    else:
        _show(result, wrong)
    return COMPARED_WORSE if gate and _any_worse(result) else OK


def _any_worse(result: Comparison) -> bool:
    """A later control's delay is clearly above the reference's."""
    for control in result.controls[1:]:
        difference = result.difference(control, "delay_s")
        if difference is not None and difference.is_clear and difference.mean > 0:
            return True
    return False


def _interval(found: Estimate | None, *, signed: bool = False) -> str:
    if found is None:
        return "–"
    sign = "+" if signed else ""
    text = f"{found.mean:{sign}.1f}"
    return text if found.high is None else f"{text} ±{found.high - found.mean:.1f}"


def _show(result: Comparison, faults: Sequence[Fault]) -> None:
    """Means, differences and flags; then every seed."""
    first = result.controls[0]
    run = result.runs[0]
    console = Console()
    console.print(
        f"{run['scenario']}: {run['begin']:g} to {run['end']:g} s, {run['trips']} trips, "
        f"profile {run['profile']}, seeds {', '.join(map(str, result.seeds))}",
        highlight=False,
    )
    if faults:
        console.print(f"faulty loops: {', '.join(map(str, faults))}", highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("control", no_wrap=True)
    for title in ("delay\n\\[s]", f"against\n{first}", "\nstops", "longest\nred \\[s]",
                  "un-\nserved", "grid-\nlock", "viola-\ntions"):  # fmt: skip
        table.add_column(title, justify="right", no_wrap=True)
    for control in result.controls:
        runs = result.of(control).values()
        difference = None if control == first else result.difference(control, "delay_s")
        verdict = ""
        if difference is not None and difference.low is not None:
            verdict = "" if difference.is_clear else " ~"
        table.add_row(
            control,
            _interval(result.mean(control, "delay_s")),
            "" if control == first else _interval(difference, signed=True) + verdict,
            *(_plain(result.mean(control, name)) for name in ("stops", "longest_red_s")),
            str(sum(run["unfinished"] + run["never_inserted"] for run in runs)),
            _flagged(result.count(control, "gridlock"), len(runs)),
            _flagged(sum(run["safety"]["violations"] for run in runs), None),
        )
    console.print(table)
    console.print("±: 95 % interval over seeds (Student's t). ~: it covers 0, no ranking.")
    seeds = Table(box=None, pad_edge=False, title="delay by seed \\[s]", title_justify="left")
    seeds.add_column("control")
    for seed in result.seeds:
        seeds.add_column(str(seed), justify="right")
    for control in result.controls:
        seeds.add_row(control, *(_by_seed(result.of(control).get(s)) for s in result.seeds))
    console.print(seeds)
    console.print("G: gridlock. unserved: unfinished or never inserted, all seeds together.")
    left = {u["intersection"]: u["reason"] for run in result.runs for u in run["uncontrolled"]}
    for name, reason in left.items():
        console.print(f"{name} is left to SUMO: {reason}", highlight=False, markup=False)


def _plain(found: Estimate | None) -> str:
    return "–" if found is None else f"{found.mean:.1f}"


def _flagged(count: int, of: int | None) -> str:
    text = str(count) if of is None else f"{count} of {of}"
    return f"[bold red]{text}[/]" if count else text


def _by_seed(run: dict[str, object] | None) -> str:
    """Delay of one run, marked if it is gridlocked or invalid."""
    if run is None:
        return "–"
    mark = " G" if run["gridlock"] else "" if run["valid"] else " INVALID"
    delay = run["delay_s"]
    return f"{delay:.1f}{mark}" if isinstance(delay, float) else f"–{mark}"
