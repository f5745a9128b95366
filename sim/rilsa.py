"""Envelopes under the `rilsa` profile: times from geometry, as a German signal engineer reckons.

Intergreen of two streams: t_z = t_u + t_r - t_e, with t_r = (s_0 + l) / v_r for the clearing and
t_e = s_e / v_e for the entering stream, rounded up to whole seconds and never below 0 (FGSV,
Richtlinien für Lichtsignalanlagen, 2015). s_0 and s_e run from the stop line to the conflict point
along the lane centres. A pair of groups takes the maximum over its pairs of streams.

A SUMO lane ends where vehicles wait, which is further down than many real stop lines: envelopes for
the field need surveyed distances.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ampelwerk.models.envelope import Envelope, GroupId, IntersectionId, RoadUser, SignalGroup
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import ClearingClass, RilsaProfile
from ampelwerk.sim.conflicts import path_of
from ampelwerk.sim.net_file import NetConnection, NetFile, Point

SPEED_TOLERANCE_MPS = 0.2
"""Speed limits in nets are rounded. [m/s]"""
LANE_WIDTH_M = 3.2
"""Width of a lane that the net gives none. [m]"""
CROSSING_WIDTH_M = 4.0
"""Width of a crossing that the net gives none. [m]"""
WIDTH_TOLERANCE_M = 0.1
"""Paths side by side, a lane width apart but for this, do not conflict. [m]"""
Note = Callable[[str, str, str, str], None]
"""Takes a finding."""


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


def rilsa_envelope(
    net: NetFile,
    name: str,
    links_of_groups: Sequence[Sequence[NetConnection]],
    names: Sequence[GroupId],
    users: Sequence[RoadUser],
    conflict: Sequence[Sequence[bool]],
    profile: RilsaProfile,
    note: Note = lambda rule, where, message, remedy: None,
) -> Envelope:
    """Envelope of one signal from the geometry of the net.

    Parameters
    ----------
    links_of_groups : connections of each signal group.
    names, users : name and road user of each group.
    conflict : (groups, groups) pairs that are never green together.
    note : takes a finding: rule, where, message, remedy.

    Raises
    ------
    InvalidInputError : a lane is faster than the profile has an amber for.
    """
    streams = [
        [_stream(net, connection, user) for connection in links]
        for links, user in zip(links_of_groups, users, strict=True)
    ]
    groups = tuple(_group(name, names[g], users[g], streams[g], profile) for g in range(len(names)))
    size = len(groups)
    gaps: list[list[int | None]] = [[None] * size for _ in range(size)]
    for a in range(size):
        for b in range(size):
            if conflict[a][b]:
                table_s, met = _table_s(streams[a], streams[b], profile)
                if not met and a < b:
                    note(
                        "no_conflict_point",
                        f"groups {names[a]} and {names[b]}",
                        "their paths do not meet; the intergreen is for where they come closest.",
                        "",
                    )
                # Rule CONFLICT: amber and red-amber never overlap.
                least_ds = groups[a].amber_ds + groups[b].red_amber_ds
                gaps[a][b] = max(10 * table_s, least_ds)
    return Envelope(
        intersection_id=IntersectionId(name),
        profile=profile.label,
        groups=groups,
        conflict=tuple(tuple(row) for row in conflict),
        intergreen_ds=tuple(tuple(row) for row in gaps),
    )


def _stream(net: NetFile, connection: NetConnection, user: RoadUser) -> Stream:
    walks = user is RoadUser.PEDESTRIAN and not net.is_road(connection.from_lane)
    lane = net.lanes.get(connection.to_lane if walks else connection.from_lane)
    usual_m = CROSSING_WIDTH_M if walks else LANE_WIDTH_M
    return Stream(
        connection=connection,
        user=user,
        path=path_of(net, connection),
        width_m=lane.width_m if lane and lane.width_m > 0 else usual_m,
        speed_mps=lane.speed_mps if lane else 50 / 3.6,
    )


def _group(
    name: str,
    group_id: GroupId,
    user: RoadUser,
    streams: Sequence[Stream],
    profile: RilsaProfile,
) -> SignalGroup:
    """Times of one signal group."""
    min_green_s, amber_s, red_amber_s = profile.min_green_s, 0, 0
    if user is RoadUser.PEDESTRIAN:
        longest_m = max((stream.length_m for stream in streams), default=0.0)
        half_s = math.ceil(0.5 * longest_m / profile.walking_mps - 1e-9)
        min_green_s = max(profile.min_green_s, half_s)
    else:
        red_amber_s = profile.red_amber_s
        amber_s = (
            profile.cyclist_amber_s
            if user is RoadUser.CYCLIST
            else max(_amber_s(name, stream, streams, profile) for stream in streams)
        )
    return SignalGroup(
        group_id=group_id,
        road_user=user,
        min_green_ds=10 * min_green_s,
        amber_ds=10 * amber_s,
        red_amber_ds=10 * red_amber_s,
        min_red_ds=10 * profile.min_red_s,
        max_red_ds=10 * profile.max_red_s,
    )


def _amber_s(name: str, stream: Stream, streams: Sequence[Stream], profile: RilsaProfile) -> int:
    """Amber by the speed limit of the approach (VwV-StVO to § 37). [s]"""
    turns = all(other.connection.direction != "s" for other in streams)
    for limit_mps, amber_s in profile.amber_s:
        if stream.speed_mps <= limit_mps + SPEED_TOLERANCE_MPS:
            return profile.turning_amber_s if turns else amber_s
    raise InvalidInputError(
        "the rilsa profile has no amber for this speed",
        where=f"{name}, lane {stream.connection.from_lane}",
        found=f"{stream.speed_mps * 3.6:.0f} km/h",
        limit=f"at most {profile.amber_s[-1][0] * 3.6:.0f} km/h before a signal",
        remedy="lower the speed limit of the lane, or use --profile sumo",
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


def _table_s(
    clearing: Sequence[Stream], entering: Sequence[Stream], profile: RilsaProfile
) -> tuple[int, bool]:
    """Intergreen of a pair of groups, and whether any of their paths meet. [s]

    Streams that keep clear of each other, such as a right turn and the oncoming right turn, say
    nothing; where no streams meet at all, all count with where they come closest.
    """
    pairs = [(a, b) for a in clearing for b in entering if len(a.path) > 1 and len(b.path) > 1]
    met = [(a, b, conflict_distances_m(a, b)) for a, b in pairs]
    times = [_pair_s(a, b, where, profile) for a, b, where in met if where is not None]
    if times:
        return max(times), True
    nearest = (_pair_s(a, b, closest_approach_m(a.path, b.path), profile) for a, b in pairs)
    return max(nearest, default=0), False


def _pair_s(
    clearing: Stream, entering: Stream, where: tuple[float, float], profile: RilsaProfile
) -> int:
    """Intergreen of two streams. [s]"""
    how = clearing_class(clearing, profile)
    return intergreen_s(
        how.crossing_s,
        where[0],
        how.length_m,
        how.clearing_mps,
        where[1],
        _entering_mps(entering, profile),
    )


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


def stretch_m(
    line: Sequence[Point], other: Sequence[Point], within_m: float
) -> tuple[float, float] | None:
    """First and last distance along a line at which another is as near as that. [m]"""
    near = [along for point, along in _samples(line, 0.2) if _apart_m(point, other) <= within_m]
    return (near[0], near[-1]) if near else None


def _apart_m(point: Point, line: Sequence[Point]) -> float:
    """Distance of a point from a line. [m]"""
    best = math.inf
    for (ax, ay), (bx, by) in pairwise(line):
        ux, uy = bx - ax, by - ay
        square = ux * ux + uy * uy
        share = ((point[0] - ax) * ux + (point[1] - ay) * uy) / square if square else 0.0
        share = min(1.0, max(0.0, share))
        best = min(best, math.hypot(point[0] - ax - share * ux, point[1] - ay - share * uy))
    return best


def crossings_m(first: Sequence[Point], second: Sequence[Point]) -> list[tuple[float, float]]:
    """Distances along two lines to each point where they cross. [m]"""
    found = []
    along_first = 0.0
    for a, b in pairwise(first):
        along_second = 0.0
        for c, d in pairwise(second):
            shares = _crossing(a, b, c, d)
            if shares is not None:
                found.append(
                    (
                        along_first + shares[0] * math.dist(a, b),
                        along_second + shares[1] * math.dist(c, d),
                    )
                )
            along_second += math.dist(c, d)
        along_first += math.dist(a, b)
    return found


def _crossing(a: Point, b: Point, c: Point, d: Point) -> tuple[float, float] | None:
    """Shares of two segments at which they cross, or None."""
    (ux, uy), (vx, vy) = (b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1])
    determinant = ux * vy - uy * vx
    if abs(determinant) < 1e-9:
        return None
    wx, wy = c[0] - a[0], c[1] - a[1]
    s, t = (wx * vy - wy * vx) / determinant, (wx * uy - wy * ux) / determinant
    return (s, t) if 0 <= s <= 1 and 0 <= t <= 1 else None


def closest_approach_m(first: Sequence[Point], second: Sequence[Point]) -> tuple[float, float]:
    """Distances along two lines that do not cross to where they come closest. [m]"""
    best, found = math.inf, (0.0, 0.0)
    for p, along_p in _samples(first, 1.0):
        for q, along_q in _samples(second, 1.0):
            apart = math.dist(p, q)
            if apart < best - 1e-6:
                best, found = apart, (along_p, along_q)
    return found


def _samples(line: Sequence[Point], apart_m: float) -> list[tuple[Point, float]]:
    """Points of a line about that far apart, with their distance along it."""
    found, along = [(line[0], 0.0)], 0.0
    for a, b in pairwise(line):
        length = math.dist(a, b)
        steps = max(1, math.ceil(length / apart_m))
        for k in range(1, steps + 1):
            share = k / steps
            point = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
            found.append((point, along + share * length))
        along += length
    return found
