"""Which links of a signal are foes, and which gives way: from the junctions' right-of-way rows.

A row stands in the junction's own link order, which differs from the signal's link index where one
program controls several junctions. SUMO omits some foes, so paths that cross inside a junction and
begin on different lanes are foes as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.sim.net_file import NetConnection, NetFile, NetJunction, Point


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRelations:
    """Relations between the links of one signal, by link index."""

    foes: frozenset[tuple[int, int]]
    """Pairs of foes, both orders."""
    yields: frozenset[tuple[int, int]]
    """(a, b): a gives way to b."""
    junction_of: dict[int, frozenset[str]]
    """Link index -> junctions it runs through."""


def path_of(net: NetFile, connection: NetConnection) -> tuple[Point, ...]:
    """Centre line of a connection inside its junction; for a crossing, the crossing's own."""
    if not net.is_road(connection.from_lane) and connection.to_lane in net.lanes:
        return net.lanes[connection.to_lane].shape
    points: list[Point] = []
    for lane in net.inside(connection):
        points.extend(lane.shape if not points else lane.shape[1:])
    if not points:
        start, end = net.lanes.get(connection.from_lane), net.lanes.get(connection.to_lane)
        if start and end and start.shape and end.shape:
            points = [start.shape[-1], end.shape[0]]
    return tuple(points)


def junction_of(net: NetFile, connection: NetConnection) -> NetJunction | None:
    """The junction a connection runs through."""
    lane = net.lanes.get(connection.from_lane)
    if lane is None:
        return None
    edge = net.edges[lane.edge_id]
    if edge.function == "walkingarea":
        return net.junctions.get(edge.edge_id[1:].rsplit("_w", 1)[0])
    return net.junctions.get(edge.to_junction)


def _row_of(net: NetFile, junction: NetJunction, connection: NetConnection) -> int | None:
    """Row of a connection in its junction."""
    inside = [lane.lane_id for lane in net.inside(connection)]
    if not net.is_road(connection.from_lane):
        inside = [connection.to_lane]
    for lane_id in reversed(inside):
        if lane_id in junction.internal:
            return junction.internal.index(lane_id)
    row = 0  # a net without internal links: rows follow the incoming lanes
    for lane_id in junction.incoming:
        for candidate in net.outgoing.get(lane_id, ()):
            if candidate is connection:
                return row
            row += 1
    return None


def _bits(row: str) -> set[int]:
    """Links set in a row; the rightmost character is link 0."""
    return {index for index, bit in enumerate(reversed(row)) if bit == "1"}


def _orientation(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def lines_cross(first: tuple[Point, ...], second: tuple[Point, ...]) -> bool:
    """Two centre lines cross, not merely touch at an end."""
    for k in range(len(first) - 1):
        a, b = first[k], first[k + 1]
        for m in range(len(second) - 1):
            c, d = second[m], second[m + 1]
            if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
                continue
            if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
                continue
            if (
                _orientation(a, b, c) * _orientation(a, b, d) < 0
                and _orientation(c, d, a) * _orientation(c, d, b) < 0
            ):
                return True
    return False


def link_relations(net: NetFile, connections: list[NetConnection]) -> LinkRelations:
    """Foes and right of way between the links of one signal."""
    by_junction: dict[str, list[tuple[NetConnection, int | None]]] = {}
    junctions: dict[int, set[str]] = {}
    for connection in connections:
        junction = junction_of(net, connection)
        if junction is None:
            continue
        row = _row_of(net, junction, connection)
        by_junction.setdefault(junction.junction_id, []).append((connection, row))
        junctions.setdefault(connection.link_index, set()).add(junction.junction_id)
    foes: set[tuple[int, int]] = set()
    yields: set[tuple[int, int]] = set()
    for junction_id, members in by_junction.items():
        _relate(net, net.junctions[junction_id], members, foes, yields)
    return LinkRelations(
        foes=frozenset(foes),
        yields=frozenset(yields),
        junction_of={link: frozenset(names) for link, names in junctions.items()},
    )


def _relate(
    net: NetFile,
    junction: NetJunction,
    members: list[tuple[NetConnection, int | None]],
    foes: set[tuple[int, int]],
    yields: set[tuple[int, int]],
) -> None:
    """Foes and right of way inside one junction."""
    paths = [path_of(net, connection) for connection, _ in members]
    rows = [
        (
            _bits(junction.foes.get(row, "")) if row is not None else set(),
            _bits(junction.response.get(row, "")) if row is not None else set(),
        )
        for _, row in members
    ]
    for a, (first, first_row) in enumerate(members):
        for b, (second, second_row) in enumerate(members):
            if a == b or first.link_index == second.link_index:
                continue
            pair = (first.link_index, second.link_index)
            if second_row is not None and second_row in rows[a][1]:
                yields.add(pair)
            by_row = (second_row is not None and second_row in rows[a][0]) or (
                first_row is not None and first_row in rows[b][0]
            )
            if by_row or (
                a < b and first.from_lane != second.from_lane and lines_cross(paths[a], paths[b])
            ):
                foes.add(pair)
                foes.add((pair[1], pair[0]))
