"""A rolling schedule as a controller holds it: which stage is requested from when on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ampelwerk.models.errors import Finding, Severity, UnsafePlanError
from ampelwerk.models.intersection import Intersection
from ampelwerk.proto.v1.plan_pb2 import Plan

MOST_ENTRIES = 16
"""Entries of one schedule at most."""
LONGEST_MS = 120_000
"""A schedule lapses this long after it was decided, or earlier. [ms]"""
AHEAD_MS = 2_000
"""A decision may lie this far in the future of the controller's clock. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Stages by start."""

    version: int
    """Version of the plan it came in."""
    nonce: int
    """Names the push it came with."""
    decision_id: str
    """The decision it carries; a renewal carries the same."""
    starts_unix_ms: tuple[int, ...]
    """When each stage is requested, rising. [ms]"""
    stages: tuple[int, ...]
    """Indices into the intersection's stages."""
    valid_until_unix_ms: int
    """It lapses here. [ms]"""
    hold_greens: bool
    """Greens of a running transition wait a little."""

    def stage_at(self, unix_ms: int) -> int | None:
        """Stage requested at a time, None before the first start."""
        found = None
        for start_ms, stage in zip(self.starts_unix_ms, self.stages, strict=True):
            if start_ms > unix_ms:
                break
            found = stage
        return found


def schedule_of(
    plan: Plan, intersection: Intersection, *, envelope_hash: bytes, unix_ms: int, nonce: int
) -> Schedule:
    """The schedule in a plan, checked against the intersection it is for.

    Which stage follows which, and when it is shown, is the interlock's to say; a schedule is refused
    for what can never be meant: unknown stages, times out of order, the past, the far future.

    Raises
    ------
    UnsafePlanError : with everything that is wrong.
    """
    name = str(intersection.intersection_id)
    found: list[Finding] = []

    def add(rule: str, message: str, remedy: str = "") -> None:
        found.append(
            Finding(rule=rule, severity=Severity.ERROR, where=name, message=message, remedy=remedy)
        )

    if plan.intersection_id != name:
        add("wrong_intersection", f"The plan is for {plan.intersection_id[:256]!r}.")
    if plan.envelope_sha256 != envelope_hash:
        add("wrong_envelope", "The plan was made for another envelope.", "Load the same envelope.")
    if plan.WhichOneof("body") != "rolling":
        add("no_schedule", "The plan has no rolling schedule.")
        raise UnsafePlanError(tuple(found))
    rolling = plan.rolling
    if not rolling.decided_unix_ms < rolling.valid_until_unix_ms:
        add("validity", "The schedule lapses before it begins.")
    elif rolling.valid_until_unix_ms - rolling.decided_unix_ms > LONGEST_MS:
        add("validity", f"The schedule is valid for more than {LONGEST_MS // 1000} s.")
    if rolling.decided_unix_ms > unix_ms + AHEAD_MS:
        add("future", "The schedule was decided in the future.", "Set the clocks.")
    if min(rolling.valid_until_unix_ms, plan.not_after_unix_ms) <= unix_ms:
        add("lapsed", "The schedule has lapsed.", "Set the clocks.")
    number_of = {str(stage.stage_id): n for n, stage in enumerate(intersection.stages)}
    if not 1 <= len(rolling.entries) <= MOST_ENTRIES:
        add("entries", f"{len(rolling.entries)} entries.", f"Use 1 to {MOST_ENTRIES}.")
    for entry in rolling.entries:
        if entry.stage_id not in number_of:
            add("unknown_stage", f"No stage {entry.stage_id[:256]!r}.")
        if entry.latest_start_unix_ms < entry.earliest_start_unix_ms:
            add(
                "start_window",
                f"Stage {entry.stage_id[:256]!r} starts later than its latest start.",
            )
        if entry.earliest_start_unix_ms % 100 or entry.latest_start_unix_ms % 100:
            add("resolution", "A start is no multiple of 100 ms.")
    starts = tuple(entry.earliest_start_unix_ms for entry in rolling.entries)
    if any(a >= b for a, b in pairwise(starts)):
        add("order", "The starts do not rise.")
    if found:
        raise UnsafePlanError(tuple(found))
    return Schedule(
        version=plan.version,
        nonce=nonce,
        decision_id=plan.decision_id,
        starts_unix_ms=starts,
        stages=tuple(number_of[entry.stage_id] for entry in rolling.entries),
        valid_until_unix_ms=min(rolling.valid_until_unix_ms, plan.not_after_unix_ms),
        hold_greens=rolling.hold_greens,
    )
