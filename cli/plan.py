"""`ampelwerk plan`: look at plan files, compare them, take them from a scenario."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.inputs import fresh_files, profile_of
from ampelwerk.cli.planned import say_unsafe
from ampelwerk.models.calendar import clock_text
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.plan_set import (
    IntersectionPlans,
    PlanSet,
    network_with_plans,
    plan_set_of,
    stage_text,
)
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.net_file import NetFile, read_net
from ampelwerk.sim.plan_check import Model
from ampelwerk.sim.plan_diff import plan_diff, spans_ds, transition_text
from ampelwerk.sim.plan_file import plans_json, read_plans, schema, write_plans
from ampelwerk.sim.plan_programs import used_names, write_sumo_additional
from ampelwerk.sim.scenario import resolve

_LONGEST_FILE_NAME = 100
"""Letters of a file's name."""


def show(path: Path, *, intersections: list[str], plan: str | None, as_json: bool) -> None:
    """Print the plans of a file."""
    plan_set = read_plans(path)
    _require_known(plan_set, path, intersections, plan)
    if as_json:
        print(plans_json(plan_set).decode(), end="")
        return
    console = Console(highlight=False, markup=False)
    console.print(
        f"{plan_set.name}, version {plan_set.version}, profile {plan_set.profile}: "
        f"{counted(len(plan_set.intersections), 'intersection')}, "
        f"plans {', '.join(plan_set.plan_names())}",
        style="bold",
    )
    for site in plan_set.intersections:
        if not intersections or site.intersection_id in intersections:
            _show_site(console, site, plan)
    for entry in plan_set.calendar:
        console.print(f"{' '.join(entry.days)} from {clock_text(entry.at_s)}: plan {entry.plan_id}")


def _require_known(
    plan_set: PlanSet, path: Path, intersections: list[str], plan: str | None
) -> None:
    """Refuse names that the file does not have."""
    if plan is not None and plan not in plan_set.plan_names():
        raise InvalidInputError(
            "the file has no plan of that name",
            where=f"{path}, --plan",
            found=plan,
            limit=", ".join(plan_set.plan_names()),
        )
    for name in intersections:
        if plan_set.site(name) is None:
            raise InvalidInputError(
                "the file has no plans for this intersection",
                where=f"{path}, --intersection",
                found=name,
                limit=", ".join(str(site.intersection_id) for site in plan_set.intersections),
            )


def _show_site(console: Console, site: IntersectionPlans, wanted: str | None) -> None:
    """Every plan of one intersection, a row for every step."""
    for plan in site.plans:
        if wanted is not None and plan.plan_id != wanted:
            continue
        console.print()
        console.print(
            f"{site.intersection_id}, plan {plan.plan_id}: cycle "
            f"{plan.cycle_ds / 10:g} s, offset {plan.offset_ds / 10:g} s, transition "
            f"{transition_text(plan)}",
            style="bold",
        )
        table = Table(box=None, pad_edge=False)
        table.add_column("at [s]", justify="right")
        table.add_column("for [s]", justify="right")
        table.add_column("stage")
        table.add_column("green (gives way) / on red")
        for step, (start_ds, length_ds) in zip(plan.steps, spans_ds(plan), strict=True):
            stage = site.stages[step.stage]
            table.add_row(
                f"{start_ds / 10:g}", f"{length_ds / 10:g}", str(stage.stage_id), stage_text(stage)
            )
        console.print(table)


def diff(before: Path, after: Path, *, as_json: bool) -> None:
    """Print what differs between two plan files."""
    changes = plan_diff(read_plans(before), read_plans(after))
    if as_json:
        print(json.dumps([asdict(change) for change in changes], indent=2, ensure_ascii=False))
        return
    for change in changes:
        print(change)
    if not changes:
        print("no difference")


def take(
    scenario: str,
    *,
    routes: list[Path],
    additional: list[Path],
    profile: str,
    min_green_s: float | None,
    output: Path,
    force: bool,
) -> None:
    """Write the programs that a scenario ships as plans."""
    fresh_files([output], force=force)
    rules = profile_of(profile, min_green_s=min_green_s)
    resolved = resolve(scenario, routes=routes, additional=additional)
    network = import_network(resolved, rules)
    if not network.intersections:
        raise InvalidInputError(
            "no signal of the scenario can be controlled",
            where=scenario,
            found="; ".join(f"{u.intersection_id}: {u.reason}" for u in network.uncontrolled),
        )
    write_plans(plan_set_of(network.intersections, name=resolved.name, profile=rules.label), output)
    console = Console(stderr=True, highlight=False, markup=False)
    for left in network.uncontrolled:
        console.print(f"{left.intersection_id} is left to SUMO: {left.reason}")
    console.print(f"{counted(len(network.intersections), 'intersection')} written to {output}.")


