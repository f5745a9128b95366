"""The roads to and from the signals: stop-line lanes, upstream chains, exits, crossings.

A chain follows a lane upstream while exactly one connection leads in, that one has no signal, and
less than 200 m are covered: up to there every vehicle that a loop sees will reach the signal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import atan2, degrees

from ampelwerk.models.detection import LoopRole
from ampelwerk.models.intersection import Intersection, LaneId, Turn
from ampelwerk.models.network import (
    Approach,
    Crossing,
    EdgeId,
    ExitLane,
    Network,
    StopLane,
    Uncontrolled,
)
from ampelwerk.sim.loop_layout import REACH_M, LoopLayout, ScenarioLoop
from ampelwerk.sim.net_file import NetFile, NetLane
from ampelwerk.sim.road_users import road_user_of

ONWARD_EDGES = 12
"""An exit is followed over this many edges in search of the next signal."""


@dataclass(frozen=True, slots=True)
class ChainLane:
    """One lane of a chain."""

    lane: NetLane
    end_m: float
    """Distance of its downstream end from the stop line. [m]"""


def upstream_chain(net: NetFile, lane_id: str) -> list[ChainLane]:
    """Lanes upstream of a stop line, the stop-line lane itself first."""
    chain, covered_m, current = list[ChainLane](), 0.0, lane_id
    seen = set[str]()
    while current not in seen:
        seen.add(current)
        lane = net.lanes[current]
        chain.append(ChainLane(lane, covered_m))
        covered_m += lane.length_m
        entering = net.entering.get(current, [])
        if len(entering) != 1 or entering[0].tl or covered_m >= REACH_M:
            break
        covered_m += sum(inside.length_m for inside in net.inside(entering[0]))
        current = entering[0].from_lane
    return chain


def _bearing_deg(lane: NetLane) -> float:
    """Direction of travel at the end of a lane, clockwise from north."""
    if len(lane.shape) < 2:
        return 0.0
    (x1, y1), (x2, y2) = lane.shape[-2], lane.shape[-1]
    return degrees(atan2(x2 - x1, y2 - y1)) % 360


def _stop_lanes(net: NetFile, site: Intersection) -> dict[str, list[int]]:
    """Stop-line lanes of an intersection with their movements, side by side by edge and index."""
    found: dict[str, list[int]] = {}
    for m, movement in enumerate(site.movements):
        if movement.turn is not Turn.CROSSING and net.is_road(movement.from_lane):
            found.setdefault(movement.from_lane, []).append(m)
    signalled = {
        lane: movements
        for lane, movements in found.items()
        if any(site.movements[m].group >= 0 for m in movements)
        and not _for_walkers(net.lanes[lane])
    }
    return dict(
        sorted(
            signalled.items(),
            key=lambda item: (net.lanes[item[0]].edge_id, net.lanes[item[0]].index),
        )
    )


def _for_walkers(lane: NetLane) -> bool:
    return bool(lane.allow) and lane.allow <= {"pedestrian", "wheelchair"}


def build_network(
    net: NetFile,
    intersections: Sequence[Intersection],
    uncontrolled: Sequence[Uncontrolled],
    scenario_loops: Sequence[ScenarioLoop],
    *,
    loops: str = "auto",
    without_loops: Collection[LoopRole] = (),
) -> Network:
    """Everything control sees, loops included.

    Parameters
    ----------
    loops : ``auto`` places what the scenario's loops leave open; ``scenario`` places none.
    without_loops : roles for which the city has no loops.
    """
    layout = LoopLayout(net, scenario_loops, generate=loops == "auto", without=without_loops)
    chains: dict[str, list[ChainLane]] = {}
    stops = [_stop_lanes(net, site) for site in intersections]
    feeds: dict[str, set[str]] = {}
    for stop in stops:
        for lane_id in stop:
            chains[lane_id] = upstream_chain(net, lane_id)
            for link in chains[lane_id]:
                feeds.setdefault(link.lane.lane_id, set()).add(lane_id)
    lanes: list[StopLane] = []
    approaches: list[Approach] = []
    number_of: dict[str, int] = {}
    for i, stop in enumerate(stops):
        edges = dict.fromkeys(net.lanes[lane_id].edge_id for lane_id in stop)
        for edge_id in edges:
            members = [lane_id for lane_id in stop if net.lanes[lane_id].edge_id == edge_id]
            first = len(lanes)
            for lane_id in members:
                number_of[lane_id] = len(lanes)
                lanes.append(
                    _stop_lane(
                        net, layout, i, len(approaches), stop[lane_id], chains[lane_id], feeds
                    )
                )
            approaches.append(
                _approach(
                    net,
                    layout,
                    i,
                    edge_id,
                    first,
                    lanes[first:],
                    [net.lanes[lane_id] for lane_id in members],
                )
            )
    exits = [
        exit_
        for i, site in enumerate(intersections)
        for exit_ in _exits(net, layout, i, site, number_of)
    ]
    crossings = [
        crossing
        for i, site in enumerate(intersections)
        for crossing in _crossings(net, layout, i, site)
    ]
    return Network(
        intersections=tuple(intersections),
        approaches=tuple(approaches),
        lanes=tuple(lanes),
        exits=tuple(exits),
        crossings=tuple(crossings),
        loops=tuple(layout.loops),
        uncontrolled=tuple(uncontrolled),
    )


def _stop_lane(
    net: NetFile,
    layout: LoopLayout,
    i: int,
    approach: int,
    movements: list[int],
    chain: list[ChainLane],
    feeds: dict[str, set[str]],
) -> StopLane:
    """One stop-line lane with its own loops."""
    own = [link for link in chain if len(feeds[link.lane.lane_id]) == 1]
    line = chain[0].lane
    advance, advance_m = layout.advance(chain, own)
    return StopLane(
        lane_id=LaneId(line.lane_id),
        intersection=i,
        approach=approach,
        movements=tuple(movements),
        road_user=road_user_of([line]),
        length_m=sum(link.lane.length_m for link in own) or line.length_m,
        reach_m=_reach_m(net, line, 0.0, set()),
        speed_mps=max(line.speed_mps, 1.0),
        stop_loops=tuple(layout.stop_line(line)),
        advance_loops=tuple(advance),
        advance_m=advance_m,
    )


def _reach_m(net: NetFile, lane: NetLane, end_m: float, seen: set[str]) -> float:
    """Length of the longest road without a signal that leads to a stop line, 200 m at most."""
    top_m = end_m + lane.length_m
    if lane.lane_id in seen or top_m >= REACH_M:
        return min(top_m, REACH_M)
    seen.add(lane.lane_id)
    return max(
        (
            _reach_m(net, net.lanes[c.from_lane], top_m, seen)
            for c in net.entering.get(lane.lane_id, ())
            if not c.tl and net.is_road(c.from_lane)
        ),
        default=top_m,
    )


def _approach(
    net: NetFile,
    layout: LoopLayout,
    i: int,
    edge_id: str,
    first: int,
    lanes: Sequence[StopLane],
    stop_lanes: Sequence[NetLane],
) -> Approach:
    """One road to the signal with the loops its lanes share."""
    upstream = layout.upstream(stop_lanes, [lane.advance_m for lane in lanes])
    return Approach(
        edge_id=EdgeId(edge_id),
        intersection=i,
        lanes=tuple(range(first, first + len(lanes))),
        upstream_loops=tuple(loop for loop, _, _ in upstream),
        upstream_m=tuple(distance_m for _, distance_m, _ in upstream),
        upstream_lanes=tuple(tuple(first + k for k in ahead) for _, _, ahead in upstream),
        bearing_deg=_bearing_deg(stop_lanes[0]),
    )


def _exits(
    net: NetFile, layout: LoopLayout, i: int, site: Intersection, number_of: dict[str, int]
) -> list[ExitLane]:
    """Lanes that the movements of a signal enter."""
    entered: dict[str, list[int]] = {}
    for m, movement in enumerate(site.movements):
        if movement.turn is not Turn.CROSSING and net.is_road(movement.to_lane):
            entered.setdefault(movement.to_lane, []).append(m)
    found = []
    for lane_id, movements in entered.items():
        length_m, leads_to = _onward(net, lane_id, number_of)
        found.append(
            ExitLane(
                lane_id=LaneId(lane_id),
                intersection=i,
                movements=tuple(movements),
                exit_loops=tuple(layout.exit(net.lanes[lane_id])),
                length_m=length_m,
                leads_to=tuple(leads_to),
            )
        )
    return found


def _onward(net: NetFile, lane_id: str, number_of: dict[str, int]) -> tuple[float, list[int]]:
    """Length down to the next real junction, and the stop-line lanes the road leads to."""
    edge = net.edges[net.lanes[lane_id].edge_id]
    length_m, straight = 0.0, True
    front, seen, found = [edge], {edge.edge_id}, list[int]()
    for _ in range(ONWARD_EDGES):
        following = []
        for edge in front:
            if straight:
                length_m += edge.lanes[0].length_m
            stops = [number_of[lane.lane_id] for lane in edge.lanes if lane.lane_id in number_of]
            if stops:
                found += stops
                continue
            for lane in edge.lanes:
                for connection in net.outgoing.get(lane.lane_id, ()):
                    target = net.lanes.get(connection.to_lane)
                    if target is None or connection.tl or target.edge_id in seen:
                        continue
                    if net.is_road(target.lane_id):
                        seen.add(target.edge_id)
                        following.append(net.edges[target.edge_id])
        straight = straight and len(following) == 1
        front = following
        if not front:
            break
    return length_m, sorted(set(found))


def _crossings(net: NetFile, layout: LoopLayout, i: int, site: Intersection) -> list[Crossing]:
    """Signalised pedestrian crossings of a signal, with the kerbs at both ends."""
    kerbs: dict[tuple[str, int], list[str]] = {}
    for movement in site.movements:
        if movement.turn is Turn.CROSSING and movement.group >= 0 and movement.to_lane in net.lanes:
            ends = kerbs.setdefault((movement.to_lane, movement.group), [])
            onward = [c.to_lane for c in net.outgoing.get(movement.to_lane, ())]
            ends += [lane for lane in (movement.from_lane, *onward) if lane not in ends]
    return [
        Crossing(
            intersection=i,
            group=group,
            length_m=net.lanes[crossing].length_m,
            call_loops=tuple(
                loop for end in ends if end in net.lanes for loop in layout.kerb(net.lanes[end])
            ),
        )
        for (crossing, group), ends in kerbs.items()
    ]
