"""Which loops announce vehicles to an approach: streams from upstream loops, feeds from exit loops."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from ampelwerk.engine.rows import Rows
from ampelwerk.models.network import ExitLane, Network

JAM_SPACING_M = 7.5
"""Road one queued car takes up: SUMO's default car, 5 m and a gap of 2.5 m. [m]"""
FREE_SHARE = 0.95
"""Undelayed speed as a share of the speed limit, at first. [-]"""
STRAIGHT_SHARE = 0.9
"""Share of vehicles that stay in the lanes straight ahead of an upstream loop, at first. [-]"""
FEED_LEAST_M = 15.0
"""An exit loop nearer than this to an upstream loop tells nothing new. [m]"""


class Streams:
    """The streams of a network, approach by approach."""

    def __init__(self, network: Network) -> None:
        self.ptr, self.loop, self.lanes = [0], list[int](), Rows()
        self.time_s, self.room_veh, self.share = list[float](), list[float](), list[float]()
        fed = Counter(loop for a in network.approaches for loop in a.upstream_loops)
        for approach in network.approaches:
            advance_m, speed_mps = advance_of(network, approach.lanes)
            for loop, distance_m, ahead in zip(
                approach.upstream_loops,
                approach.upstream_m,
                approach.upstream_lanes,
                strict=True,
            ):
                between_m = max(distance_m - advance_m, 0.0)
                self.loop.append(loop)
                self.time_s.append(between_m / (FREE_SHARE * speed_mps))
                self.room_veh.append(between_m / JAM_SPACING_M)
                self.lanes.add(approach.lanes)
                self.share += [share / fed[loop] for share in lane_shares(approach.lanes, ahead)]
            self.ptr.append(len(self.loop))

    def by_site(self, network: Network) -> Rows:
        """The streams intersection by intersection."""
        found: dict[int, list[int]] = defaultdict(list)
        for a, approach in enumerate(network.approaches):
            site = network.lanes[approach.lanes[0]].intersection if approach.lanes else -1
            found[site].extend(range(self.ptr[a], self.ptr[a + 1]))
        rows = Rows()
        for i in range(len(network.intersections)):
            rows.add(found[i])
        return rows


class Feeds:
    """The feeds of a network, exit lane by exit lane."""

    def __init__(self, network: Network) -> None:
        self.ptr, self.approach, self.stream_ptr = [0], list[int](), [0]
        self.time_s = list[float]()
        for exit_ in network.exits:
            approaches = {network.lanes[lane].approach for lane in exit_.leads_to}
            if len(approaches) == 1 and exit_.exit_loops:
                self._add(network, exit_, approaches.pop())
            self.ptr.append(len(self.approach))

    def _add(self, network: Network, exit_: ExitLane, number: int) -> None:
        """A feed, if the road leads to another signal and leaves a way between the loops.

        Where it branches to several approaches too few come for a loop to tell of them.
        """
        approach = network.approaches[number]
        begin_m = exit_.length_m - network.loops[exit_.exit_loops[0]].position_m
        between_m = [begin_m - distance_m for distance_m in approach.upstream_m]
        if (
            approach.intersection == exit_.intersection
            or not between_m
            or min(between_m) < FEED_LEAST_M
        ):
            return
        _, speed_mps = advance_of(network, approach.lanes)
        self.approach.append(number)
        self.time_s.append(sum(between_m) / len(between_m) / (FREE_SHARE * speed_mps))
        self.stream_ptr.append(self.stream_ptr[-1] + len(between_m))

    def by_approach(self, network: Network) -> Rows:
        """The feeds approach by approach."""
        rows = Rows()
        for a in range(len(network.approaches)):
            rows.add(f for f, towards in enumerate(self.approach) if towards == a)
        return rows


def lane_shares(lanes: Sequence[int], ahead: Sequence[int]) -> list[float]:
    """Prior chance of each lane for a vehicle on a loop that leads straight on to some of them."""
    straight = len(ahead) or len(lanes)
    aside = len(lanes) - straight
    if aside == 0 or not ahead:
        return [1.0 / len(lanes)] * len(lanes)
    return [
        STRAIGHT_SHARE / straight if lane in ahead else (1 - STRAIGHT_SHARE) / aside
        for lane in lanes
    ]


def advance_of(network: Network, lanes: Sequence[int]) -> tuple[float, float]:
    """Mean distance of the advance loops of some lanes (0 if none) and their speed limit."""
    chosen = [network.lanes[lane] for lane in lanes]
    with_loop = [lane.advance_m for lane in chosen if lane.advance_loops]
    speed_mps = max((lane.speed_mps for lane in chosen), default=13.9)
    return (sum(with_loop) / len(with_loop) if with_loop else 0.0), speed_mps
