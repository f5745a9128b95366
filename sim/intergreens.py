"""Intergreens of two streams after RiLSA, every value with what it was computed from.

t_z = t_u + t_r - t_e, with t_r = (s_0 + l) / v_r for the clearing and t_e = s_e / v_e for the
entering stream, rounded up to whole seconds and never below 0 (FGSV, Richtlinien für
Lichtsignalanlagen, 2015). s_0 and s_e run from the stop line to the conflict point along the lane
centres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.profile import ClearingClass, RilsaProfile
from ampelwerk.sim.conflict_points import closest_approach_m, crossings_m, stretch_m
from ampelwerk.sim.net_file import NetConnection, Point

WIDTH_TOLERANCE_M = 0.1
"""Paths side by side, a lane width apart but for this, do not conflict. [m]"""


def intergreen_s(
    crossing_s: float,
    clearing_m: float,
    length_m: float,
    clearing_mps: float,
    entering_m: float,
    entering_mps: float,
) -> int:
    """Intergreen of one clearing and one entering stream. [s]

    Parameters
    ----------
    crossing_s : time driven on after the end of green (Überfahrzeit t_u). [s]
    clearing_m : stop line to conflict point of the clearing stream (s_0). [m]
    length_m : vehicle length (l). [m]
    clearing_mps : clearing speed (v_r). [m/s]
    entering_m : stop line to conflict point of the entering stream (s_e). [m]
    entering_mps : entering speed (v_e); infinite where the entering time is 0. [m/s]

    References
    ----------
    FGSV (2015), Richtlinien für Lichtsignalanlagen, intergreen times.
    """
    clearing_s = (clearing_m + length_m) / clearing_mps
    wanted_s = crossing_s + clearing_s - entering_m / entering_mps
    return max(0, math.ceil(wanted_s - 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One connection of a signal group, with its path."""

    connection: NetConnection
    user: RoadUser
    path: tuple[Point, ...]
    width_m: float
    """Width of its lane, or of the crossing. [m]"""
    speed_mps: float
    """Permitted speed. [m/s]"""

    @property
    def length_m(self) -> float:
        """Length of the path. [m]"""
        return sum(math.dist(a, b) for a, b in pairwise(self.path))

    @property
    def radius_m(self) -> float:
        """Length of the path by its change of heading; infinite if straight. [m]"""
        if len(self.path) < 3:
            return math.inf
        headings = [math.atan2(y2 - y1, x2 - x1) for (x1, y1), (x2, y2) in pairwise(self.path)]
        turned = abs((headings[-1] - headings[0] + math.pi) % (2 * math.pi) - math.pi)
        return self.length_m / turned if turned > 1e-3 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class IntergreenTrace:
    """The intergreen of one clearing and one entering stream, with all that went into it."""

    clearing_link: int
    """Link index of the clearing stream."""
    entering_link: int
    """Link index of the entering stream."""
    clearing_way: str
    """From lane to lane."""
    entering_way: str
    """From lane to lane."""
    clearing_kind: str
    """Class of road user and manoeuvre."""
    entering_kind: str
    """Class of road user."""
    met: bool
    """The paths meet; else the distances are to where they come closest."""
    crossing_s: float
    """t_u, time driven on after the end of green. [s]"""
    clearing_m: float
    """s_0, stop line to conflict point of the clearing stream. [m]"""
    length_m: float
    """l, length of its vehicle. [m]"""
    clearing_mps: float
    """v_r, its speed. [m/s]"""
    entering_m: float
    """s_e, stop line to conflict point of the entering stream. [m]"""
    entering_mps: float | None
    """v_e, its speed; None where the entering time is 0. [m/s]"""

    @property
    def clearing_s(self) -> float:
        """t_r, clearing time. [s]"""
        return (self.clearing_m + self.length_m) / self.clearing_mps

    @property
    def entering_s(self) -> float:
        """t_e, entering time. [s]"""
        return 0.0 if self.entering_mps is None else self.entering_m / self.entering_mps

    @property
    def exact_s(self) -> float:
        """t_z before it is rounded up. [s]"""
        return self.crossing_s + self.clearing_s - self.entering_s

    @property
    def result_s(self) -> int:
        """The intergreen. [s]"""
        return intergreen_s(
            self.crossing_s,
            self.clearing_m,
            self.length_m,
            self.clearing_mps,
            self.entering_m,
            math.inf if self.entering_mps is None else self.entering_mps,
        )


