"""What the verification of a timing plan says: a certificate, or findings as data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import Finding, Severity


class PlanRule(StrEnum):
    """Rules that a timing plan is held against, by name."""

    CONFLICT = "CONFLICT"
    DOUBLE_PRIORITY = "DOUBLE_PRIORITY"
    INTERGREEN = "INTERGREEN"
    PEDESTRIAN_CLEARANCE = "PEDESTRIAN_CLEARANCE"
    MIN_GREEN = "MIN_GREEN"
    MAX_GREEN = "MAX_GREEN"
    MIN_RED = "MIN_RED"
    MAX_RED = "MAX_RED"
    AMBER = "AMBER"
    RED_AMBER = "RED_AMBER"
    SEQUENCE = "SEQUENCE"
    SERVICE = "SERVICE"
    CYCLE = "CYCLE"
    DELAYED = "DELAYED"
    ENVELOPE = "ENVELOPE"


_MEANING = {
    PlanRule.CONFLICT: "conflicting groups are both not red",
    PlanRule.DOUBLE_PRIORITY: "groups that meet both have priority, neither gives way",
    PlanRule.INTERGREEN: "the green of the second begins too soon after the green of the first",
    PlanRule.PEDESTRIAN_CLEARANCE: "the green of the second begins before the pedestrians of the "
    "first have cleared",
    PlanRule.MIN_GREEN: "green is too short",
    PlanRule.MAX_GREEN: "green is too long",
    PlanRule.MIN_RED: "red is too short",
    PlanRule.MAX_RED: "red is too long",
    PlanRule.AMBER: "amber has not its exact length",
    PlanRule.RED_AMBER: "red-amber has not its exact length",
    PlanRule.SEQUENCE: "an aspect follows that may not follow",
    PlanRule.SERVICE: "it is never green",
    PlanRule.CYCLE: "the cycle time is outside the profile",
    PlanRule.DELAYED: "the interlock would not show what the plan asks for",
    PlanRule.ENVELOPE: "the times of the intersection are not those of the profile",
}
_REMEDY = {
    PlanRule.CONFLICT: "take one of them out of the stage",
    PlanRule.DOUBLE_PRIORITY: "let one of them give way, or show them in different stages",
    PlanRule.INTERGREEN: "let the second begin later",
    PlanRule.PEDESTRIAN_CLEARANCE: "let the second begin later",
    PlanRule.MIN_GREEN: "let it last longer; in a plan the transition is part of the step",
    PlanRule.MAX_GREEN: "shorten its step",
    PlanRule.MIN_RED: "keep it green, or lengthen the steps between",
    PlanRule.MAX_RED: "shorten the cycle, or serve it twice",
    PlanRule.AMBER: "lengthen or shorten the state with its amber",
    PlanRule.RED_AMBER: "lengthen or shorten the state with its red-amber",
    PlanRule.SEQUENCE: "show red, red-amber, green, amber, red in this order",
    PlanRule.SERVICE: "add a stage that serves it",
    PlanRule.CYCLE: "choose another cycle time",
    PlanRule.DELAYED: "lengthen the steps",
    PlanRule.ENVELOPE: "use the profile the intersection was made under",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFinding:
    """One thing that is wrong with a plan, or that an engineer should know of it."""

    rule: PlanRule
    """Rule it is about."""
    severity: Severity
    """An error forbids the plan."""
    groups: tuple[str, ...] = ()
    """Signal groups concerned; of an intergreen the one that clears, then the one that enters."""
    stages: tuple[str, ...] = ()
    """Stages wanted at that time, where the plan has stages."""
    at_s: float | None = None
    """Where on the cycle clock. [s]"""
    limit_s: float | None = None
    """What the rule asks for. [s]"""
    found_s: float | None = None
    """What the plan has. [s]"""
    detail: str = ""
    """What else is to be said."""

    @property
    def message(self) -> str:
        """The finding in a sentence."""
        text = _MEANING[self.rule]
        if self.detail:
            text += f" ({self.detail})"
        if self.found_s is not None:
            text += f": {self.found_s:g} s"
            if self.limit_s is not None:
                text += f", allowed {self.limit_s:g} s"
        return f"{text}."

    @property
    def remedy(self) -> str:
        """What helps."""
        return _REMEDY[self.rule]

    def finding(self, where: str) -> Finding:
        """The same as other findings are, for an intersection and a plan."""
        places = [where]
        if self.groups:
            noun = "group" if len(self.groups) == 1 else "groups"
            places.append(f"{noun} {' and '.join(self.groups)}")
        if self.at_s is not None:
            places.append(f"at {self.at_s:g} s of the cycle")
        if self.stages:
            places.append(f"stage {' and '.join(self.stages)}")
        remedy = f"Remedy: {self.remedy}." if self.severity is Severity.ERROR else ""
        return Finding(
            rule=self.rule.value,
            severity=self.severity,
            where=", ".join(places),
            message=self.message,
            remedy=remedy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A plan keeps every rule of a profile at an intersection."""

    intersection_id: IntersectionId
    """The intersection."""
    plan_id: str
    """The plan."""
    profile: str
    """Rule profile and version."""
    intersection_sha256: str
    """Digest of the envelope, and of who gives way to whom."""
    plan_sha256: str
    """Digest of the plan with what its stages show."""
    ruleset_sha256: str
    """Digest of the profile's times and limits."""
    verifier: int
    """Version of the verification."""
    checks: tuple[PlanRule, ...]
    """Rules that were checked."""
    warnings: tuple[PlanFinding, ...]
    """What an engineer should know; no error among them."""


def digest(content: Any) -> str:
    """SHA-256 of plain data, or of a dataclass, as canonical JSON."""
    plain = asdict(content) if hasattr(content, "__dataclass_fields__") else content
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
