"""Vehicles on a road, from the times SUMO says they left each edge (vehroutes.xml).

Exact are the times at the ends of edges. Between them a line is drawn: on an edge with a signal at
its end free driving, standing at a place in the queue, and free driving to the stop line, where
the place follows from the vehicles still ahead (7.5 m each, shared among the lanes); on other
edges a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from ampelwerk.sim.net_file import elements
from ampelwerk.sim.report.road import Road, RoadEdge

JAM_SPACING_M = 7.5
"""Length of road that a standing vehicle takes. [m]"""
_STANDING_S = 2.0
"""Less delay on an edge than this is drawn as slower driving. [s]"""
Polyline = list[tuple[float, float]]
"""(time [s], position [m])."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One vehicle's way through the net."""

    vehicle: str
    """Name."""
    edges: tuple[str, ...]
    """Edges of its route."""
    depart_s: float
    """Departure. [s]"""
    exit_s: tuple[float, ...]
    """When it left each edge, infinite if it did not. [s]"""
    arrived: bool
    """It reached its end."""


def read_journeys(path: Path) -> list[Journey]:
    """All vehicles of vehroutes.xml by departure; those never inserted left out."""
    journeys = []
    for element in elements(path, ("vehicle",)):
        route = element.find("route")
        if route is None:
            options = element.findall("routeDistribution/route")
            route = options[-1] if options else None
        if route is None or "exitTimes" not in route.attrib:
            continue
        times = [float(t) for t in route.get("exitTimes", "").split()]
        edges = route.get("edges", "").split()
        if len(times) != len(edges):
            continue
        journeys.append(
            Journey(
                element.get("id", ""),
                tuple(edges),
                float(element.get("depart", "0")),
                tuple(t if t >= 0 else inf for t in times),
                "arrival" in element.attrib,
            )
        )
    return sorted(journeys, key=lambda j: (j.depart_s, j.vehicle))


@dataclass(slots=True)
class _Visit:
    """A vehicle on one edge of the road."""

    journey: int
    edge: int
    enter_s: float
    exit_s: float
    first: bool
    last: bool


def trajectories(road: Road, journeys: Sequence[Journey], end_s: float) -> list[list[Polyline]]:
    """Pieces of road driven without leaving it, by vehicle.

    Parameters
    ----------
    end_s : end of the simulation; who is still on the road stands until then. [s]
    """
    place = {edge.edge_id: k for k, edge in enumerate(road.edges)}
    on_edge: list[list[_Visit]] = [[] for _ in road.edges]
    parts: list[list[list[_Visit]]] = []
    for number, journey in enumerate(journeys):
        pieces: list[list[_Visit]] = []
        enter_s, before = journey.depart_s, -2
        for k, (edge_id, exit_s) in enumerate(zip(journey.edges, journey.exit_s, strict=True)):
            if enter_s == inf:
                break
            edge = place.get(edge_id, -2)
            if edge >= 0:
                if edge != before + 1 or not pieces:
                    pieces.append([])
                visit = _Visit(number, edge, enter_s, exit_s, k == 0, k == len(journey.edges) - 1)
                pieces[-1].append(visit)
                on_edge[edge].append(visit)
            enter_s, before = exit_s, edge
        parts.append(pieces)
    standing = _queue_places(road, on_edge)
    return [
        [line for piece in pieces if (line := _line(road, piece, standing, end_s))]
        for pieces in parts
    ]


def _queue_places(road: Road, on_edge: list[list[_Visit]]) -> dict[tuple[int, int], float]:
    """(vehicle, edge) -> distance from the stop line at which it stands. [m]"""
    found: dict[tuple[int, int], float] = {}
    for edge, visits in zip(road.edges, on_edge, strict=True):
        if not edge.signal:
            continue
        drive_s = (edge.end_m - edge.start_m) / edge.speed_mps
        exits: list[float] = []
        for visit in sorted(visits, key=lambda v: (v.exit_s, v.enter_s)):
            reach_s = visit.enter_s + drive_s
            ahead = 0
            for exit_s in reversed(exits):
                if exit_s <= reach_s:
                    break
                ahead += 1
            exits.append(visit.exit_s)
            place_m = JAM_SPACING_M * (ahead // edge.lanes) + 1.0
            found[visit.journey, visit.edge] = min(place_m, edge.end_m - edge.start_m)
    return found


def _line(
    road: Road, piece: Sequence[_Visit], standing: dict[tuple[int, int], float], end_s: float
) -> Polyline:
    """Positions of a vehicle over consecutive edges."""
    line: Polyline = []
    for visit in piece:
        edge = road.edges[visit.edge]
        start = (visit.enter_s, edge.start_m)
        if visit.enter_s >= end_s:
            break
        if line:
            start = (visit.enter_s + _inside_s(road, visit.edge), edge.start_m)
            start = (min(start[0], visit.exit_s), start[1])
        line += _on_edge(edge, visit, start, standing.get((visit.journey, visit.edge)), end_s)
    return line if len(line) > 1 else []


def _inside_s(road: Road, edge: int) -> float:
    """Free travel time through the junction before an edge. [s]"""
    before = road.edges[edge - 1]
    return (road.edges[edge].start_m - before.end_m) / before.speed_mps


def _on_edge(
    edge: RoadEdge, visit: _Visit, start: tuple[float, float], stand_m: float | None, end_s: float
) -> Polyline:
    enter_s, enter_m = start
    exit_s = min(visit.exit_s, end_s)
    reach_m = edge.speed_mps * (exit_s - enter_s)
    length_m = edge.end_m - edge.start_m
    if visit.first and reach_m < length_m:
        enter_m = edge.end_m - reach_m
    if visit.last and visit.exit_s < inf:
        return [(enter_s, enter_m), (exit_s, min(edge.end_m, enter_m + reach_m))]
    never_left = visit.exit_s > end_s
    lost_s = exit_s - enter_s - (edge.end_m - enter_m) / edge.speed_mps
    if stand_m is None or (lost_s < _STANDING_S and not never_left):
        if never_left:
            return [(enter_s, enter_m), (exit_s, min(edge.end_m - 1.0, enter_m + reach_m))]
        return [(enter_s, enter_m), (exit_s, edge.end_m)]
    stop_m = max(enter_m, edge.end_m - stand_m)
    arrive_s = enter_s + (stop_m - enter_m) / edge.speed_mps
    if never_left:
        if arrive_s >= end_s:
            return [(enter_s, enter_m), (exit_s, enter_m + reach_m)]
        return [(enter_s, enter_m), (arrive_s, stop_m), (end_s, stop_m)]
    leave_s = exit_s - (edge.end_m - stop_m) / edge.speed_mps
    return [(enter_s, enter_m), (arrive_s, stop_m), (leave_s, stop_m), (exit_s, edge.end_m)]
