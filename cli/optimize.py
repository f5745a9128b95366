"""`ampelwerk optimize`: timing plans from what loops counted."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from ampelwerk.cli.inputs import fresh_files, profile_of, seed_list
from ampelwerk.engine.coordination.deadline import Deadline
from ampelwerk.engine.coordination.timing_plans import TimingPlans, daily_plans
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.models.errors import Finding, InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.models.plan_set import plan_set_of
from ampelwerk.models.profile import Profile
from ampelwerk.sim.count_files import demand_from_counts, read_counts
from ampelwerk.sim.imported import import_network, read_network
from ampelwerk.sim.loop_counts import count_runs, counted_alike, recorded_runs
from ampelwerk.sim.plan_file import write_plans
from ampelwerk.sim.plan_programs import used_names, write_sumo_additional
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.run_process import Job, run_in_fresh_process
from ampelwerk.sim.scenario import Scenario, resolve

SHOWN_FINDINGS = 12
"""Findings that are printed; all are in the JSON."""
MOST_PLANS = 12
"""Most plans over the day."""
_UNIT_S = {"s": 1.0, "min": 60.0, "h": 3600.0}
Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What plans are computed for."""

    name: str
    network: Network
    scenario: Scenario | None


def optimize(
    scenario: str,
    *,
    routes: list[Path],
    additional: list[Path],
    counts: list[Path],
    interval: str,
    count_seeds: str,
    corridors: list[str],
    max_plans: int,
    time_limit_s: float | None,
    profile: str,
    min_green_s: float | None,
    output: Path,
    sumo_additional: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Count, compute, verify, write."""
    fresh_files([path for path in (output, sumo_additional) if path is not None], force=force)
    if time_limit_s is not None and time_limit_s <= 0:
        raise InvalidInputError(
            "the time limit is not positive", where="--time-limit", found=f"{time_limit_s:g}"
        )
    if not 1 <= max_plans <= MOST_PLANS:
        raise InvalidInputError(
            "this number of plans is not possible",
            where="--max-plans",
            found=str(max_plans),
            limit=f"1 to {MOST_PLANS}",
        )
    interval_s, seeds = interval_of(interval), seed_list(count_seeds, "--count-seeds")
    rules = profile_of(profile, min_green_s=min_green_s)
    subject = _subject(scenario, routes, additional, rules)
    if subject.scenario is None and (not counts or sumo_additional is not None):
        raise InvalidInputError(
            "a model alone cannot be simulated",
            where=scenario,
            limit="a scenario, or a model with --counts and without --sumo-additional",
            remedy="give counts with --counts, or name the scenario",
        )
    chosen = [_corridor(text, subject.network) for text in corridors]
    console = Console(stderr=True, highlight=False, markup=False)
    with _bar(console) as bar:
        task = bar.add_task("counting", total=1.0)
        demand = _demand(
            subject,
            counts,
            interval_s,
            seeds,
            rules,
            lambda share: bar.update(task, completed=share),
        )
        bar.update(task, completed=1.0)
        task = bar.add_task("optimising", total=1.0)
        deadline = Deadline(time_limit_s)
        plans, calendar = daily_plans(
            subject.network,
            demand,
            rules,
            most=max_plans,
            deadline=deadline,
            progress=lambda share: bar.update(task, completed=share),
            corridors=chosen,
        )
        bar.update(task, completed=1.0)
    findings = [*demand.findings, *plans.findings]
    if not plans.sites:
        raise InvalidInputError(
            "no plan came out for any signal",
            where=scenario,
            found="; ".join(str(finding) for finding in findings[:SHOWN_FINDINGS]),
        )
    write_plans(
        plan_set_of(plans.sites, name=subject.name, profile=rules.label, calendar=calendar), output
    )
    if sumo_additional is not None and subject.scenario is not None:
        begin_ds = round(subject.scenario.begin_s * 10)
        write_sumo_additional(
            plans.sites,
            sumo_additional,
            step_ds=round(subject.scenario.step_s * 10),
            taken=used_names(subject.scenario.net_file, subject.scenario.additional_files),
            plan_of=lambda site: site.schedule.plan_at(begin_ds),
        )
    if as_json:
        print(json.dumps(_as_data(subject, plans, findings), indent=2, ensure_ascii=False))
    else:
        _show(subject, plans)
    _tell(console, subject, findings, deadline, output)


def interval_of(text: str) -> float:
    """Length of an interval: a number with s, min or h. [s]"""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h)", text.strip())
    length_s = float(match[1]) * _UNIT_S[match[2]] if match else 0.0
    if not 60 <= length_s <= 86_400:
        raise InvalidInputError(
            "this is no length of an interval",
            where="--interval",
            found=text,
            limit="60s to 24h, such as 15min",
        )
    return length_s


def _subject(scenario: str, routes: list[Path], additional: list[Path], rules: Profile) -> _Subject:
    if scenario.endswith(".json"):
        path = Path(scenario)
        if not path.is_file():
            raise InvalidInputError("there is no such model", where=scenario)
        network = read_network(path)
        found = _Subject(path.stem, network, None)
        for site in network.intersections:
            if site.envelope.profile != rules.label:
                raise InvalidInputError(
                    "the model was made under another profile",
                    where=f"{scenario}, intersection {site.intersection_id}",
                    found=site.envelope.profile,
                    limit=rules.label,
                    remedy="choose its profile, or make it again with `ampelwerk model`",
                )
    else:
        resolved = resolve(scenario, routes=routes, additional=additional)
        found = _Subject(resolved.name, import_network(resolved, rules), resolved)
    if not found.network.intersections:
        raise InvalidInputError(
            "no signal can be controlled",
            where=scenario,
            found="; ".join(
                f"{left.intersection_id}: {left.reason}" for left in found.network.uncontrolled
            ),
        )
    return found


def _corridor(text: str, network: Network) -> tuple[int, ...]:
    """Intersections of a corridor by their names."""
    names = [name.strip() for name in text.split(",")]
    known = {str(site.intersection_id): i for i, site in enumerate(network.intersections)}
    missing = [name for name in names if name not in known]
    if missing or len(names) < 2 or len(set(names)) < len(names):
        raise InvalidInputError(
            "this is no corridor",
            where="--corridor",
            found=f"{text}, of which the network has no {', '.join(missing)}" if missing else text,
            limit="at least two intersections of the network in order, none twice",
            remedy="`ampelwerk model` prints their names",
        )
    return tuple(known[name] for name in names)


def _demand(
    subject: _Subject,
    counts: Sequence[Path],
    interval_s: float,
    seeds: Sequence[int],
    rules: Profile,
    tell: Tell,
) -> TrafficDemand:
    """Demand from what was counted, or from runs made for it."""
    with ExitStack() as stack:
        directories = [run for path in counts if path.is_dir() for run in recorded_runs(path)]
        files = [path for path in counts if not path.is_dir()]
        empty = [path for path in counts if path.is_dir() and not recorded_runs(path)]
        if empty or (directories and files):
            raise InvalidInputError(
                "a directory holds no recorded run" if empty else "runs and files are mixed",
                where=str(empty[0]) if empty else "--counts",
                limit="directories of `ampelwerk simulate --record`, or files, not both",
            )
        if files:
            rows = [row for path in files for row in read_counts(path)]
            return demand_from_counts(subject.network, rows, interval_s)
        share = 0.0
        if not directories:
            assert subject.scenario is not None
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ampelwerk-")))
            directories = _recorded(subject.scenario, rules, seeds, folder, lambda s: tell(0.8 * s))
            share = 0.8
        network, demand = count_runs(
            directories, interval_s, progress=lambda s: tell(share + (1 - share) * s)
        )
        if not counted_alike(network, subject.network):
            raise InvalidInputError(
                "the runs were made on another network",
                where=str(directories[0]),
                limit=f"runs of {subject.name}",
                remedy="record them anew, or name the scenario they are of",
            )
        return demand


def _recorded(
    scenario: Scenario, rules: Profile, seeds: Sequence[int], folder: Path, tell: Tell
) -> list[Path]:
    """Runs of the scenario's own program with all loops recorded."""
    found = []
    for k, seed in enumerate(seeds):
        config = RunConfig(scenario=scenario, control="fixed", profile=rules, seed=seed)
        job = Job(config=config, directory=folder / f"seed-{seed}", record=True)
        run_in_fresh_process(job)
        found.append(job.directory)
        tell((k + 1) / len(seeds))
    return found


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        console=console,
        transient=True,
    )


