"""The road of the time-space diagram: consecutive edges with signals along them.

Chosen automatically it is the way through at least two signals that carries most traffic: from all
links between neighbouring signals it is followed on, link by link, to where most of the vehicles
go; the way with the greatest sum of vehicles over its links wins. A network with a single signal
shows the busiest way across it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.sim.net_file import NetFile

Key = TypeVar("Key", str, tuple[str, ...])
MOST_SIGNALS = 10
"""A diagram with more signals cannot be read."""
KEEP_SHARE = 0.15
"""The way ends where the next link carries less than this share of the busiest link. [-]"""
LEAD_M = 250.0
"""Road drawn before the first signal and behind the last. [m]"""


@dataclass(frozen=True, slots=True)
class RoadSignal:
    """A signal on the road."""

    name: str
    """The intersection."""
    position_m: float
    """Its stop line, from the start of the road. [m]"""
    links: tuple[int, ...]
    """Positions in the state string of the movement along the road."""
    controlled: bool
    """Ampelwerk controls it; otherwise it is left to SUMO and its states are unknown."""


@dataclass(frozen=True, slots=True)
class RoadEdge:
    """An edge of the road."""

    edge_id: str
    """Name."""
    start_m: float
    """Start, from the start of the road. [m]"""
    end_m: float
    """End. [m]"""
    speed_mps: float
    """Speed limit. [m/s]"""
    lanes: int
    """Lanes that vehicles may use."""
    signal: bool
    """A signal stands at its end."""


@dataclass(frozen=True, slots=True)
class Road:
    """The road of a time-space diagram."""

    edges: tuple[RoadEdge, ...]
    """Edges in order of travel."""
    signals: tuple[RoadSignal, ...]
    """Signals by position."""

    @property
    def length_m(self) -> float:
        """Length. [m]"""
        return self.edges[-1].end_m

    def free_s(self, from_m: float, to_m: float) -> float:
        """Free travel time between two positions. [s]"""
        total = 0.0
        for k, edge in enumerate(self.edges):
            end_m = self.edges[k + 1].start_m if k + 1 < len(self.edges) else edge.end_m
            part_m = min(to_m, end_m) - max(from_m, edge.start_m)
            total += max(0.0, part_m) / edge.speed_mps
        return total


def choose_road(net: NetFile, network: Network, routes: Iterable[Sequence[str]]) -> list[str]:
    """Edges of the busiest way through consecutive signals.

    Raises
    ------
    InvalidInputError : no vehicle passes a signal.
    """
    approach_of = {str(a.edge_id): a.intersection for a in network.approaches}
    ways = Counter(tuple(route) for route in routes)
    between: dict[tuple[str, str], Counter[tuple[str, ...]]] = {}
    onward: dict[tuple[str, str], Counter[str]] = {}
    passed: Counter[str] = Counter()
    for way, vehicles in ways.items():
        stops = [k for k, edge in enumerate(way[:-1]) if edge in approach_of]
        passed.update({way[k]: vehicles for k in stops})
        for k, last in itertools.pairwise(stops):
            pair = (way[k], way[last])
            between.setdefault(pair, Counter())[way[k + 1 : last + 1]] += vehicles
        for a, b, c in zip(stops, stops[1:], stops[2:], strict=False):
            onward.setdefault((way[a], way[b]), Counter())[way[c]] += vehicles
    if not passed:
        raise InvalidInputError(
            "no vehicle passes a signal, so there is no road to draw",
            where="time-space diagram",
            remedy="name its edges with --route",
        )
    chain = _busiest_chain(between, onward, approach_of) or [_first_of(passed)]
    edges = [chain[0]]
    for pair in itertools.pairwise(chain):
        edges += _first_of(between[pair])
    return _with_leads(net, edges, ways)


def _first_of(counter: Counter[Key]) -> Key:
    """The most frequent; of several the first by name, so that the choice never varies."""
    return min(counter, key=lambda item: (-counter[item], item))


def _busiest_chain(
    between: dict[tuple[str, str], Counter[tuple[str, ...]]],
    onward: dict[tuple[str, str], Counter[str]],
    approach_of: dict[str, int],
) -> list[str]:
    """Edges before the signals of the way; empty where no vehicle passes two signals."""
    flow = {pair: sum(ways.values()) for pair, ways in between.items()}
    flow = {p: n for p, n in flow.items() if approach_of[p[0]] != approach_of[p[1]]}
    if not flow:
        return []
    least = KEEP_SHARE * max(flow.values())
    best: tuple[int, list[str]] = (0, [])
    for pair in sorted(flow):
        chain, total = list(pair), flow[pair]
        seen = {approach_of[edge] for edge in chain}
        while len(chain) < MOST_SIGNALS:
            following = Counter(
                {
                    edge: vehicles
                    for edge, vehicles in onward.get((chain[-2], chain[-1]), Counter()).items()
                    if approach_of[edge] not in seen and vehicles >= least
                }
            )
            if not following:
                break
            edge = _first_of(following)
            total += flow[chain[-1], edge]
            chain.append(edge)
            seen.add(approach_of[edge])
        if total > best[0]:
            best = (total, chain)
    return best[1]


def _with_leads(net: NetFile, edges: list[str], ways: Counter[tuple[str, ...]]) -> list[str]:
    """The way with the road before its first and behind its last signal, as most drive it."""

    def extend(forward: bool) -> None:
        covered_m = 0.0
        while covered_m < LEAD_M:
            here = edges[-1] if forward else edges[0]
            beside: Counter[str] = Counter()
            for way, vehicles in ways.items():
                for a, b in itertools.pairwise(way):
                    if (a if forward else b) == here:
                        beside[b if forward else a] += vehicles
            choices = Counter({e: n for e, n in beside.items() if e not in edges})
            if not choices:
                return
            edge = _first_of(choices)
            signal = any(c.tl for lane in net.edges[edge].lanes
                         for c in net.outgoing.get(lane.lane_id, ()))  # fmt: skip
            if not forward and signal:
                return
            edges.insert(len(edges) if forward else 0, edge)
            covered_m += net.edges[edge].lanes[0].length_m
            if forward and signal:
                return

    extend(forward=False)
    extend(forward=True)
    return edges


def measure_road(net: NetFile, network: Network, edge_ids: Sequence[str]) -> Road:
    """Lengths and signals along some edges.

    Raises
    ------
    InvalidInputError : an edge is unknown, or does not lead into the next one.
    """
    controlled = {str(site.intersection_id) for site in network.intersections}
    edges: list[RoadEdge] = []
    signals: list[RoadSignal] = []
    position_m = 0.0
    for k, edge_id in enumerate(edge_ids):
        edge = net.edges.get(edge_id)
        if edge is None or edge.function:
            raise InvalidInputError(
                "the net has no such edge",
                where="--route",
                found=edge_id,
                remedy="name edges of the net, separated by spaces",
            )
        lanes = [lane for lane in edge.lanes if lane.permits("passenger")] or edge.lanes
        end_m = position_m + lanes[0].length_m
        leading = [
            c
            for lane in edge.lanes
            for c in net.outgoing.get(lane.lane_id, ())
            if k + 1 < len(edge_ids) and c.to_lane.rsplit("_", 1)[0] == edge_ids[k + 1]
        ]
        if k + 1 < len(edge_ids) and not leading:
            raise InvalidInputError(
                "the edges do not follow each other",
                where="--route",
                found=f"no connection from {edge_id} to {edge_ids[k + 1]}",
                remedy="name consecutive edges in order of travel",
            )
        signalled = [c for c in leading if c.tl]
        edges.append(
            RoadEdge(
                edge_id, position_m, end_m, max(1.0, lanes[0].speed_mps), len(lanes),
                bool(signalled),
            )
        )  # fmt: skip
        if signalled:
            links = tuple(sorted({c.link_index for c in signalled}))
            name = signalled[0].tl
            signals.append(RoadSignal(name, end_m, links, name in controlled))
        inner_m = min((sum(i.length_m for i in net.inside(c)) for c in leading), default=0.0)
        position_m = end_m + inner_m
    return Road(tuple(edges), tuple(signals))
