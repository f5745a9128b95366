"""What was decided at one intersection at or last before a moment, and why.

Everything comes from the run's directory: decisions.csv, model.json and signals.csv. Until its
first decision, and under `fixed` throughout, an intersection follows its plan.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass
from difflib import get_close_matches

from ampelwerk.controllers.ladder import Level
from ampelwerk.models.envelope import Aspect
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network
from ampelwerk.sim.controls import NATIVE, controlled_network
from ampelwerk.sim.decisions import (
    Decision,
    WantedStages,
    by_intersection,
    read_decisions,
    wanted_stages,
)
from ampelwerk.sim.group_service import GroupService, group_services
from ampelwerk.sim.report.signal_record import aspect_of, group_links, read_signals
from ampelwerk.sim.run_directory import DECISIONS, LEVELS, SIGNALS, RunDirectory

GAP_UNIT = {
    "rolling-horizon": "vehicle-seconds of waiting",
    "priority-index": "vehicles per second",
    "max-pressure": "pressure",
}
"""What a control compares stages by; others follow rules and compare nothing."""
_NAMED = 8
"""Intersections that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStage:
    """A stage and what it serves."""

    stage: str
    """Its name."""
    green: tuple[GroupService, ...]
    """Groups at green."""
    permissive: tuple[str, ...]
    """Those of them that give way."""
    since_s: float | None = None
    """When it was asked for. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDecision:
    """What came afterwards."""

    time_s: float
    """When. [s]"""
    stage: str
    """Stage asked for."""
    by_plan: bool
    """By the plan, not by a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamps:
    """What the signal groups showed."""

    state: str
    """State string, one letter per link."""
    green: tuple[str, ...]
    """Groups at green."""
    amber: tuple[str, ...]
    """Groups at amber."""
    red_amber: tuple[str, ...]
    """Groups at red-amber."""
    red: tuple[str, ...]
    """Groups at red."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What a controller followed instead of the decisions."""

    level: str
    """Level of its ladder."""
    since_s: float
    """Since when. [s]"""
    cause: str
    """Why not a better one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision with its reasons."""

    intersection: str
    """Name of the intersection."""
    at_s: float
    """The moment asked about. [s]"""
    scenario: str
    """Name of the scenario."""
    control: str
    """Kind of control."""
    replayed: bool
    """The decisions are those of a replay."""
    plan: str
    """Name of the plan that was followed, empty if the control had decided."""
    decided_s: float
    """When the stage was asked for. [s]"""
    before: ShownStage | None
    """Stage asked for until then; None at begin."""
    chosen: ShownStage
    """Stage asked for."""
    reason: str
    """Why, in the control's words; empty on plan."""
    next_best: ShownStage | None
    """Stage that was next best, None without."""
    gap: float | None
    """By how much the chosen stage was better; None without a next best."""
    gap_unit: str | None
    """Unit of the gap; None where nothing is compared."""
    binding: str
    """Rule or limit without which the choice would have been another; empty if none."""
    lamps: Lamps
    """What the lamps showed at the moment asked about."""
    next: NextDecision | None
    """What came next, None if nothing did until the end."""
    followed: Followed | None = None
    """What the controller followed at that moment, None if what was decided."""


def explain(run: RunDirectory, intersection: str, at_s: float) -> Explanation:
    """Explain what was in force at an intersection.

    Raises
    ------
    InvalidInputError : no such intersection, a time outside the run, or nothing was decided.
    """
    _refuse_native(run)
    network = controlled_network(run.control, run.network(), separate=run.separate_signals)
    number = _intersection(network, intersection, run)
    _require_within(run, at_s)
    site = network.intersections[number]
    decisions = by_intersection(read_decisions(run.file(DECISIONS), network), network)[number]
    wanted = wanted_stages(site, decisions, run.begin_s, run.end_s)
    position = max(0, bisect_right(wanted.times_s, at_s) - 1)
    planned = len(wanted.times_s) - len(decisions)
    decision = decisions[position - planned] if position >= planned else None
    words = _StageWords(network, number, wanted)
    next_best, gap, reason, binding = None, None, "", ""
    if decision is not None:
        next_best, gap = _next_best(decision, words)
        reason, binding = decision.wish.reason, decision.wish.binding
    return Explanation(
        intersection=str(site.intersection_id),
        at_s=at_s,
        scenario=run.scenario,
        control=run.control,
        replayed=run.is_replay,
        plan="" if decision else site.schedule.plan_at(round(at_s * 10)).plan_id,
        decided_s=wanted.times_s[position],
        before=words.at(position - 1) if position else None,
        chosen=words.at(position),
        reason=reason,
        next_best=next_best,
        gap=gap,
        gap_unit=None if gap is None else GAP_UNIT.get(run.control),
        binding=binding,
        lamps=_lamps(run, site, at_s),
        next=_next(site, wanted, position + 1, planned),
        followed=_followed(run, str(site.intersection_id), at_s),
    )


