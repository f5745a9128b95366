"""The plan of an intersection: lanes around it and the path of every movement, in metres.

Coordinates are the net's, moved so that the middle of the intersection is the origin.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import dist, hypot

from ampelwerk.models.intersection import Intersection, Movement, Turn
from ampelwerk.sim.net_file import NetConnection, NetFile, Point

ARM_M, ARM_SHARE = 22.0, 0.45
"""Road drawn outside the junction: at least so long, and this share of its radius. [m], [-]"""
TAIL_SHARE, HEAD_SHARE = 0.5, 0.27
"""A movement's arrow before the stop line and after the junction, as shares of the arm. [-]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementPath:
    """Where a movement runs."""

    movement: Movement
    """The movement."""
    points: tuple[Point, ...]
    """Its path, in order of travel. [m]"""
    name_at: Point
    """Where its signal group is named: beyond the tail of the arrow. [m]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionPlan:
    """What is drawn of an intersection."""

    radius_m: float
    """Everything lies within this distance of the origin. [m]"""
    lanes: tuple[tuple[tuple[Point, ...], float], ...]
    """Lanes of the roads, with their widths. [m]"""
    inner: tuple[tuple[Point, ...], ...]
    """Lanes inside the junction. [m]"""
    stop_lines: tuple[tuple[Point, Point], ...]
    """Stop lines. [m]"""
    walks: tuple[tuple[tuple[Point, ...], float], ...]
    """Pedestrian crossings, with their widths. [m]"""
    paths: tuple[MovementPath, ...]
    """Movements that the net has a path for."""


def junction_plan(net: NetFile, site: Intersection) -> JunctionPlan:
    """The plan of one intersection."""
    connections = {
        (c.from_lane, c.to_lane): c for c in net.connections if c.tl == site.intersection_id
    }
    inside = {m: _inside(net, m, connections) for m in site.movements}
    corners = [p for shape in inside.values() for p in shape] or [(0.0, 0.0)]
    low = (min(x for x, _ in corners), min(y for _, y in corners))
    high = (max(x for x, _ in corners), max(y for _, y in corners))
    middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    core_m = max(dist(middle, p) for p in corners)
    arm_m = max(ARM_M, ARM_SHARE * core_m)
    radius_m = core_m + arm_m

    def moved(shape: Sequence[Point]) -> tuple[Point, ...]:
        return tuple((x - middle[0], y - middle[1]) for x, y in shape)

    lanes, stop_lines = [], []
    for lane_id, at_end in _arms(net, site):
        lane = net.lanes[lane_id]
        shape = moved(_last(lane.shape, arm_m) if at_end else _first(lane.shape, arm_m))
        lanes.append((shape, lane.width_m))
        if at_end:
            stop_lines.append(_across(shape, lane.width_m))
    walks, paths = [], []
    for movement, shape in inside.items():
        if movement.turn is Turn.CROSSING:
            crossing = net.lanes.get(movement.to_lane)
            walks.append((moved(shape), crossing.width_m if crossing else 4.0))
            paths.append(_path(movement, moved(shape), moved(shape)[0], 0.2 * arm_m))
            continue
        before = _last(net.lanes[movement.from_lane].shape, TAIL_SHARE * arm_m)
        after = _first(net.lanes[movement.to_lane].shape, HEAD_SHARE * arm_m)
        points = moved((*before, *shape, *after))
        paths.append(_path(movement, points, points[0], 0.25 * arm_m))
    return JunctionPlan(
        radius_m=radius_m,
        lanes=tuple(lanes),
        inner=tuple(moved(s) for m, s in inside.items() if m.turn is not Turn.CROSSING),
        stop_lines=tuple(stop_lines),
        walks=tuple(walks),
        paths=tuple(paths),
    )


def _across(shape: Sequence[Point], width_m: float) -> tuple[Point, Point]:
    """A line across the end of a lane."""
    (x1, y1), (x, y) = shape[-2], shape[-1]
    length = hypot(x - x1, y - y1) or 1.0
    dx, dy = (y - y1) / length * width_m / 2, (x1 - x) / length * width_m / 2
    return (x - dx, y - dy), (x + dx, y + dy)


def _path(
    movement: Movement, points: tuple[Point, ...], tail: Point, beyond_m: float
) -> MovementPath:
    """A path with the place of its name, straight on behind the tail."""
    ahead = next((p for p in points if dist(p, tail) > 0.5), (tail[0] + 1, tail[1]))
    away = (tail[0] - ahead[0], tail[1] - ahead[1])
    length = hypot(*away) or 1.0
    return MovementPath(
        movement=movement,
        points=points,
        name_at=(tail[0] + away[0] / length * beyond_m, tail[1] + away[1] / length * beyond_m),
    )


def _inside(
    net: NetFile, movement: Movement, connections: dict[tuple[str, str], NetConnection]
) -> tuple[Point, ...]:
    """Path between stop line and exit; a straight line where the net has no internal lane."""
    if movement.turn is Turn.CROSSING:
        lane = net.lanes.get(movement.to_lane)
        return lane.shape if lane else ()
    connection = connections.get((movement.from_lane, movement.to_lane))
    inner = net.inside(connection) if connection else []
    points = tuple(point for lane in inner for point in lane.shape)
    return points or (
        net.lanes[movement.from_lane].shape[-1], net.lanes[movement.to_lane].shape[0]
    )  # fmt: skip


def _arms(net: NetFile, site: Intersection) -> list[tuple[str, bool]]:
    """All lanes of the roads that lead in (True) or out (False), each once."""
    found: dict[tuple[str, bool], None] = {}
    for movement in site.movements:
        if movement.turn is Turn.CROSSING:
            continue
        for lane_id, at_end in ((movement.from_lane, True), (movement.to_lane, False)):
            for lane in net.edges[net.lanes[lane_id].edge_id].lanes:
                found[lane.lane_id, at_end] = None
    return list(found)


def _first(shape: Sequence[Point], length_m: float) -> tuple[Point, ...]:
    """The first metres of a line."""
    kept, left_m = [shape[0]], length_m
    for a, b in itertools.pairwise(shape):
        piece_m = dist(a, b)
        if piece_m >= left_m:
            t = left_m / piece_m
            return (*kept, (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
        kept.append(b)
        left_m -= piece_m
    return tuple(kept)


def _last(shape: Sequence[Point], length_m: float) -> tuple[Point, ...]:
    """The last metres of a line."""
    return tuple(reversed(_first(tuple(reversed(shape)), length_m)))
