"""What differs between two plan sets, in the words of a signal engineer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ampelwerk.models.calendar import CalendarEntry, clock_text
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.plan_set import IntersectionPlans, PlannedStage, PlanSet, stage_text

NOTHING = ""
"""Stands where one of the two has nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """One difference."""

    where: str
    """Element it is about, such as ``J7, plan morning``; empty for the document as a whole."""
    what: str
    """What differs, such as ``cycle time``."""
    before: str
    """In the first plan set, with unit; empty if it is not there."""
    after: str
    """In the second plan set, with unit; empty if it is not there."""

    def __str__(self) -> str:
        subject = f"{self.where}: {self.what}" if self.where else self.what
        if self.before and self.after:
            return f"{subject}: {self.before} → {self.after}"
        if self.after:
            return f"{subject}: added: {self.after}"
        return f"{subject}: removed: {self.before}"


def plan_diff(before: PlanSet, after: PlanSet) -> list[PlanChange]:
    """All differences, in the order of the documents; empty if both say the same."""
    return list(_differences(before, after))


def _differences(before: PlanSet, after: PlanSet) -> Iterator[PlanChange]:
    for what, old, new in (
        ("name", before.name, after.name),
        ("version", str(before.version), str(after.version)),
        ("profile", before.profile, after.profile),
    ):
        yield from _change("", what, old, new)
    old_sites = {site.intersection_id: site for site in before.intersections}
    new_sites = {site.intersection_id: site for site in after.intersections}
    for name in dict.fromkeys([*old_sites, *new_sites]):
        old_site, new_site = old_sites.get(name), new_sites.get(name)
        if old_site is None or new_site is None:
            yield PlanChange(
                where=f"intersection {name}",
                what="plans",
                before=_plan_names(old_site),
                after=_plan_names(new_site),
            )
        else:
            yield from _site(old_site, new_site)
    yield from _change(
        "", "calendar", _calendar_text(before.calendar), _calendar_text(after.calendar)
    )


def _change(where: str, what: str, before: str, after: str) -> Iterator[PlanChange]:
    if before != after:
        yield PlanChange(where=where, what=what, before=before, after=after)


def _plan_names(site: IntersectionPlans | None) -> str:
    return ", ".join(plan.plan_id for plan in site.plans) if site else NOTHING


def _site(before: IntersectionPlans, after: IntersectionPlans) -> Iterator[PlanChange]:
    where = f"intersection {before.intersection_id}"
    old_stages = {stage.stage_id: stage for stage in before.stages}
    new_stages = {stage.stage_id: stage for stage in after.stages}
    for stage_id in dict.fromkeys([*old_stages, *new_stages]):
        old_stage, new_stage = old_stages.get(stage_id), new_stages.get(stage_id)
        if not (old_stage and new_stage and old_stage.shows() == new_stage.shows()):
            yield from _change(
                where, f"stage {stage_id}", _stage_text(old_stage), _stage_text(new_stage)
            )
    old_plans = {plan.plan_id: plan for plan in before.plans}
    new_plans = {plan.plan_id: plan for plan in after.plans}
    for plan_id in dict.fromkeys([*old_plans, *new_plans]):
        old, new = old_plans.get(plan_id), new_plans.get(plan_id)
        if old and new:
            yield from _plan(f"{where}, plan {plan_id}", before, old, after, new)
        else:
            yield PlanChange(
                where=where,
                what=f"plan {plan_id}",
                before=_plan_text(before, old) if old else NOTHING,
                after=_plan_text(after, new) if new else NOTHING,
            )
    first = (before.plans[0].plan_id, after.plans[0].plan_id)
    if list(old_plans) != list(new_plans) and first[0] != first[1]:
        yield from _change(where, "first plan", *first)


def _plan(
    where: str,
    old_site: IntersectionPlans,
    old: CyclicPlan,
    new_site: IntersectionPlans,
    new: CyclicPlan,
) -> Iterator[PlanChange]:
    yield from _change(where, "cycle time", _time(old.cycle_ds), _time(new.cycle_ds))
    yield from _change(where, "offset", _time(old.offset_ds), _time(new.offset_ds))
    yield from _change(where, "transition", transition_text(old), transition_text(new))
    old_names, new_names = _order(old_site, old), _order(new_site, new)
    if old_names != new_names:
        yield from _change(where, "stage order", " ".join(old_names), " ".join(new_names))
        yield from _change(where, "steps", _steps_text(old_names, old), _steps_text(new_names, new))
        return
    for name, old_step, new_step in zip(old_names, spans_ds(old), spans_ds(new), strict=True):
        yield from _change(where, f"stage {name}", _span_text(*old_step), _span_text(*new_step))


def spans_ds(plan: CyclicPlan) -> list[tuple[int, int]]:
    """(start, duration) of every step of a plan. [ds]"""
    ends = [*(step.start_ds for step in plan.steps[1:]), plan.cycle_ds]
    return [
        (step.start_ds, end - step.start_ds) for step, end in zip(plan.steps, ends, strict=True)
    ]


def transition_text(plan: CyclicPlan) -> str:
    """How a plan comes to its clock."""
    if plan.max_change_ds is None:
        return plan.transition.value
    return f"{plan.transition}, {_time(plan.max_change_ds)} a cycle at most"


def _order(site: IntersectionPlans, plan: CyclicPlan) -> list[str]:
    return [str(site.stages[step.stage].stage_id) for step in plan.steps]


def _stage_text(stage: PlannedStage | None) -> str:
    return stage_text(stage) if stage else NOTHING


def _plan_text(site: IntersectionPlans, plan: CyclicPlan) -> str:
    return (
        f"cycle {_time(plan.cycle_ds)}, offset {_time(plan.offset_ds)}, "
        f"{_steps_text(_order(site, plan), plan)}"
    )


def _steps_text(names: Sequence[str], plan: CyclicPlan) -> str:
    return ", ".join(
        f"{name} at {step.start_ds / 10:g} s" for name, step in zip(names, plan.steps, strict=True)
    )


def _span_text(start_ds: int, length_ds: int) -> str:
    return f"{_time(length_ds)} from {_time(start_ds)}"


def _time(time_ds: int) -> str:
    return f"{time_ds / 10:g} s"


def _calendar_text(calendar: Sequence[CalendarEntry]) -> str:
    return "; ".join(
        f"{'+'.join(entry.days)} {clock_text(entry.at_s)} {entry.plan_id}" for entry in calendar
    )
