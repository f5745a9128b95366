"""Every intersection of the report: stage diagram, use of the stages, signal timing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network
from ampelwerk.sim.controls import PLAN
from ampelwerk.sim.net_file import NetFile
from ampelwerk.sim.report.drawing import clock
from ampelwerk.sim.report.naming import group_labels
from ampelwerk.sim.report.plan_diagram import plan_picture
from ampelwerk.sim.report.results import FinishedRun
from ampelwerk.sim.report.signal_record import StateChanges
from ampelwerk.sim.report.signal_timing import timing_block, timing_picture
from ampelwerk.sim.report.stage_diagram import MOST_PANELS, stage_picture
from ampelwerk.sim.report.stage_times import StageUse, stage_use, stages_shown
from ampelwerk.sim.report.tables import NOTHING, number

TIMING_S = 240.0
"""Time shown in the signal timing diagram. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """A stage in the table of an intersection."""

    name: str
    """Name of the stage."""
    groups: str
    """Names of its green signal groups; permissive ones in brackets."""
    origin: str
    """Where it comes from."""
    uses: tuple[str, ...]
    """(controls,) how often and how long it was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntersectionPart:
    """One intersection of the page."""

    anchor: str
    """Id in the page."""
    name: str
    """Name of the intersection."""
    facts: str
    """Size, in words."""
    stages: str
    """Stage diagram, SVG."""
    left_out: int
    """Stages that are only listed."""
    rows: tuple[StageRow, ...]
    """All stages."""
    timing: str
    """Signal timing diagram, SVG."""
    plan: str
    """Signal timing plan in force at begin, SVG."""
    window: str
    """Time shown in it."""
    findings: tuple[str, ...]
    """What was noticed at import."""


def intersection_parts(
    drawn: Sequence[FinishedRun],
    records: Mapping[str, Mapping[str, StateChanges]],
    net: NetFile,
    network: Network,
    begin_s: float,
    tell: Callable[[str], None],
) -> list[IntersectionPart]:
    """All intersections, in order of name.

    Parameters
    ----------
    drawn : one run of each control.
    records : control -> what its signals showed.
    begin_s : begin of the signal timing diagrams, the same for all. [s]
    """
    parts = []
    planned = _planned(drawn, network)
    for k, site in enumerate(network.intersections):
        tell(f"intersection {k + 1} of {len(network.intersections)}")
        name = str(site.intersection_id)
        silent = StateChanges([], [])
        known = [(run, records[run.control].get(name, silent)) for run in drawn]
        uses = [
            stage_use(stages_shown(site, changes, run.begin_s, run.end_s), run.begin_s, run.end_s)
            for run, changes in known
        ]
        pictured = _pictured(site, uses)
        end_s = min(begin_s + TIMING_S, drawn[0].end_s)
        blocks = [
            timing_block(run.control, site, changes, begin_s, end_s) for run, changes in known
        ]
        parts.append(
            IntersectionPart(
                anchor=f"intersection-{k}",
                name=name,
                facts=f"{site.envelope.size} signal groups, {len(site.stages)} stages",
                stages=stage_picture(
                    net, site, pictured, [_caption(s, uses) for s in pictured], f"stages{k}"
                ),
                left_out=len(site.stages) - len(pictured),
                rows=tuple(
                    StageRow(
                        name=str(stage.stage_id),
                        groups=_groups(site, index),
                        origin=_origin(site, index),
                        uses=tuple(_use(found.get(index)) for found in uses),
                    )
                    for index, stage in enumerate(site.stages)
                ),
                timing=timing_picture(
                    site, blocks, group_labels(network, k), begin_s, end_s, f"timing{k}"
                ),
                plan=plan_picture(
                    planned[k],
                    planned[k].schedule.plan_at(round(drawn[0].begin_s * 10)),
                    group_labels(network, k),
                    f"plan{k}",
                ),
                window=f"{clock(begin_s)} to {clock(end_s)}",
                findings=tuple(str(finding) for finding in site.findings),
            )
        )
    return parts


def _planned(drawn: Sequence[FinishedRun], network: Network) -> tuple[Intersection, ...]:
    """The intersections with the plans of a plan file where a run had one, else with their own."""
    for run in drawn:
        if run.control == PLAN:
            return run.network().intersections
    return network.intersections


def _pictured(site: Intersection, uses: Sequence[Mapping[int, StageUse]]) -> list[int]:
    """Stages to draw: all that may be chosen or were shown; of too many those shown longest."""

    def share(stage: int) -> float:
        return sum(found[stage].share for found in uses if stage in found)

    wanted = [k for k, stage in enumerate(site.stages) if stage.selectable or share(k)]
    longest = sorted(wanted, key=lambda k: (-share(k), not site.stages[k].delivered, k))
    return sorted(longest[:MOST_PANELS])


def _caption(stage: int, uses: Sequence[Mapping[int, StageUse]]) -> str:
    """Share of the run, for every control."""
    shares = [100 * found[stage].share if stage in found else 0.0 for found in uses]
    if not any(shares):
        return "never shown"
    return f"shown {' / '.join(_percent(share) for share in shares)} % of the time"


def _origin(site: Intersection, stage: int) -> str:
    found = site.stages[stage]
    if not found.delivered:
        return "generated"
    return "from the program" if found.selectable else "from the program, only leads on"


def _groups(site: Intersection, stage: int) -> str:
    """Green groups, the permissive in brackets."""
    found = site.stages[stage]
    names = [(group, str(site.envelope.groups[group].group_id)) for group in found.groups]
    text = " ".join(f"({name})" if g in found.permissive else name for g, name in names)
    return text or NOTHING


def _use(use: StageUse | None) -> str:
    if use is None:
        return NOTHING
    span = number(use.mean_s, 0)
    if use.longest_s > use.shortest_s:
        span += f" ({number(use.shortest_s, 0)} to {number(use.longest_s, 0)})"
    return f"{use.times} × {span} s, {_percent(100 * use.share)} %"


def _percent(share: float) -> str:
    """Whole percents; what was shown briefly is not 0."""
    return "<1" if 0 < share < 0.5 else number(share, 0)
