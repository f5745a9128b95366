"""The street network as control sees it: stop-line lanes, approaches, exits and their loops.

All references between the parts are indices into the tuples of `Network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from ampelwerk.models.detection import Loop
from ampelwerk.models.envelope import IntersectionId, RoadUser
from ampelwerk.models.intersection import Intersection, LaneId

EdgeId = NewType("EdgeId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLane:
    """A lane that ends at a signal: the unit of queueing."""

    lane_id: LaneId
    """The lane."""
    intersection: int
    """Index into `Network.intersections`."""
    approach: int
    """Index into `Network.approaches`."""
    movements: tuple[int, ...]
    """Indices into the intersection's movements that leave this lane."""
    road_user: RoadUser
    """Whom the lane is for: MOTOR unless it is kept for trams, buses or cyclists alone."""
    length_m: float
    """Length of road that can only queue here, upstream along the chain of lanes. [m]"""
    reach_m: float
    """Length of the longest queue that is looked for, on roads shared with other lanes too. [m]"""
    speed_mps: float
    """Speed limit. [m/s]"""
    stop_loops: tuple[int, ...]
    """Loops at the stop line; several where the lane is too short to carry one itself."""
    advance_loops: tuple[int, ...]
    """Loops ahead of the stop line that only this lane's vehicles cross."""
    advance_m: float
    """Distance of the advance loops' upstream edge from the stop line, 0 without any. [m]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """The lanes of one road that reach a signal together; they share upstream loops."""

    edge_id: EdgeId
    """Edge whose lanes end at the signal."""
    intersection: int
    """Index into `Network.intersections`."""
    lanes: tuple[int, ...]
    """Indices into `Network.lanes`."""
    upstream_loops: tuple[int, ...]
    """Loops further up; a vehicle passes one of them, then spreads over the lanes."""
    upstream_m: tuple[float, ...]
    """Distance of each upstream loop's upstream edge from the stop line. [m]"""
    upstream_lanes: tuple[tuple[int, ...], ...]
    """Indices into `Network.lanes` of those that lie straight ahead of each upstream loop."""
    bearing_deg: float
    """Direction of travel at the stop line, clockwise from north. [deg]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitLane:
    """A lane that movements of a signal enter."""

    lane_id: LaneId
    """The lane."""
    intersection: int
    """Index into `Network.intersections`."""
    movements: tuple[int, ...]
    """Indices into the intersection's movements that enter it."""
    exit_loops: tuple[int, ...]
    """Loops just after the junction."""
    length_m: float
    """Length down to the next junction that is not a mere continuation. [m]"""
    leads_to: tuple[int, ...]
    """Stop-line lanes of the next signal that it feeds, if the road goes to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A signalised pedestrian crossing."""

    intersection: int
    """Index into `Network.intersections`."""
    group: int
    """Index into the intersection's signal groups."""
    length_m: float
    """Length of the crossing, kerb to kerb. [m]"""
    call_loops: tuple[int, ...]
    """Push buttons, modelled as loops that see pedestrians; empty where none could be placed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncontrolled:
    """A signal that is left to the simulator."""

    intersection_id: IntersectionId
    """Name of the signal."""
    reason: str
    """Why it cannot be controlled, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """All signalised intersections of a scenario and the roads between them."""

    intersections: tuple[Intersection, ...]
    """Intersections that Ampelwerk controls, by name."""
    approaches: tuple[Approach, ...]
    """Roads to the signals."""
    lanes: tuple[StopLane, ...]
    """Stop-line lanes, those of one intersection side by side and in order of intersection."""
    exits: tuple[ExitLane, ...]
    """Lanes out of the signals, in order of intersection."""
    crossings: tuple[Crossing, ...]
    """Signalised pedestrian crossings."""
    loops: tuple[Loop, ...]
    """All loops that control reads."""
    uncontrolled: tuple[Uncontrolled, ...]
    """Signals left to the simulator, with the reason."""

    def loops_of(self, intersection: int) -> tuple[int, ...]:
        """Indices of the loops that one intersection reads, rising."""
        found: set[int] = set()
        for lane in self.lanes:
            if lane.intersection == intersection:
                found.update(lane.stop_loops, lane.advance_loops)
        for approach in self.approaches:
            if approach.intersection == intersection:
                found.update(approach.upstream_loops)
        for exit_lane in self.exits:
            if exit_lane.intersection == intersection:
                found.update(exit_lane.exit_loops)
        for crossing in self.crossings:
            if crossing.intersection == intersection:
                found.update(crossing.call_loops)
        return tuple(sorted(found))