def clearing_class(stream: Stream, profile: RilsaProfile) -> ClearingClass:
    """How a stream clears."""
    if stream.user is RoadUser.PEDESTRIAN:
        return profile.pedestrian
    if stream.user is RoadUser.CYCLIST:
        return profile.cyclist
    if stream.user is RoadUser.TRAM:
        return ClearingClass(
            crossing_s=profile.tram.crossing_s,
            clearing_mps=max(stream.speed_mps, 1.0),
            length_m=profile.tram.length_m,
        )
    if stream.connection.direction == "s":
        return profile.motor_straight
    tight = stream.radius_m < profile.tight_radius_m
    return profile.motor_tight if tight else profile.motor_turning


def _entering_mps(stream: Stream, profile: RilsaProfile) -> float:
    if stream.user is RoadUser.PEDESTRIAN:
        return math.inf
    if stream.user is RoadUser.CYCLIST:
        return profile.cyclist_entering_mps
    return profile.motor_entering_mps


def intergreen_traces(
    clearing: Sequence[Stream], entering: Sequence[Stream], profile: RilsaProfile
) -> list[IntergreenTrace]:
    """Intergreens of all pairs of streams that decide on the intergreen of two groups.

    Streams that keep clear of each other, such as a right turn and the oncoming right turn, say
    nothing; where no streams meet at all, all count with where they come closest.
    """
    pairs = [(a, b) for a in clearing for b in entering if len(a.path) > 1 and len(b.path) > 1]
    places = [(a, b, conflict_distances_m(a, b)) for a, b in pairs]
    met = [_trace(a, b, where, profile, met=True) for a, b, where in places if where is not None]
    if met:
        return met
    return [_trace(a, b, closest_approach_m(a.path, b.path), profile, met=False) for a, b in pairs]


def _trace(
    clearing: Stream,
    entering: Stream,
    where: tuple[float, float],
    profile: RilsaProfile,
    *,
    met: bool,
) -> IntergreenTrace:
    how = clearing_class(clearing, profile)
    entering_mps = _entering_mps(entering, profile)
    return IntergreenTrace(
        clearing_link=clearing.connection.link_index,
        entering_link=entering.connection.link_index,
        clearing_way=f"{clearing.connection.from_lane} to {clearing.connection.to_lane}",
        entering_way=f"{entering.connection.from_lane} to {entering.connection.to_lane}",
        clearing_kind=_kind(clearing, profile),
        entering_kind=entering.user.value,
        met=met,
        crossing_s=how.crossing_s,
        clearing_m=where[0],
        length_m=how.length_m,
        clearing_mps=how.clearing_mps,
        entering_m=where[1],
        entering_mps=None if math.isinf(entering_mps) else entering_mps,
    )


def _kind(stream: Stream, profile: RilsaProfile) -> str:
    """Class of a clearing stream in words."""
    if stream.user in (RoadUser.PEDESTRIAN, RoadUser.CYCLIST, RoadUser.TRAM):
        return stream.user.value
    if stream.connection.direction == "s":
        return f"{stream.user.value}, straight"
    radius = "under" if stream.radius_m < profile.tight_radius_m else "of at least"
    return f"{stream.user.value}, turning on a radius {radius} {profile.tight_radius_m:g} m"


def conflict_distances_m(clearing: Stream, entering: Stream) -> tuple[float, float] | None:
    """s_0 and s_e: the furthest conflict point to clear, the nearest to enter. [m]

    None if the paths do not cross and stay as far apart as the lanes are wide.
    """
    if RoadUser.PEDESTRIAN in (clearing.user, entering.user):
        return _crossing_distances_m(clearing, entering)
    points = crossings_m(clearing.path, entering.path)
    if not points:
        beside_m = (clearing.width_m + entering.width_m) / 2 - WIDTH_TOLERANCE_M
        if stretch_m(clearing.path, entering.path, beside_m) is None:
            return None
        points = [closest_approach_m(clearing.path, entering.path)]
    return max(first for first, _ in points), min(second for _, second in points)


def _crossing_distances_m(clearing: Stream, entering: Stream) -> tuple[float, float] | None:
    """Likewise where one of the two is a crossing: edges of lane and crossing instead of centres."""
    to_clear = stretch_m(clearing.path, entering.path, entering.width_m / 2)
    to_enter = stretch_m(entering.path, clearing.path, clearing.width_m / 2)
    if to_clear is None or to_enter is None:
        return None
    far_m = to_clear[1]
    if clearing.user is RoadUser.PEDESTRIAN:  # they may walk either way
        far_m = max(far_m, clearing.length_m - to_clear[0])
    return far_m, to_enter[0]
