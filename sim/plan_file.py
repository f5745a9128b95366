"""The plan file: timing plans of many intersections as a JSON document.

Times stand in seconds with at most one decimal, times of day as hours:minutes. The document's own
schema is `schema()`, published as docs/plan-file.schema.json. Writing the same plans gives the same
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from ampelwerk.models.calendar import CalendarEntry, Weekday, clock_text
from ampelwerk.models.envelope import GroupId, IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep, Transition
from ampelwerk.models.plan_set import IntersectionPlans, PlannedStage, PlanSet

FORMAT = "ampelwerk-plans/1"
"""Layout of the document; another layout gets another number."""
SHOWN_FAULTS = 5
"""Faults of a file that are named at once."""


def _tenths(value: float) -> float:
    if abs(value * 10 - round(value * 10)) > 1e-6:
        raise ValueError("times are whole tenths of a second")
    return value


Name = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[
    float,
    Field(ge=0, le=86_400, description="Time in s, whole tenths."),
    AfterValidator(_tenths),
]


class _Part(BaseModel):
    """What all parts of the document have in common: no field that is not known."""

    model_config = ConfigDict(extra="forbid", strict=True, title=None)


class StepPart(_Part):
    """From a second of the cycle on, a stage is wanted; the transition to it begins there."""

    at_s: Seconds
    stage: Name = Field(description="Id of a stage of the intersection.")


class PlanPart(_Part):
    """A fixed-time plan."""

    id: Name
    cycle_s: Seconds = Field(gt=0, description="Cycle time.")
    offset_s: Seconds = Field(0, description="Begin of a cycle after time 0 of the clock.")
    steps: list[StepPart] = Field(min_length=1, description="By time, the first at 0.")
    transition: Literal["shortway", "add-only", "dwell"] = Field(
        "shortway",
        description="How the plan comes to its clock where it cannot take over from another at a "
        "moment at which both want the same stage: cycles are stretched or shortened, cycles are "
        "stretched, or the stage shown stays.",
    )
    max_change_s: Seconds | None = Field(
        None, description="A transition changes a cycle by no more; a fifth of it where not given."
    )


class StagePart(_Part):
    """Signal groups that are green together."""

    id: Name
    groups: list[Name] = Field(description="Green signal groups; none for all red.")
    permissive: list[Name] = Field([], description="Those that give way to another green movement.")
    turn_on_red: list[Name] = Field([], description="Groups that may turn right on red.")


class IntersectionPart(_Part):
    """One intersection."""

    id: Name
    stages: list[StagePart] = Field(min_length=1)
    plans: list[PlanPart] = Field(
        min_length=1, description="The first is in force where no calendar says otherwise."
    )


class CalendarPart(_Part):
    """From a time of day on, on some days, a plan is in force at every intersection."""

    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(min_length=1)
    at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]
    plan: Name


class PlanDocument(_Part):
    """Timing plans of many intersections."""

    schema_file: str | None = Field(
        None, alias="$schema", description="Where editors find this schema; not read."
    )
    format: Literal["ampelwerk-plans/1"]
    name: Name = Field(description="What the plans are for, such as the name of the network.")
    version: int = Field(ge=1, description="Raised with every change of the content.")
    profile: Name = Field(description="Rule profile the plans were made under, such as sumo/1.")
    intersections: list[IntersectionPart] = Field(min_length=1)
    calendar: list[CalendarPart] = []


def schema() -> dict[str, Any]:
    """JSON Schema of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PlanDocument.model_json_schema(),
        "title": "Ampelwerk timing plans",
    }


def plans_json(plan_set: PlanSet) -> bytes:
    """The document as JSON text."""
    content = {
        "format": FORMAT,
        "name": plan_set.name,
        "version": plan_set.version,
        "profile": plan_set.profile,
        "intersections": [_intersection(site) for site in plan_set.intersections],
        "calendar": [
            {"days": list(entry.days), "at": clock_text(entry.at_s), "plan": entry.plan_id}
            for entry in plan_set.calendar
        ],
    }
    return (_layout(content) + "\n").encode()


def write_plans(plan_set: PlanSet, path: Path) -> None:
    """Write a plan file."""
    path.write_bytes(plans_json(plan_set))


def is_plan_file(path: Path) -> bool:
    """The file is JSON by its first letter, so no XML; false if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(256).lstrip()[:1] == b"{"
    except OSError:
        return path.suffix == ".json"


def read_plans(path: Path) -> PlanSet:
    """Read a plan file.

    Raises
    ------
    InvalidInputError : it is missing, no plan file, or contradicts itself; says where.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            "the plan file cannot be read",
            where=str(path),
            found=error.strerror or str(error),
            remedy="name a file that `ampelwerk plan import` or `optimize` has written",
        ) from error
    return plans_from_json(text, where=str(path))


def plans_from_json(text: bytes, *, where: str) -> PlanSet:
    """The plans of a JSON text.

    Parameters
    ----------
    where : name of the source, for errors.
    """
    try:
        document = PlanDocument.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        named = [_fault(text, fault["loc"], fault["msg"]) for fault in faults[:SHOWN_FAULTS]]
        more = len(faults) - len(named)
        raise InvalidInputError(
            f"the file is no plan file of format {FORMAT}",
            where=where,
            found="; ".join(named) + (f"; and {more} more" if more > 0 else ""),
            remedy="correct it there; docs/plan-file.md describes the format",
        ) from error
    try:
        return _plan_set(document)
    except InvalidInputError as error:
        raise InvalidInputError(
            error.what,
            where=f"{where}, {error.where}" if error.where else where,
            found=error.found,
            limit=error.limit,
            remedy=error.remedy or "correct it there; docs/plan-file.md describes the format",
        ) from error