def export(
    path: Path,
    scenario: str,
    *,
    routes: list[Path],
    additional: list[Path],
    profile: str,
    min_green_s: float | None,
    plan: str | None,
    sumo_additional: Path,
    force: bool,
) -> None:
    """Write plans as SUMO's own signal programs."""
    fresh_files([sumo_additional], force=force)
    console = Console(stderr=True, highlight=False, markup=False)
    plan_set, rules = read_plans(path), profile_of(profile, min_green_s=min_green_s)
    resolved = resolve(scenario, routes=routes, additional=additional)
    imported = import_network(resolved, rules)
    model = Model(intersections=imported.intersections, uncontrolled=imported.uncontrolled)
    say_unsafe(plan_set, model, rules, path, console)
    network = network_with_plans(imported, plan_set)
    begin_ds = round(resolved.begin_s * 10)

    def plan_of(site: Intersection) -> CyclicPlan:
        if plan is None:
            return site.schedule.plan_at(begin_ds)
        return _named(site, plan, path)

    planned = [site for site in network.intersections if plan_set.site(site.intersection_id)]
    write_sumo_additional(
        planned,
        sumo_additional,
        step_ds=round(resolved.step_s * 10),
        taken=used_names(resolved.net_file, resolved.additional_files),
        plan_of=plan_of,
    )
    console.print(
        f"{counted(len(planned), 'program')} written to {sumo_additional}; "
        f"SUMO runs them with --additional-files {sumo_additional}."
    )
    if plan is None and plan_set.calendar:
        console.print(
            "The plan in force at begin was written; SUMO's programs know no calendar of ours."
        )


def draw(
    path: Path,
    scenario: str,
    *,
    routes: list[Path],
    additional: list[Path],
    profile: str,
    min_green_s: float | None,
    intersections: list[str],
    plan: str | None,
    output: Path,
    force: bool,
) -> None:
    """Draw a signal timing plan for every intersection and plan of a file."""
    from ampelwerk.sim.report.naming import group_labels
    from ampelwerk.sim.report.plan_diagram import plan_picture

    plan_set = read_plans(path)
    _require_known(plan_set, path, intersections, plan)
    resolved = resolve(scenario, routes=routes, additional=additional)
    network = network_with_plans(
        import_network(resolved, profile_of(profile, min_green_s=min_green_s)), plan_set
    )
    net = read_net(resolved.net_file)
    wanted = [
        (number, site, drawn)
        for number, site in enumerate(network.intersections)
        if plan_set.site(site.intersection_id)
        and (not intersections or site.intersection_id in intersections)
        for drawn in site.plans
        if plan in (None, drawn.plan_id)
    ]
    files = [
        tuple(output / f"{_file_name(f'{site.intersection_id}-{plan.plan_id}{more}')}.svg"
              for more in ("", "-stages"))
        for _, site, plan in wanted
    ]  # fmt: skip
    output.mkdir(parents=True, exist_ok=True)
    for pair in files:
        for file in pair:
            fresh_files([file], force=force)
    for (timing, stages), (number, site, drawn) in zip(files, wanted, strict=True):
        picture = plan_picture(site, drawn, group_labels(network, number), "plan")
        timing.write_text(picture + "\n", encoding="utf-8")
        stages.write_text(_stage_picture(net, site, drawn) + "\n", encoding="utf-8")
        print(timing, stages, sep="\n")


def _stage_picture(net: NetFile, site: Intersection, plan: CyclicPlan) -> str:
    """The stages of a plan in the order of its steps; those that only lead on are left out."""
    from ampelwerk.sim.report.stage_diagram import stage_picture

    shown: dict[int, list[str]] = {}
    for step, (start_ds, length_ds) in zip(plan.steps, spans_ds(plan), strict=True):
        if site.stages[step.stage].selectable:
            span = f"{length_ds / 10:g} s from {start_ds / 10:g} s"
            shown.setdefault(step.stage, []).append(span)
    return stage_picture(net, site, list(shown), [", ".join(s) for s in shown.values()], "stages")


def _file_name(name: str) -> str:
    """A name without what file systems do not like; one that is cut or changed stays unique."""
    plain = re.sub(r"[^\w.+-]", "_", name)
    if plain == name and len(plain) <= _LONGEST_FILE_NAME:
        return plain
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST_FILE_NAME - 9]}-{mark}"


def _named(site: Intersection, plan_id: str, path: Path) -> CyclicPlan:
    """The plan of a name."""
    for plan in site.plans:
        if plan.plan_id == plan_id:
            return plan
    raise InvalidInputError(
        "the intersection has no plan of that name",
        where=f"{path}, intersection {site.intersection_id}, --plan",
        found=plan_id,
        limit=", ".join(plan.plan_id for plan in site.plans),
    )


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_schema() -> None:
    """Print the JSON Schema of the plan file."""
    print(json.dumps(schema(), indent=2))
