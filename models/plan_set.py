"""Timing plans of many intersections in one document: what is computed, checked and sent.

A stage is named by its id and says which signal groups it shows, so that a plan means the same
wherever it is read, and a plan made for another network is noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ampelwerk.models.calendar import CalendarEntry, switches
from ampelwerk.models.envelope import GroupId, IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection, Stage, StageId
from ampelwerk.models.network import Network
from ampelwerk.models.plan import CyclicPlan, PlanStep


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """A stage as plans know it: by the names of its signal groups."""

    stage_id: StageId
    """Name, unique in the intersection."""
    groups: tuple[GroupId, ...]
    """Signal groups that are green."""
    permissive: tuple[GroupId, ...] = ()
    """Those of `groups` that give way to another green movement."""
    turn_on_red: tuple[GroupId, ...] = ()
    """Groups that may turn right on red after a stop."""

    def shows(self) -> tuple[frozenset[GroupId], frozenset[GroupId], frozenset[GroupId]]:
        """All that makes the stage, whatever the order and the name."""
        return frozenset(self.groups), frozenset(self.permissive), frozenset(self.turn_on_red)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntersectionPlans:
    """The plans of one intersection.

    Raises
    ------
    InvalidInputError : a name twice, no plan, a step without stage, a permissive group not green.
    """

    intersection_id: IntersectionId
    """The intersection."""
    stages: tuple[PlannedStage, ...]
    """Stages that the plans use; a step's `stage` is an index into these."""
    plans: tuple[CyclicPlan, ...]
    """Plans; the first is in force where no calendar says otherwise."""

    def __post_init__(self) -> None:
        where = f"intersection {self.intersection_id}"
        _require_once([str(stage.stage_id) for stage in self.stages], f"{where}, stages")
        _require_once([plan.plan_id for plan in self.plans], f"{where}, plans")
        if not self.plans:
            raise InvalidInputError("the intersection has no plan", where=where, limit="1 or more")
        for stage in self.stages:
            stray = set(stage.permissive) - set(stage.groups)
            if stray:
                raise InvalidInputError(
                    "a permissive group of a stage is one of its green groups",
                    where=f"{where}, stage {stage.stage_id}",
                    found=", ".join(sorted(stray)),
                )
        for plan in self.plans:
            for step in plan.steps:
                if not 0 <= step.stage < len(self.stages):
                    raise InvalidInputError(
                        "a step has no stage",
                        where=f"{where}, plan {plan.plan_id}, at {step.start_ds / 10:g} s",
                        found=f"stage number {step.stage}",
                        limit=f"0 to {len(self.stages) - 1}",
                    )

    def plan(self, plan_id: str) -> CyclicPlan | None:
        """The plan of a name."""
        return next((plan for plan in self.plans if plan.plan_id == plan_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSet:
    """Plans of many intersections, and when they are in force.

    Raises
    ------
    InvalidInputError : a name twice, or a calendar entry for a plan that an intersection lacks.
    """

    name: str
    """What it is for, such as the name of the network."""
    version: int
    """Raised with every change of the content; 1 or more."""
    profile: str
    """Rule profile that the plans were made under, such as ``sumo/1``."""
    intersections: tuple[IntersectionPlans, ...]
    """Plans by intersection."""
    calendar: tuple[CalendarEntry, ...] = ()
    """Which plan is in force when; empty: the first of each intersection, always."""

    def __post_init__(self) -> None:
        if self.version < 1:
            raise InvalidInputError(
                "the version of a plan set is a count", found=str(self.version), limit="1 or more"
            )
        _require_once([str(site.intersection_id) for site in self.intersections], "intersections")
        switches(self.calendar)
        for entry in self.calendar:
            for site in self.intersections:
                if site.plan(entry.plan_id) is None:
                    raise InvalidInputError(
                        "the calendar names a plan that an intersection does not have",
                        where=f"calendar, intersection {site.intersection_id}",
                        found=entry.plan_id,
                        limit=", ".join(plan.plan_id for plan in site.plans),
                        remedy="add the plan to the intersection, or correct the calendar",
                    )

    def site(self, intersection_id: str) -> IntersectionPlans | None:
        """The plans of an intersection."""
        return next(
            (site for site in self.intersections if site.intersection_id == intersection_id), None
        )

    def plan_names(self) -> tuple[str, ...]:
        """Names of all plans, in the order in which they first appear."""
        return tuple(
            dict.fromkeys(plan.plan_id for site in self.intersections for plan in site.plans)
        )


def _require_once(names: Sequence[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidInputError(
            "a name is used twice", where=where, found=", ".join(twice), remedy="rename one"
        )


def planned_stage(site: Intersection, stage: Stage) -> PlannedStage:
    """A stage of an intersection by the names of its groups."""
    names = [group.group_id for group in site.envelope.groups]
    return PlannedStage(
        stage_id=stage.stage_id,
        groups=tuple(names[g] for g in stage.groups),
        permissive=tuple(names[g] for g in stage.permissive),
        turn_on_red=tuple(names[g] for g in stage.turn_on_red),
    )


def plans_of(site: Intersection) -> IntersectionPlans:
    """The plans of an intersection as a document has them: with the stages they use, no others."""
    used = sorted({step.stage for plan in site.plans for step in plan.steps})
    number = {stage: k for k, stage in enumerate(used)}
    return IntersectionPlans(
        intersection_id=site.intersection_id,
        stages=tuple(planned_stage(site, site.stages[stage]) for stage in used),
        plans=tuple(renumbered(plan, number) for plan in site.plans),
    )


def plan_set_of(
    sites: Iterable[Intersection],
    *,
    name: str,
    profile: str,
    version: int = 1,
    calendar: tuple[CalendarEntry, ...] = (),
) -> PlanSet:
    """The plans of many intersections, `Intersection.plans` of each, as one document."""
    return PlanSet(
        name=name,
        version=version,
        profile=profile,
        intersections=tuple(plans_of(site) for site in sites),
        calendar=calendar,
    )


def renumbered(plan: CyclicPlan, number: dict[int, int]) -> CyclicPlan:
    """The same plan over another list of stages."""
    steps = (PlanStep(start_ds=step.start_ds, stage=number[step.stage]) for step in plan.steps)
    return replace(plan, steps=tuple(steps))


def with_plans(
    site: Intersection, planned: IntersectionPlans, calendar: tuple[CalendarEntry, ...] = ()
) -> Intersection:
    """An intersection that has the plans of a document instead of its own.

    A stage that the intersection does not know yet is added; nothing is thereby allowed that its
    envelope forbids.

    Raises
    ------
    InvalidInputError : a stage shows other groups than the intersection's stage of that name, or
        groups that it does not have: the plans were made for another network.
    """
    index = {group.group_id: g for g, group in enumerate(site.envelope.groups)}
    known = {planned_stage(site, stage).shows(): k for k, stage in enumerate(site.stages)}
    by_name = {stage.stage_id: planned_stage(site, stage) for stage in site.stages}
    stages, number = list(site.stages), dict[int, int]()
    for k, stage in enumerate(planned.stages):
        where = f"intersection {site.intersection_id}, stage {stage.stage_id}"
        missing = [g for part in stage.shows() for g in sorted(part) if g not in index]
        if missing:
            raise InvalidInputError(
                "the stage shows signal groups that the intersection does not have",
                where=where,
                found=", ".join(dict.fromkeys(missing)),
                limit=", ".join(index),
                remedy="use the plans with the network they were made for",
            )
        here = by_name.get(stage.stage_id)
        if here is not None and here.shows() != stage.shows():
            raise InvalidInputError(
                "the stage is not the one of that name in this network",
                where=where,
                found=stage_text(stage),
                limit=stage_text(here),
                remedy="use the plans with the network they were made for, or rename the stage",
            )
        if stage.shows() not in known:
            known[stage.shows()] = len(stages)
            stages.append(
                Stage(
                    stage_id=stage.stage_id,
                    groups=tuple(sorted(index[g] for g in stage.groups)),
                    permissive=tuple(sorted(index[g] for g in stage.permissive)),
                    turn_on_red=tuple(sorted(index[g] for g in stage.turn_on_red)),
                    delivered=False,
                )
            )
        number[k] = known[stage.shows()]
    plans = tuple(renumbered(plan, number) for plan in planned.plans)
    return replace(site, stages=tuple(stages), plans=plans, calendar=calendar)


def network_with_plans(network: Network, plan_set: PlanSet) -> Network:
    """A network whose intersections have the plans of a document; the others keep their own.

    Raises
    ------
    InvalidInputError : the document has an intersection that is not controlled here.
    """
    here = {site.intersection_id for site in network.intersections}
    left = {site.intersection_id: site.reason for site in network.uncontrolled}
    for planned in plan_set.intersections:
        if planned.intersection_id not in here:
            reason = left.get(planned.intersection_id)
            raise InvalidInputError(
                "the plans are for an intersection that is not controlled here",
                where=f"intersection {planned.intersection_id}",
                found=reason or "the network has no signal of that name",
                remedy="take it out, or use the plans with the network they were made for",
            )
    sites = []
    for site in network.intersections:
        own = plan_set.site(site.intersection_id)
        sites.append(with_plans(site, own, plan_set.calendar) if own else site)
    return replace(network, intersections=tuple(sites))


def stage_text(stage: PlannedStage) -> str:
    """The groups of a stage in words; permissive ones in brackets, turners on red after a stroke."""
    shown = [f"({g})" if g in stage.permissive else str(g) for g in stage.groups]
    text = " ".join(shown) or "all red"
    return f"{text} / {' '.join(stage.turn_on_red)}" if stage.turn_on_red else text
