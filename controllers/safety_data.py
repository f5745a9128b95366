"""Safety data of one intersection as exact bytes, named by their SHA-256.

What server and controller must agree on before a lamp is lit: the envelope (groups, conflicts,
intergreens, minima), permissive pairs, stages, fallback plans, the failure display, and how the
output is laid out. It is one line of JSON in canonical form: keys sorted, no spaces, ASCII,
whole numbers, times in deciseconds. One content has one form, so its SHA-256 is its name, and what
is not in that form is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ampelwerk.controllers.modes import Display
from ampelwerk.models.envelope import Envelope, GroupId, IntersectionId, RoadUser, SignalGroup
from ampelwerk.models.errors import Finding, InvalidInputError, Severity, UnsafePlanError
from ampelwerk.models.intersection import Intersection, Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep

FORMAT = "ampelwerk.safety-data/1"
"""Layout of the document."""
PROFILES = ("sumo", "rilsa")
"""Rule profiles that an envelope may come from."""
MOST_BYTES = 4 << 20
"""A longer document is refused unread: 64 groups and 64 stages take less than a tenth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyData:
    """What one intersection may do.

    Raises
    ------
    UnsafePlanError : with every finding, if a stage, plan or link contradicts the envelope.
    """

    intersection: Intersection
    """Envelope, stages, plans and links; of movements and findings nothing is kept."""
    failure_display: Display = Display.FLASH
    """What the lamps show after a failure."""

    def __post_init__(self) -> None:
        findings = tuple(_findings(self.intersection))
        if findings:
            raise UnsafePlanError(findings)

    @property
    def sha256(self) -> str:
        """Name of the data, in hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def canonical(self) -> bytes:
        """The exact bytes that are signed and hashed."""
        return _dump(_document(self))


def safety_data(site: Intersection, failure_display: Display = Display.FLASH) -> SafetyData:
    """The safety data in an imported intersection."""
    bare = Intersection(
        envelope=site.envelope,
        movements=(),
        sumo_link_count=site.sumo_link_count,
        sumo_link_group=site.sumo_link_group,
        sumo_link_letter=site.sumo_link_letter,
        yields=site.yields,
        stages=site.stages,
        plans=site.plans,
    )
    return SafetyData(intersection=bare, failure_display=failure_display)


def read_safety_data(content: bytes, where: str) -> SafetyData:
    """Safety data from their exact bytes.

    Parameters
    ----------
    where : file or sender, for messages.

    Raises
    ------
    InvalidInputError : not such a document, another version, or not in canonical form.
    UnsafePlanError : with every finding, if the data cannot keep traffic safe.
    """
    if len(content) > MOST_BYTES:
        raise InvalidInputError(
            "the safety data are too long",
            where=where,
            found=f"{len(content)} bytes",
            limit=f"{MOST_BYTES} bytes",
        )
    try:
        document = json.loads(content)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            found = document.get("format") if isinstance(document, dict) else "no object"
            raise InvalidInputError(
                "these are no safety data of this version",
                where=where,
                found=str(found),
                limit=FORMAT,
                remedy="build or import them again with this version of Ampelwerk",
            )
        data = _from_document(document)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInputError(
            "the safety data cannot be read",
            where=where,
            found=f"{type(error).__name__}: {error}",
            remedy="copy the file again from where it was signed",
        ) from error
    if data.canonical() != content:
        raise InvalidInputError(
            "the safety data are not in canonical form, so their hash and signature mean nothing",
            where=where,
            remedy="never edit the file; build or import it again and have it signed",
        )
    return data


def _dump(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return text.encode("ascii")


def _document(data: SafetyData) -> dict[str, Any]:
    """Plain data of the document."""
    site = data.intersection
    envelope = site.envelope
    return {
        "format": FORMAT,
        "intersection": str(envelope.intersection_id),
        "profile": envelope.profile,
        "failure_display": data.failure_display.value,
        "groups": [
            {
                "name": str(group.group_id),
                "serves": group.road_user.value,
                "min_green_ds": group.min_green_ds,
                "amber_ds": group.amber_ds,
                "red_amber_ds": group.red_amber_ds,
                "min_red_ds": group.min_red_ds,
                "max_red_ds": group.max_red_ds,
            }
            for group in envelope.groups
        ],
        "conflict": [[int(foe) for foe in row] for row in envelope.conflict],
        "intergreen_ds": [list(row) for row in envelope.intergreen_ds],
        "gives_way": [[int(yields) for yields in row] for row in site.yields],
        "stages": [
            {
                "name": str(stage.stage_id),
                "green": list(stage.groups),
                "permissive": list(stage.permissive),
                "turn_on_red": list(stage.turn_on_red),
                "delivered": int(stage.delivered),
                "selectable": int(stage.selectable),
            }
            for stage in site.stages
        ],
        "plans": [
            {
                "name": plan.plan_id,
                "cycle_ds": plan.cycle_ds,
                "offset_ds": plan.offset_ds,
                "steps": [[step.start_ds, step.stage] for step in plan.steps],
            }
            for plan in site.plans
        ],
        "links": {"groups": list(site.sumo_link_group), "letters": site.sumo_link_letter},
    }


def _from_document(document: Mapping[str, Any]) -> SafetyData:
    """Models out of the document; whatever is left out or added shows in the canonical form."""
    groups = tuple(
        SignalGroup(
            group_id=GroupId(str(group["name"])),
            road_user=RoadUser(group["serves"]),
            min_green_ds=_whole(group["min_green_ds"]),
            amber_ds=_whole(group["amber_ds"]),
            red_amber_ds=_whole(group["red_amber_ds"]),
            min_red_ds=_whole(group["min_red_ds"]),
            max_red_ds=None if group["max_red_ds"] is None else _whole(group["max_red_ds"]),
        )
        for group in _rows(document["groups"])
    )
    links = document["links"]
    site = Intersection(
        envelope=Envelope(
            intersection_id=IntersectionId(str(document["intersection"])),
            profile=str(document["profile"]),
            groups=groups,
            conflict=tuple(
                tuple(bool(_whole(foe)) for foe in row) for row in _rows(document["conflict"])
            ),
            intergreen_ds=tuple(
                tuple(None if gap is None else _whole(gap) for gap in row)
                for row in _rows(document["intergreen_ds"])
            ),
        ),
        movements=(),
        sumo_link_count=len(links["groups"]),
        sumo_link_group=_wholes(links["groups"]),
        sumo_link_letter=str(links["letters"]),
        yields=tuple(
            tuple(bool(_whole(foe)) for foe in row) for row in _rows(document["gives_way"])
        ),
        stages=tuple(
            Stage(
                stage_id=StageId(str(stage["name"])),
                groups=_wholes(stage["green"]),
                permissive=_wholes(stage["permissive"]),
                turn_on_red=_wholes(stage["turn_on_red"]),
                delivered=bool(_whole(stage["delivered"])),
                selectable=bool(_whole(stage["selectable"])),
            )
            for stage in _rows(document["stages"])
        ),
        plans=tuple(
            CyclicPlan(
                plan_id=str(plan["name"]),
                cycle_ds=_whole(plan["cycle_ds"]),
                offset_ds=_whole(plan["offset_ds"]),
                steps=tuple(
                    PlanStep(start_ds=_whole(start_ds), stage=_whole(stage))
                    for start_ds, stage in plan["steps"]
                ),
            )
            for plan in _rows(document["plans"])
        ),
    )
    return SafetyData(intersection=site, failure_display=Display(document["failure_display"]))


def _rows(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list is wanted, not {value!r:.40}")
    return value


def _wholes(value: Any) -> tuple[int, ...]:
    return tuple(_whole(item) for item in _rows(value))


def _whole(value: Any) -> int:
    """A whole number; neither true nor 5.0 is one."""
    if value.__class__ is not int:
        raise TypeError(f"a whole number is wanted, not {value!r:.40}")
    return int(value)


def _findings(site: Intersection) -> list[Finding]:
    """Everything in which stages, plans and links contradict the envelope."""
    envelope = site.envelope
    found: list[Finding] = []

    def add(rule: str, message: str, remedy: str) -> None:
        found.append(
            Finding(
                rule=rule,
                severity=Severity.ERROR,
                where=str(envelope.intersection_id),
                message=message,
                remedy=remedy,
            )
        )

    if envelope.profile.split("/")[0] not in PROFILES:
        add("profile", f"Profile {envelope.profile} is unknown.", f"Use {' or '.join(PROFILES)}.")
    if not all(str(group.group_id).strip() for group in envelope.groups):
        add("group_id", "A signal group has no name.", "Name it.")
    size = envelope.size
    if len(site.yields) != size or any(len(row) != size for row in site.yields):
        add("matrix_shape", f"The permissive matrix is not {size} by {size}.", "Complete it.")
        return found
    if len({stage.stage_id for stage in site.stages}) != len(site.stages):
        add("stage_id", "Two stages share a name.", "Name each stage once.")
    for stage in site.stages:
        _check_stage(site, stage, add)
    for plan in site.plans:
        for step in plan.steps:
            if not 0 <= step.stage < len(site.stages):
                add("plan_stage", f"Plan {plan.plan_id} names stage {step.stage}.", "Correct it.")
    if len(site.sumo_link_letter) != site.sumo_link_count or any(
        not -1 <= group < size for group in site.sumo_link_group
    ):
        add("links", "The layout of the output does not fit the groups.", "Correct it.")
    return found


def _check_stage(site: Intersection, stage: Stage, add: Any) -> None:
    """A stage's groups exist and may be green together."""
    envelope = site.envelope
    named: Sequence[int] = (*stage.groups, *stage.permissive, *stage.turn_on_red)
    if any(not 0 <= group < envelope.size for group in named):
        add("stage_group", f"Stage {stage.stage_id} names a group that is none.", "Correct it.")
        return
    if not set(stage.permissive) <= set(stage.groups):
        add(
            "stage_group",
            f"Stage {stage.stage_id}: a permissive group is not green.",
            "Correct it.",
        )
    for a in stage.groups:
        for b in stage.groups:
            if a < b and envelope.conflict[a][b]:
                pair = f"{envelope.groups[a].group_id} and {envelope.groups[b].group_id}"
                add(
                    "stage_conflict",
                    f"Stage {stage.stage_id} shows {pair} together, which conflict.",
                    "Take one of them out.",
                )