def _rows(subject: _Subject, plans: TimingPlans) -> list[dict[str, Any]]:
    """What came out, signal by signal."""
    found = []
    for plan in plans.computed:
        site = subject.network.intersections[plan.signal]
        shipped = site.plans[0]
        found.append(
            {
                "intersection": str(site.intersection_id),
                "plan": plan.plan_id,
                "cycle_s": plan.cycle_s,
                "cycle_before_s": shipped.cycle_ds / 10,
                "offset_s": plan.offset_s,
                "group": plan.group,
                "stages": [
                    {"stage": str(site.stages[stage].stage_id), "step_s": step_s}
                    for stage, step_s in zip(plan.stages, plan.step_s, strict=True)
                ],
                "degree_of_saturation": round(plan.saturation, 3),
                "expected_delay_s": round(plan.delay_s, 1),
            }
        )
    return found


def _as_data(subject: _Subject, plans: TimingPlans, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "name": subject.name,
        "plans": _rows(subject, plans),
        "findings": [asdict(finding) for finding in findings],
    }


def _show(subject: _Subject, plans: TimingPlans) -> None:
    """A table that a terminal of 80 columns can show."""
    rows = _rows(subject, plans)
    several = len({row["plan"] for row in rows}) > 1
    table = Table(box=None, pad_edge=False)
    table.add_column("intersection", overflow="fold", min_width=12)
    if several:
        table.add_column("plan", no_wrap=True)
    for title in ("group", "cycle\n[s]", "before\n[s]", "offset\n[s]"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("steps:\nstage [s]", overflow="fold", min_width=12)
    for title in ("satu-\nration", "delay\n[s]"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        # A step stays in one piece where the line is broken.
        steps = ", ".join(
            f"{step['stage']}\N{NO-BREAK SPACE}{step['step_s']}" for step in row["stages"]
        )
        table.add_row(
            row["intersection"],
            *((row["plan"],) if several else ()),
            "-" if row["group"] is None else str(row["group"] + 1),
            str(row["cycle_s"]),
            f"{row['cycle_before_s']:g}",
            str(row["offset_s"]),
            steps,
            f"{row['degree_of_saturation']:.2f}",
            f"{row['expected_delay_s']:.1f}",
        )
    Console(highlight=False, markup=False).print(table)


def _tell(
    console: Console,
    subject: _Subject,
    findings: Sequence[Finding],
    deadline: Deadline,
    output: Path,
) -> None:
    """Findings and what was written, to standard error."""
    for left in subject.network.uncontrolled:
        console.print(f"{left.intersection_id} is left to SUMO: {left.reason}")
    for finding in findings[:SHOWN_FINDINGS]:
        console.print(str(finding))
    if len(findings) > SHOWN_FINDINGS:
        console.print(f"{len(findings) - SHOWN_FINDINGS} more findings; see them with --json.")
    if deadline.reached:
        console.print("The time limit was reached; the plans are the best found by then.")
    console.print(f"Plans written to {output}; run them with --control plan --plans {output}.")