def _next_best(decision: Decision, words: _StageWords) -> tuple[ShownStage | None, float | None]:
    """Runner-up and gap; a gap to nothing, or to the choice itself, means nothing."""
    wish = decision.wish
    if wish.runner_up is None or wish.runner_up == wish.stage:
        return None, None
    return words.of(wish.runner_up), wish.gap


def _next(
    site: Intersection, wanted: WantedStages, position: int, planned: int
) -> NextDecision | None:
    if position >= len(wanted.times_s):
        return None
    return NextDecision(
        time_s=wanted.times_s[position],
        stage=str(site.stages[wanted.stages[position]].stage_id),
        by_plan=position < planned,
    )


class _StageWords:
    """Stages of one intersection in words."""

    def __init__(self, network: Network, intersection: int, wanted: WantedStages) -> None:
        self._site, self._wanted = network.intersections[intersection], wanted
        self._services = group_services(network, intersection)

    def of(self, number: int, since_s: float | None = None) -> ShownStage:
        """A stage by its number."""
        stage = self._site.stages[number]
        return ShownStage(
            stage=str(stage.stage_id),
            green=tuple(self._services[group] for group in stage.groups),
            permissive=tuple(self._services[group].group for group in stage.permissive),
            since_s=since_s,
        )

    def at(self, position: int) -> ShownStage:
        """A stage by its place among those wanted in the run."""
        return self.of(self._wanted.stages[position], self._wanted.times_s[position])


def _followed(run: RunDirectory, name: str, at_s: float) -> Followed | None:
    """What a controller at the other end of a line followed, if not the server."""
    path = run.directory / LEVELS
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["intersection"] == name]
    begun = [row for row in rows if float(row["time"]) <= at_s]
    if not begun or begun[-1]["level"] == Level.ADAPTIVE.name:
        return None
    last = begun[-1]
    return Followed(level=last["level"], since_s=float(last["time"]), cause=last["cause"])


def _lamps(run: RunDirectory, site: Intersection, at_s: float) -> Lamps:
    """Aspects from signals.csv."""
    path = run.file(SIGNALS)
    changes = read_signals(path)
    names_of_parts = site.part_names
    missing = [name for name in names_of_parts if name not in changes]
    if missing:
        raise InvalidInputError(
            "the record of the signals does not have the intersection",
            where=str(path),
            found=f"nothing of {', '.join(missing)}",
            remedy="run it again",
        )
    state = "".join(changes[name].at(at_s) for name in names_of_parts)
    names: dict[Aspect, list[str]] = {aspect: [] for aspect in Aspect}
    for number, group in enumerate(site.envelope.groups):
        aspect = aspect_of(state, group_links(site, number))
        if aspect is not None:
            names[aspect].append(str(group.group_id))
    return Lamps(
        state=state,
        green=tuple(names[Aspect.GREEN]),
        amber=tuple(names[Aspect.AMBER]),
        red_amber=tuple(names[Aspect.RED_AMBER]),
        red=tuple(names[Aspect.RED]),
    )


def _refuse_native(run: RunDirectory) -> None:
    if run.control == NATIVE:
        raise InvalidInputError(
            "native is SUMO's own program: Ampelwerk decided nothing in this run",
            where=str(run.directory),
            found="control native",
            limit="a run under any other control",
            remedy="run `ampelwerk simulate` with another --control",
        )


def _require_within(run: RunDirectory, at_s: float) -> None:
    if not run.begin_s <= at_s <= run.end_s:
        raise InvalidInputError(
            "the time is outside the run",
            where="--at",
            found=f"{at_s:.15g} s",
            limit=f"{run.begin_s:.15g} to {run.end_s:.15g} s",
            remedy="choose a time of the simulation; it need not begin at 0",
        )


def _intersection(network: Network, name: str, run: RunDirectory) -> int:
    """Index of an intersection by its name, or that of one of its partial intersections."""
    names = [str(site.intersection_id) for site in network.intersections]
    if name in names:
        return names.index(name)
    for number, site in enumerate(network.intersections):
        if name in site.part_names:
            return number
    for left in network.uncontrolled:
        if str(left.intersection_id) == name:
            raise InvalidInputError(
                "the intersection was left to SUMO, so Ampelwerk decided nothing there",
                where="--intersection",
                found=f"{name}: {left.reason}",
                limit=_some(names),
            )
    lower = {known.lower(): known for known in names}
    near = [lower[found] for found in get_close_matches(name.lower(), lower, n=3, cutoff=0.4)]
    near += [known for known in names if name.lower() in known.lower() and known not in near][:3]
    raise InvalidInputError(
        f"{run.scenario} has no such intersection",
        where="--intersection",
        found=name,
        limit=_some(names),
        remedy=f"did you mean {' or '.join(near[:3])}?" if near else "choose one of these",
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none: all signals were left to SUMO") + more
