"""`ampelwerk model`: what was understood of a scenario's signals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ampelwerk.cli.inputs import fresh_files
from ampelwerk.cli.intergreen import explain
from ampelwerk.models.detection import LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network
from ampelwerk.models.profile import Profile
from ampelwerk.sim.imported import import_network, network_json
from ampelwerk.sim.scenario import resolve


def model(
    scenario: str,
    *,
    routes: list[Path],
    additional: list[Path],
    profile: Profile,
    without_loops: tuple[LoopRole, ...],
    output: Path | None,
    force: bool,
    as_json: bool,
    intersection: str | None = None,
    explained: tuple[str, str] | None = None,
) -> None:
    """Print all intersections, one, or where one intergreen comes from; write the model if asked.

    Raises
    ------
    InvalidInputError : no such intersection, or one alone as JSON, where all is by index.
    """
    if output is not None:
        fresh_files([output], force=force)
    resolved = resolve(scenario, routes=routes, additional=additional)
    if explained is not None:
        explain(resolved, profile, intersection=intersection, groups=explained, as_json=as_json)
        return
    network = import_network(resolved, profile, without_loops=without_loops)
    shown = _asked(network, intersection, as_json=as_json)
    content = network_json(network)
    if output is not None:
        output.write_bytes(content + b"\n")
    if as_json:
        print(content.decode())
        return
    console = Console(highlight=False, markup=False)
    for index in shown:
        _show(console, network, index, network.intersections[index])
    if intersection is not None:
        return
    for left in network.uncontrolled:
        console.print(f"{left.intersection_id} is left to SUMO: {left.reason}")
    findings = sum(len(site.findings) for site in network.intersections)
    console.print(
        f"Intersections: {len(network.intersections)}, stop-line lanes: {len(network.lanes)}, "
        f"loops: {len(network.loops)}, crossings: {len(network.crossings)}, findings: {findings}."
    )


def _asked(network: Network, name: str | None, *, as_json: bool) -> Sequence[int]:
    """Numbers of the intersections to show."""
    names = [str(site.intersection_id) for site in network.intersections]
    if name is None:
        return range(len(names))
    if name not in names:
        left = [u.reason for u in network.uncontrolled if u.intersection_id == name]
        raise InvalidInputError(
            "no such intersection" if not left else "the intersection is left to SUMO",
            where="--intersection",
            found=": ".join([name, *left]),
            limit=", ".join(names),
        )
    if as_json:
        raise InvalidInputError(
            "the model as JSON is always whole: its parts name each other by number",
            where="--intersection",
            found=f"{name} with --json",
            remedy="leave one of the two out",
        )
    return [names.index(name)]


def _show(console: Console, network: Network, index: int, site: Intersection) -> None:
    """Groups with their times, stages, plan and findings of one intersection."""
    envelope = site.envelope
    names = [str(group.group_id) for group in envelope.groups]
    console.rule(Text(f"{site.intersection_id} ({envelope.profile})", "bold"), align="left")
    groups = Table(box=None, pad_edge=False)
    for title in ("group", "serves", "lanes", "min green [s]", "amber [s]", "red-amber [s]",
                  "intergreen to [s]"):  # fmt: skip
        groups.add_column(title, overflow="fold")
    for g, group in enumerate(envelope.groups):
        served = sorted({str(m.from_lane) for m in site.movements if m.group == g})
        gaps = [
            f"{names[j]} {gap_ds / 10:g}"
            for j, gap_ds in enumerate(envelope.intergreen_ds[g])
            if gap_ds is not None
        ]
        groups.add_row(
            names[g],
            group.road_user.value,
            ", ".join(served),
            f"{group.min_green_ds / 10:g}",
            f"{group.amber_ds / 10:g}",
            f"{group.red_amber_ds / 10:g}",
            ", ".join(gaps),
        )
    console.print(groups)
    stages = Table(box=None, pad_edge=False)
    for title in ("stage", "green", "gives way", "turns on red", "from"):
        stages.add_column(title, overflow="fold")
    for stage in site.stages:
        if stage.selectable:
            stages.add_row(
                str(stage.stage_id),
                " ".join(names[g] for g in stage.groups),
                " ".join(names[g] for g in stage.permissive),
                " ".join(names[g] for g in stage.turn_on_red),
                "program" if stage.delivered else "generated",
            )
    console.print(stages)
    for plan in site.plans:
        steps = ", ".join(
            f"{step.start_ds / 10:g} s: {site.stages[step.stage].stage_id}" for step in plan.steps
        )
        console.print(
            f"plan {plan.plan_id}: cycle {plan.cycle_ds / 10:g} s, offset "
            f"{plan.offset_ds / 10:g} s; {steps}"
        )
    used = dict.fromkeys(LoopRole, 0)
    for loop in network.loops_of(index):
        used[network.loops[loop].role] += 1
    console.print("loops: " + ", ".join(f"{n} {role.value}" for role, n in used.items() if n))
    for finding in site.findings:
        console.print(str(finding), style="yellow" if finding.severity == "warning" else "")
    console.print()
