"""One signalised intersection: its lamps, movements, stop-line lanes and stages.

Positions in the controller's output keep the simulator's word, link index, where they cross
the border; everywhere else the unit is the signal group (a lamp) or the lane (a queue).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from ampelwerk.models.calendar import CalendarEntry
from ampelwerk.models.envelope import Envelope, IntersectionId, RoadUser
from ampelwerk.models.errors import Finding
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.plan_schedule import PlanSchedule

LaneId = NewType("LaneId", str)
StageId = NewType("StageId", str)


def edge_of(lane_id: str) -> str:
    """The road a lane belongs to."""
    return lane_id.rpartition("_")[0]


class Turn(StrEnum):
    """Where a movement goes."""

    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"
    U_TURN = "u-turn"
    CROSSING = "crossing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A way through the intersection: from one stop-line lane to one exit lane."""

    sumo_link_index: int
    """Position in the state string."""
    group: int
    """Index into `Envelope.groups`; -1 if the link is not signalled (letters o, O)."""
    from_lane: LaneId
    """Lane it leaves; for pedestrians the walking area."""
    to_lane: LaneId
    """Lane it enters; for pedestrians the crossing."""
    via_lane: LaneId
    """First internal lane inside the junction."""
    turn: Turn
    """Where it goes."""
    yields_to: tuple[int, ...] = ()
    """Groups this movement gives way to when both show green (permissive)."""
    yields_to_links: tuple[int, ...] = ()
    """The same by position in the state string."""
    length_m: float = 0.0
    """Length of its path inside the junction. [m]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Signal groups that are green together (RiLSA: Phase)."""

    stage_id: StageId
    """Name, unique in the intersection."""
    groups: tuple[int, ...]
    """Indices of the green groups, rising."""
    permissive: tuple[int, ...] = ()
    """Those of `groups` that must give way to another green movement (letter g)."""
    turn_on_red: tuple[int, ...] = ()
    """Groups that may turn right on red after a stop while the stage is shown (letter s)."""
    delivered: bool = True
    """It stands in the scenario's own program; otherwise it was generated."""
    selectable: bool = True
    """A strategy may choose it; false for steps of a program that only lead to the next stage."""

    @property
    def mask(self) -> int:
        """The green groups as a bit mask, group i at bit i."""
        return sum(1 << group for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialIntersection:
    """One of several signals that stand so close that one controller runs them (RiLSA: Teilknoten)."""

    name: IntersectionId
    """Its own name."""
    links: int
    """Length of its state string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intersection:
    """Everything static that is known about one signalised intersection."""

    envelope: Envelope
    """Signal groups and the rules they keep."""
    movements: tuple[Movement, ...]
    """Movements by link index; several may share one link index."""
    sumo_link_count: int
    """Length of the state string."""
    sumo_link_group: tuple[int, ...]
    """(sumo_link_count,) signal group of each link; -1 where the letter never changes."""
    sumo_link_letter: str
    """(sumo_link_count,) letter shown where no group drives the link, else a space."""
    yields: tuple[tuple[bool, ...], ...]
    """yields[i][j]: group i gives way to group j when both are green (permissive pair)."""
    stages: tuple[Stage, ...]
    """Stages; those of the scenario's program first."""
    plans: tuple[CyclicPlan, ...]
    """Programs as plans; the first is the one in force at begin."""
    findings: tuple[Finding, ...] = ()
    """What was noticed at import."""
    parts: tuple[PartialIntersection, ...] = ()
    """Its partial intersections in order of their links; empty where it is one."""
    calendar: tuple[CalendarEntry, ...] = ()
    """Which plan is in force when; empty: the first, always."""

    @property
    def schedule(self) -> PlanSchedule:
        """Its plans under its calendar."""
        return PlanSchedule(self.plans, self.calendar, self.least_step_ds)

    @property
    def least_step_ds(self) -> tuple[int, ...]:
        """(stages,) time in which a step surely shows the minimum greens of its stage. [ds]

        Its groups wait for the longest intergreen from any group that is not green in it.
        """
        envelope = self.envelope
        return tuple(
            max(
                (
                    envelope.groups[group].min_green_ds
                    + max(
                        (row[group] or 0)
                        for other, row in enumerate(envelope.intergreen_ds)
                        if other == group or other not in stage.groups
                    )
                    for group in stage.groups
                ),
                default=0,
            )
            for stage in self.stages
        )

    @property
    def part_names(self) -> list[str]:
        """Names of its partial intersections, or its own."""
        return [str(part.name) for part in self.parts] or [str(self.intersection_id)]

    def part_of(self, movement: int) -> int:
        """Which of its partial intersections a movement belongs to; 0 where it is one."""
        ends = itertools.accumulate(part.links for part in self.parts)
        link = self.movements[movement].sumo_link_index
        return sum(end <= link for end in ends)

    def states(self, state: str) -> list[tuple[str, str]]:
        """(name, state string) of each partial intersection, or of itself."""
        if not self.parts:
            return [(str(self.intersection_id), state)]
        found, first = list[tuple[str, str]](), 0
        for part in self.parts:
            found.append((str(part.name), state[first : first + part.links]))
            first += part.links
        return found

    def without_walkers(self, stage: int) -> int | None:
        """The delivered stage that shows the same as this one but no pedestrian group at green."""
        walking = {
            g
            for g, group in enumerate(self.envelope.groups)
            if group.road_user is RoadUser.PEDESTRIAN
        }
        here = set(self.stages[stage].groups)
        if not here & walking:
            return None
        for number, other in enumerate(self.stages):
            if other.selectable and other.delivered and set(other.groups) == here - walking:
                return number
        return None

    @property
    def intersection_id(self) -> IntersectionId:
        """Name of the intersection."""
        return self.envelope.intersection_id
