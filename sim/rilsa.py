"""Envelopes under the `rilsa` profile: times from geometry, as a German signal engineer reckons.

A pair of groups takes the maximum over its pairs of streams (`sim/intergreens.py`).

A SUMO lane ends where vehicles wait, which is further down than many real stop lines: envelopes for
the field need surveyed distances.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ampelwerk.models.envelope import Envelope, GroupId, IntersectionId, RoadUser, SignalGroup
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import RilsaProfile
from ampelwerk.sim.conflicts import path_of
from ampelwerk.sim.intergreens import Stream, intergreen_traces
from ampelwerk.sim.net_file import NetConnection, NetFile

SPEED_TOLERANCE_MPS = 0.2
"""Speed limits in nets are rounded. [m/s]"""
REACTION_S, BRAKING_MPS2 = 1.0, 3.5
"""What the ambers of the profile rest on: they are no shorter than reaction and braking to a stop. [s], [m/s2]"""
FAST_APPROACH = "fast_approach"
"""Rule of the finding about a lane for which the profile has no amber of its own."""
LANE_WIDTH_M = 3.2
"""Width of a lane that the net gives none. [m]"""
CROSSING_WIDTH_M = 4.0
"""Width of a crossing that the net gives none. [m]"""
Note = Callable[[str, str, str, str], None]
"""Takes a finding."""


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
    streams = streams_of(net, links_of_groups, users)
    groups = tuple(_group(name, names[g], users[g], streams[g], profile) for g in range(len(names)))
    for lane, speed_mps in _fast_lanes(streams, profile).items():
        note(
            FAST_APPROACH,
            f"lane {lane}",
            f"its {speed_mps * 3.6:.0f} km/h are more than there may be before a signal; the amber "
            f"for {profile.amber_s[-1][0] * 3.6:.0f} km/h is taken.",
            "Correct the lane if the limit is lower near the signal.",
        )
    size = len(groups)
    gaps: list[list[int | None]] = [[None] * size for _ in range(size)]
    for a in range(size):
        for b in range(size):
            if conflict[a][b]:
                traces = intergreen_traces(streams[a], streams[b], profile)
                if a < b and not any(trace.met for trace in traces):
                    note(
                        "no_conflict_point",
                        f"groups {names[a]} and {names[b]}",
                        "their paths do not meet; the intergreen is for where they come closest.",
                        "",
                    )
                table_s = max((trace.result_s for trace in traces), default=0)
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


def streams_of(
    net: NetFile, links_of_groups: Sequence[Sequence[NetConnection]], users: Sequence[RoadUser]
) -> list[list[Stream]]:
    """Streams of each signal group.

    Parameters
    ----------
    links_of_groups, users : connections and road user of each group.
    """
    return [
        [_stream(net, connection, user) for connection in links]
        for links, user in zip(links_of_groups, users, strict=True)
    ]


def _fast_lanes(streams: Sequence[Sequence[Stream]], profile: RilsaProfile) -> dict[str, float]:
    """Lanes faster than the highest speed limit that has an amber, with theirs. [m/s]"""
    top_mps = profile.amber_s[-1][0] + SPEED_TOLERANCE_MPS
    return {
        stream.connection.from_lane: stream.speed_mps
        for of_group in streams
        for stream in of_group
        if stream.user not in (RoadUser.PEDESTRIAN, RoadUser.CYCLIST) and stream.speed_mps > top_mps
    }


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
    known_mps, longest_s = profile.amber_s[-1]
    top_mps = max(known_mps, (longest_s - REACTION_S) * 2 * BRAKING_MPS2)
    for limit_mps, amber_s in profile.amber_s:
        most_mps = top_mps if limit_mps == known_mps else limit_mps
        if stream.speed_mps <= most_mps + SPEED_TOLERANCE_MPS:
            return profile.turning_amber_s if turns else amber_s
    raise InvalidInputError(
        "the rilsa profile has no amber for this speed",
        where=f"{name}, lane {stream.connection.from_lane}",
        found=f"{stream.speed_mps * 3.6:.0f} km/h",
        limit=f"{top_mps * 3.6:.0f} km/h, from which {longest_s} s of amber let a vehicle stop",
        remedy="lower the speed limit of the lane, or use --profile sumo",
    )