def _plan_set(document: PlanDocument) -> PlanSet:
    return PlanSet(
        name=document.name,
        version=document.version,
        profile=document.profile,
        intersections=tuple(_plans(part) for part in document.intersections),
        calendar=tuple(
            CalendarEntry(
                days=tuple(Weekday(day) for day in part.days),
                at_s=_of_day_s(part.at),
                plan_id=part.plan,
            )
            for part in document.calendar
        ),
    )


def _plans(part: IntersectionPart) -> IntersectionPlans:
    number = {stage.id: k for k, stage in enumerate(part.stages)}
    plans = []
    for plan in part.plans:
        where = f"intersection {part.id}, plan {plan.id}"
        steps = []
        for step in plan.steps:
            if step.stage not in number:
                raise InvalidInputError(
                    "the step wants a stage that the intersection does not list",
                    where=f"{where}, at {step.at_s:g} s",
                    found=step.stage,
                    limit=", ".join(number),
                    remedy="list the stage under stages, or correct the step",
                )
            steps.append(PlanStep(start_ds=_ds(step.at_s), stage=number[step.stage]))
        if plan.offset_s >= plan.cycle_s:
            raise InvalidInputError(
                "the offset is not within the cycle",
                where=where,
                found=f"{plan.offset_s:g} s",
                limit=f"less than {plan.cycle_s:g} s",
            )
        try:
            found = CyclicPlan(
                plan_id=plan.id,
                cycle_ds=_ds(plan.cycle_s),
                offset_ds=_ds(plan.offset_s),
                steps=tuple(steps),
                transition=Transition(plan.transition),
                max_change_ds=None if plan.max_change_s is None else _ds(plan.max_change_s),
            )
        except InvalidInputError as error:
            raise InvalidInputError(
                error.what,
                where=where,
                found=f"cycle {plan.cycle_s:g} s, steps at "
                + ", ".join(f"{step.at_s:g}" for step in plan.steps)
                + " s",
                limit=error.limit,
            ) from error
        plans.append(found)
    return IntersectionPlans(
        intersection_id=IntersectionId(part.id),
        stages=tuple(
            PlannedStage(
                stage_id=StageId(stage.id),
                groups=tuple(GroupId(name) for name in stage.groups),
                permissive=tuple(GroupId(name) for name in stage.permissive),
                turn_on_red=tuple(GroupId(name) for name in stage.turn_on_red),
            )
            for stage in part.stages
        ),
        plans=tuple(plans),
    )


def _intersection(site: IntersectionPlans) -> dict[str, Any]:
    return {
        "id": site.intersection_id,
        "stages": [
            {
                "id": stage.stage_id,
                "groups": list(stage.groups),
                **({"permissive": list(stage.permissive)} if stage.permissive else {}),
                **({"turn_on_red": list(stage.turn_on_red)} if stage.turn_on_red else {}),
            }
            for stage in site.stages
        ],
        "plans": [
            {
                "id": plan.plan_id,
                "cycle_s": _seconds(plan.cycle_ds),
                "offset_s": _seconds(plan.offset_ds),
                "steps": [
                    {"at_s": _seconds(step.start_ds), "stage": site.stages[step.stage].stage_id}
                    for step in plan.steps
                ],
                **_transition(plan),
            }
            for plan in site.plans
        ],
    }


def _transition(plan: CyclicPlan) -> dict[str, Any]:
    """What the plan says of transitions, where it is not what holds anyway."""
    found: dict[str, Any] = {}
    if plan.transition is not Transition.SHORTWAY:
        found["transition"] = plan.transition.value
    if plan.max_change_ds is not None:
        found["max_change_s"] = _seconds(plan.max_change_ds)
    return found


def _layout(value: Any, depth: int = 0) -> str:
    """JSON with one line for everything that is short, so that versions compare line by line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(flat) + 2 * depth <= 88:
        return flat
    space = "  " * (depth + 1)
    if isinstance(value, dict):
        rows = [f"{json.dumps(k)}: {_layout(v, depth + 1)}" for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        rows = [_layout(item, depth + 1) for item in value]
        opening, closing = "[", "]"
    inner = ",\n".join(space + row for row in rows)
    return f"{opening}\n{inner}\n{'  ' * depth}{closing}"


def _fault(text: bytes, place: Sequence[int | str], message: str) -> str:
    """A fault with its place, names beside the numbers: intersections[2] (J7).plans[0] (day)."""
    try:
        here: Any = json.loads(text)
    except ValueError:
        return message
    words = ""
    for part in place:
        try:
            here = here[part]
        except (LookupError, TypeError):
            here = None
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else str(part)
        if isinstance(part, int) and isinstance(here, dict) and isinstance(here.get("id"), str):
            words += f" ({here['id']})"
    found = "" if here is None or isinstance(here, dict | list) else f", not {json.dumps(here)}"
    return f"{words or 'the document'}: {message}{found}"


def _ds(time_s: float) -> int:
    return round(time_s * 10)


def _seconds(time_ds: int) -> float:
    """Seconds for the file: whole where they are whole."""
    return time_ds // 10 if time_ds % 10 == 0 else time_ds / 10


def _of_day_s(text: str) -> int:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return 3600 * hours + 60 * minutes + sum(seconds)
