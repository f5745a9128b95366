"""The envelope: the safety data of one intersection, within which every plan chooses.

Times are integer deciseconds. The matrices are square, ordered like `Envelope.groups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType

from ampelwerk.models.errors import Finding, Severity, UnsafePlanError

IntersectionId = NewType("IntersectionId", str)
GroupId = NewType("GroupId", str)

MAX_GROUPS = 64
"""Most signal groups of one intersection: requests travel as one 64-bit mask."""


class Aspect(IntEnum):
    """What a signal group shows."""

    RED = 0
    RED_AMBER = 1
    GREEN = 2
    AMBER = 3


class RoadUser(StrEnum):
    """Whom a signal group serves."""

    MOTOR = "motor"
    PEDESTRIAN = "pedestrian"
    CYCLIST = "cyclist"
    TRAM = "tram"
    BUS = "bus"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalGroup:
    """Lamps that always show the same aspect, with the times they must keep."""

    group_id: GroupId
    """Name, unique in the intersection."""
    road_user: RoadUser
    """Whom it serves."""
    min_green_ds: int
    """Minimum green. [ds]"""
    amber_ds: int
    """Amber after green, exact. [ds]"""
    red_amber_ds: int
    """Red-amber before green, exact. [ds]"""
    min_red_ds: int
    """Minimum red. [ds]"""
    max_red_ds: int | None = None
    """Red after which an alarm is raised, None for no limit. [ds]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Signal groups, conflicts and intergreens of one intersection.

    Raises
    ------
    UnsafePlanError : with every finding, when the data cannot keep traffic safe.
    """

    intersection_id: IntersectionId
    """The intersection."""
    profile: str
    """Label of the rule profile the times come from, such as ``sumo/1``."""
    groups: tuple[SignalGroup, ...]
    """Signal groups, at most `MAX_GROUPS`."""
    conflict: tuple[tuple[bool, ...], ...]
    """conflict[i][j]: i and j may never both be other than RED. Symmetric, false on the diagonal."""
    intergreen_ds: tuple[tuple[int | None, ...], ...]
    """intergreen_ds[i][j]: end of green of i to start of green of j; None where no conflict. [ds]"""

    def __post_init__(self) -> None:
        findings = tuple(_envelope_findings(self))
        if findings:
            raise UnsafePlanError(findings)

    @property
    def size(self) -> int:
        """Number of signal groups."""
        return len(self.groups)


def _envelope_findings(envelope: Envelope) -> list[Finding]:
    """Everything that makes an envelope unusable, all at once."""
    found: list[Finding] = []
    size, name = envelope.size, str(envelope.intersection_id)

    def add(rule: str, message: str, remedy: str) -> None:
        found.append(
            Finding(rule=rule, severity=Severity.ERROR, where=name, message=message, remedy=remedy)
        )

    if not 1 <= size <= MAX_GROUPS:
        add("group_count", f"{size} signal groups.", f"Use 1 to {MAX_GROUPS}.")
    if len({group.group_id for group in envelope.groups}) != size:
        add("group_id", "Two signal groups share a name.", "Name each signal group once.")
    for matrix, label in ((envelope.conflict, "conflict"), (envelope.intergreen_ds, "intergreen")):
        if len(matrix) != size or any(len(row) != size for row in matrix):
            add("matrix_shape", f"The {label} matrix is not {size} by {size}.", "Complete it.")
            return found
    for group in envelope.groups:
        times = (group.min_green_ds, group.amber_ds, group.red_amber_ds, group.min_red_ds)
        if min(times) < 0 or (group.max_red_ds is not None and group.max_red_ds <= 0):
            add("negative_time", f"Group {group.group_id} has a negative time.", "Correct it.")
    for i in range(size):
        if envelope.conflict[i][i]:
            add("self_conflict", f"Group {i} conflicts with itself.", "Clear the diagonal.")
        for j in range(size):
            gap = envelope.intergreen_ds[i][j]
            pair = f"{envelope.groups[i].group_id} to {envelope.groups[j].group_id}"
            if envelope.conflict[i][j] != envelope.conflict[j][i]:
                add("conflict_asymmetric", f"{pair}: conflict in one direction.", "Set both.")
            if envelope.conflict[i][j] and gap is None:
                add("intergreen_missing", f"{pair}: no intergreen.", "Missing is not zero: set it.")
            if gap is not None and gap < 0:
                add("negative_time", f"{pair}: negative intergreen.", "Correct it.")
    return found
