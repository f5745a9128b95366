"""A SUMO net read once, as plain data: edges, lanes, junctions, connections, signal programs.

Own reader instead of sumolib: it keeps right-of-way rows and several programs as they stand in the
file, streams, and reads a net of 3,000 lanes in well under a second (docs/decisions.md).
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, ParseError, iterparse

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.program_file import SignalProgram, signal_program

Point = tuple[float, float]


@dataclass(slots=True, kw_only=True)
class NetLane:
    """A lane of the net."""

    lane_id: str
    edge_id: str
    index: int
    speed_mps: float
    length_m: float
    width_m: float
    shape: tuple[Point, ...]
    allow: frozenset[str]
    """Classes that may use it; empty if it is not restricted that way."""
    disallow: frozenset[str]
    """Classes that may not; "all" where nobody may."""

    def permits(self, vehicle_class: str) -> bool:
        """Whether a SUMO vehicle class may use the lane."""
        if self.allow:
            return vehicle_class in self.allow or "all" in self.allow
        return not (vehicle_class in self.disallow or "all" in self.disallow)


@dataclass(slots=True, kw_only=True)
class NetEdge:
    """An edge of the net."""

    edge_id: str
    function: str
    """"" for a road, else internal, crossing, walkingarea, connector."""
    from_junction: str
    to_junction: str
    lanes: list[NetLane] = field(default_factory=list)
    crossing_edges: tuple[str, ...] = ()
    """Edges that a crossing goes across."""


@dataclass(slots=True, kw_only=True)
class NetConnection:
    """A connection from lane to lane."""

    from_lane: str
    to_lane: str
    via_lane: str
    """First internal lane, empty if there is none."""
    direction: str
    tl: str
    """Signal that controls it, empty without."""
    link_index: int


@dataclass(slots=True, kw_only=True)
class NetJunction:
    """A junction with its right-of-way rows."""

    junction_id: str
    kind: str
    incoming: tuple[str, ...]
    internal: tuple[str, ...]
    """Internal lanes in the order of the rows."""
    position: Point
    foes: dict[int, str] = field(default_factory=dict)
    """Row -> foes, the rightmost character is link 0."""
    response: dict[int, str] = field(default_factory=dict)
    """Row -> links it must give way to, likewise."""


@dataclass(slots=True, kw_only=True)
class NetFile:
    """All of a net that control needs."""

    path: Path
    edges: dict[str, NetEdge] = field(default_factory=dict)
    lanes: dict[str, NetLane] = field(default_factory=dict)
    junctions: dict[str, NetJunction] = field(default_factory=dict)
    connections: list[NetConnection] = field(default_factory=list)
    programs: dict[str, list[SignalProgram]] = field(default_factory=dict)
    left_hand: bool = False
    outgoing: dict[str, list[NetConnection]] = field(default_factory=dict)
    """Lane -> connections that leave it."""
    entering: dict[str, list[NetConnection]] = field(default_factory=dict)
    """Lane -> connections that enter it, those of internal lanes left out."""

    def is_road(self, lane_id: str) -> bool:
        """The lane belongs to a road, not to the inside of a junction."""
        lane = self.lanes.get(lane_id)
        return lane is not None and not self.edges[lane.edge_id].function

    def inside(self, connection: NetConnection) -> list[NetLane]:
        """Internal lanes of a connection, in order of travel."""
        found, via = list[NetLane](), connection.via_lane
        while via and via in self.lanes and len(found) < 8:
            found.append(self.lanes[via])
            onward = [c for c in self.outgoing.get(via, ()) if c.via_lane]
            via = onward[0].via_lane if onward else ""
        return found


def open_xml(path: Path) -> IO[bytes]:
    """A file, unpacked if it ends in .gz.

    Raises
    ------
    InvalidInputError : it is not there.
    """
    try:
        return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise InvalidInputError(
            "the file cannot be opened",
            where=str(path),
            found=error.strerror or str(error),
            remedy="check the path",
        ) from error


def elements(path: Path, tags: Sequence[str]) -> Iterator[Element]:
    """Stream the complete elements with some tags, also of included files; memory stays small.

    Raises
    ------
    InvalidInputError : the file is not there, or is no well-formed XML.
    """
    with open_xml(path) as file:
        try:
            context = iterparse(file, events=("start", "end"))
            root, depth = None, 0
            for event, element in context:
                if event == "start":
                    root = element if root is None else root
                    depth += 1
                    continue
                depth -= 1
                if element.tag in tags:
                    yield element
                elif element.tag == "include":
                    yield from elements(path.parent / element.get("href", ""), tags)
                if depth == 1 and root is not None:
                    root.clear()
        except (ParseError, EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
            raise InvalidInputError(
                "the file is no complete XML",
                where=str(path),
                found=str(error),
                remedy="write it again; a download or a run may have been cut off",
            ) from error


def _shape(text: str) -> tuple[Point, ...]:
    points = []
    for triple in text.split():
        x, y = triple.split(",")[:2]
        points.append((float(x), float(y)))
    return tuple(points)


def _edge(element: Element) -> NetEdge:
    edge = NetEdge(
        edge_id=element.get("id", ""),
        function=element.get("function", "").replace("normal", ""),
        from_junction=element.get("from", ""),
        to_junction=element.get("to", ""),
        crossing_edges=tuple(element.get("crossingEdges", "").split()),
    )
    for lane in element.iter("lane"):
        edge.lanes.append(
            NetLane(
                lane_id=lane.get("id", ""),
                edge_id=edge.edge_id,
                index=int(lane.get("index", "0")),
                speed_mps=float(lane.get("speed", "13.89")),
                length_m=float(lane.get("length", "0")),
                width_m=float(lane.get("width", "3.2")),
                shape=_shape(lane.get("shape", "")),
                allow=frozenset(lane.get("allow", "").split()),
                disallow=frozenset(lane.get("disallow", "").split()),
            )
        )
    return edge


def _junction(element: Element) -> NetJunction:
    junction = NetJunction(
        junction_id=element.get("id", ""),
        kind=element.get("type", ""),
        incoming=tuple(element.get("incLanes", "").split()),
        internal=tuple(element.get("intLanes", "").split()),
        position=(float(element.get("x", "0")), float(element.get("y", "0"))),
    )
    for row in element.iter("request"):
        index = int(row.get("index", "0"))
        junction.foes[index] = row.get("foes", "")
        junction.response[index] = row.get("response", "")
    return junction


def _connection(element: Element) -> NetConnection:
    return NetConnection(
        from_lane=f"{element.get('from')}_{element.get('fromLane')}",
        to_lane=f"{element.get('to')}_{element.get('toLane')}",
        via_lane=element.get("via", ""),
        direction=element.get("dir", "s"),
        tl=element.get("tl", ""),
        link_index=int(element.get("linkIndex", "-1")),
    )


def read_net(path: Path) -> NetFile:
    """Read a .net.xml or .net.xml.gz; callers share what is read, and must not change it.

    Raises
    ------
    InvalidInputError : missing, broken, or no net.
    """
    try:
        state = path.stat()
    except OSError:
        return _read(path, 0, 0)  # which says what is wrong
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)  # a run reads its net for the route files, the intersections and the report
def _read(path: Path, _mtime_ns: int, _size: int) -> NetFile:
    """Read a net; again if the file has changed."""
    net = NetFile(path=path)
    try:
        for element in elements(path, ("edge", "junction", "connection", "tlLogic")):
            if element.tag == "edge":
                edge = _edge(element)
                net.edges[edge.edge_id] = edge
                net.lanes.update((lane.lane_id, lane) for lane in edge.lanes)
            elif element.tag == "junction":
                junction = _junction(element)
                net.junctions[junction.junction_id] = junction
            elif element.tag == "connection":
                net.connections.append(_connection(element))
            else:
                program = signal_program(element)
                net.programs.setdefault(program.signal_id, []).append(program)
    except ValueError as error:
        raise InvalidInputError(
            "the net has a value that is no number", where=str(path), found=str(error)
        ) from error
    if not net.edges or not net.junctions:
        raise InvalidInputError(
            "the file holds no road network",
            where=str(path),
            limit="a net written by netconvert or netedit",
            remedy="give the .net.xml, not the plain node or edge files",
        )
    net.connections = [_onto_crossing(net, connection) for connection in net.connections]
    for connection in net.connections:
        net.outgoing.setdefault(connection.from_lane, []).append(connection)
        if net.is_road(connection.from_lane):
            net.entering.setdefault(connection.to_lane, []).append(connection)
    return net


def _onto_crossing(net: NetFile, connection: NetConnection) -> NetConnection:
    """A signal at the far end of a crossing (SUMO's linkIndex2) lets walkers onto it from there."""
    lane = net.lanes.get(connection.from_lane)
    if lane is None or not connection.tl or net.edges[lane.edge_id].function != "crossing":
        return connection
    return replace(connection, from_lane=connection.to_lane, to_lane=connection.from_lane)
