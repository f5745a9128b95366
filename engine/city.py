"""From a network to the arrays that the kernels read, laid out once.

Everything static that estimation and strategies need: which stage serves which lane at what
saturation flow, which loops tell about it, how long a transition takes.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence

from ampelwerk.engine.kernels.city import (
    ADVANCE,
    CALL,
    EXIT,
    STOP_LINE,
    UPSTREAM,
    City,
)
from ampelwerk.engine.lane_service import CROSSING, LaneService, lane_service
from ampelwerk.engine.rows import Rows, bit_mask, floats, ints
from ampelwerk.engine.short_links import fills
from ampelwerk.models.detection import LoopRole
from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network, StopLane

JAM_SPACING_M = 7.5
"""Road one queued car takes up: SUMO's default car, 5 m and a gap of 2.5 m. [m]"""
MOST_FOES = 62
"""Lanes of an intersection from which others may be said to come: as many as a mask has bits."""
FREE_SHARE = 0.95
"""Undelayed speed as a share of the speed limit, at first. [-]"""
STRAIGHT_SHARE = 0.9
"""Share of vehicles that stay in the lanes straight ahead of an upstream loop, at first. [-]"""
ROAD_USER_WEIGHT = {RoadUser.TRAM: 20.0, RoadUser.BUS: 10.0}
"""Weight of one vehicle on a lane of its own, from persons aboard; a car weighs 1."""

_ROLE = {
    LoopRole.STOP_LINE: STOP_LINE,
    LoopRole.ADVANCE: ADVANCE,
    LoopRole.UPSTREAM: UPSTREAM,
    LoopRole.EXIT: EXIT,
    LoopRole.CALL: CALL,
}


class _Streams:
    """Collects streams."""

    def __init__(self) -> None:
        self.ptr, self.loop, self.lanes = [0], list[int](), Rows()
        self.time_s, self.room_veh, self.share = list[float](), list[float](), list[float]()


def transition_times_s(intersection: Intersection) -> list[list[float]]:
    """(stages, stages) longest intergreen between a leaving and an entering group. [s]"""
    envelope = intersection.envelope
    groups = [set(stage.groups) for stage in intersection.stages]

    def longest(here: set[int], there: set[int]) -> float:
        gaps = (
            envelope.intergreen_ds[a][b] or 0
            for a in here - there
            for b in there - here
            if envelope.conflict[a][b]
        )
        return max(gaps, default=0) / 10

    return [[longest(here, there) for there in groups] for here in groups]


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


def lay_out(network: Network) -> City:
    """The arrays of a network. Crossings follow the stop-line lanes of their intersection."""
    return _Layout(network).city()


class _Layout:
    """Builds `City` step by step; lane numbers differ from the network's where crossings are."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.lanes: list[StopLane | int] = []  # an int is an index into network.crossings
        self.of_lane: dict[int, int] = {}
        self.of_crossing: dict[int, int] = {}
        self.lane_ptr = [0]
        lanes_of, crossings_of = defaultdict(list), defaultdict(list)
        for number, lane in enumerate(network.lanes):
            lanes_of[lane.intersection].append(number)
        for number, crossing in enumerate(network.crossings):
            crossings_of[crossing.intersection].append(number)
        for i in range(len(network.intersections)):
            for number in lanes_of[i]:
                self.of_lane[number] = len(self.lanes)
                self.lanes.append(network.lanes[number])
            for number in crossings_of[i]:
                self.of_crossing[number] = len(self.lanes)
                self.lanes.append(number)
            self.lane_ptr.append(len(self.lanes))

    def _groups_of(self, lane: StopLane | int) -> list[int]:
        """Signal group of each movement of a lane; -1 where the link is not signalled."""
        if isinstance(lane, int):
            return [self.network.crossings[lane].group]
        movements = self.network.intersections[lane.intersection].movements
        return [movements[m].group for m in lane.movements]

    def _service(
        self, lane: StopLane | int, green: set[int], permissive: set[int]
    ) -> LaneService | None:
        """A lane under a stage, None if the stage does not serve it."""
        if isinstance(lane, int):
            return CROSSING if self.network.crossings[lane].group in green else None
        site = self.network.intersections[lane.intersection]
        return lane_service(site, lane, green, permissive)

    def _foes(self, number: int, service: LaneService) -> list[int]:
        """Lanes to which turning vehicles of a lane give way."""
        lane = self.lanes[number]
        if isinstance(lane, int) or not service.gives_way_to:
            return []
        first = self.lane_ptr[lane.intersection]
        return [
            foe
            for foe in range(first, min(self.lane_ptr[lane.intersection + 1], first + MOST_FOES))
            if foe != number
            and not isinstance(other := self.lanes[foe], int)
            and other.lane_id in service.gives_way_to
        ]

    def _stages(self) -> tuple[Rows, list[LaneService], list[int], list[int]]:
        rows, services, selectable, ptr = Rows(), list[LaneService](), list[int](), [0]
        for i, intersection in enumerate(self.network.intersections):
            for stage in intersection.stages:
                green, permissive = set(stage.groups), set(stage.permissive)
                served = []
                for number in range(self.lane_ptr[i], self.lane_ptr[i + 1]):
                    service = self._service(self.lanes[number], green, permissive)
                    if service is not None:
                        served.append(number)
                        services.append(service)
                rows.add(served)
                # Stages the scenario never shows serve single movements: with them mean delay
                # rose on most networks, threefold on ingolstadt21.
                selectable.append(int(stage.selectable and stage.delivered))
            ptr.append(len(selectable))
        return rows, services, selectable, ptr

    def _lane_exits(self) -> Rows:
        exit_of = {
            (lane.intersection, movement): number
            for number, lane in enumerate(self.network.exits)
            for movement in lane.movements
        }
        rows = Rows()
        for lane in self.lanes:
            found = (
                ()
                if isinstance(lane, int)
                else (
                    exit_of[key]
                    for m in lane.movements
                    if (key := (lane.intersection, m)) in exit_of
                )
            )
            rows.add(dict.fromkeys(found))
        return rows

    def _streams(self) -> _Streams:
        """The streams, approach by approach."""
        found = _Streams()
        fed = Counter(loop for a in self.network.approaches for loop in a.upstream_loops)
        for approach in self.network.approaches:
            advance_m, speed_mps = self._advance_of(approach.lanes)
            for loop, distance_m, ahead in zip(
                approach.upstream_loops,
                approach.upstream_m,
                approach.upstream_lanes,
                strict=True,
            ):
                between_m = max(distance_m - advance_m, 0.0)
                found.loop.append(loop)
                found.time_s.append(between_m / (FREE_SHARE * speed_mps))
                found.room_veh.append(between_m / JAM_SPACING_M)
                found.lanes.add(approach.lanes)
                found.share += [share / fed[loop] for share in lane_shares(approach.lanes, ahead)]
            found.ptr.append(len(found.loop))
        return found

    def _site_streams(self, streams: _Streams) -> Rows:
        """The streams intersection by intersection."""
        site_of = [
            self.network.lanes[approach.lanes[0]].intersection if approach.lanes else -1
            for approach in self.network.approaches
        ]
        found: dict[int, list[int]] = defaultdict(list)
        for a, site in enumerate(site_of):
            found[site].extend(range(streams.ptr[a], streams.ptr[a + 1]))
        rows = Rows()
        for i in range(len(self.network.intersections)):
            rows.add(found[i])
        return rows

    def _loop_targets(self, stream_loops: Sequence[int]) -> Rows:
        network = self.network
        targets: dict[int, list[int]] = defaultdict(list)
        for number, lane in enumerate(network.lanes):
            for loop in (*lane.stop_loops, *lane.advance_loops):
                targets[loop].append(self.of_lane[number])
        for number, loop in enumerate(stream_loops):
            targets[loop].append(number)
        for number, exit_ in enumerate(network.exits):
            for loop in exit_.exit_loops:
                targets[loop].append(number)
        for number, crossing in enumerate(network.crossings):
            for loop in crossing.call_loops:
                targets[loop].append(self.of_crossing[number])
        rows = Rows()
        for loop in range(len(network.loops)):
            rows.add(targets[loop])
        return rows

    def _advance_of(self, lanes: Sequence[int]) -> tuple[float, float]:
        """Mean distance of the advance loops of some lanes (0 if none) and their speed limit."""
        chosen = [self.network.lanes[lane] for lane in lanes]
        with_loop = [lane.advance_m for lane in chosen if lane.advance_loops]
        speed_mps = max((lane.speed_mps for lane in chosen), default=13.9)
        return (sum(with_loop) / len(with_loop) if with_loop else 0.0), speed_mps

    def city(self) -> City:
        """Put the arrays together."""
        network = self.network
        cars = [None if isinstance(lane, int) else lane for lane in self.lanes]
        entries, services, selectable, stage_ptr = self._stages()
        foes = Rows()
        for number, service in zip(entries.value, services, strict=True):
            foes.add(self._foes(number, service))
        stop, exits = Rows(), self._lane_exits()
        for lane in self.lanes:
            stop.add(
                network.crossings[lane].call_loops if isinstance(lane, int) else lane.stop_loops
            )
        approach_lanes = Rows()
        for approach in network.approaches:
            approach_lanes.add(self.of_lane[lane] for lane in approach.lanes)
        following = Rows()
        for exit_ in network.exits:
            following.add(self.of_lane[lane] for lane in exit_.leads_to)
        exit_loops = Rows()
        for exit_ in network.exits:
            exit_loops.add(
                loop
                for loop in sorted(exit_.exit_loops)
                if network.loops[loop].role is LoopRole.EXIT
            )
        streams = self._streams()
        targets = self._loop_targets(streams.loop)
        site_streams = self._site_streams(streams)
        links = fills(network)
        blocks, block_ptr = list[float](), list[int]()
        for intersection in network.intersections:
            block_ptr.append(len(blocks))
            for row in transition_times_s(intersection):
                blocks.extend(row)
        return City(
            lane_ptr=ints(self.lane_ptr),
            stage_ptr=ints(stage_ptr),
            entry_ptr=ints(entries.ptr),
            entry_lane=ints(entries.value),
            entry_flow=floats(service.flow for service in services),
            entry_foe_ptr=ints(foes.ptr),
            entry_foe=ints(foes.value),
            entry_opposed=floats(service.opposed for service in services),
            entry_unopposed=floats(service.unopposed for service in services),
            entry_cap=floats(service.cap for service in services),
            without_walkers=ints(
                -1 if other is None else other
                for site in network.intersections
                for other in map(site.without_walkers, range(len(site.stages)))
            ),
            min_green_s=ints(
                -(
                    -max((site.envelope.groups[g].min_green_ds for g in stage.groups), default=0)
                    // 10
                )
                for site in network.intersections
                for stage in site.stages
            ),
            # Stages that fill short links are for who watches these: the rolling horizon.
            selectable=ints(
                chosen and not filled for chosen, filled in zip(selectable, links, strict=True)
            ),
            transition_ptr=ints(block_ptr),
            transition_s=floats(blocks),
            lane_intersection=ints(
                network.crossings[lane].intersection if isinstance(lane, int) else lane.intersection
                for lane in self.lanes
            ),
            lane_approach=ints(lane.approach if lane else -1 for lane in cars),
            lane_groups=ints(
                bit_mask({g for g in self._groups_of(lane) if g >= 0}) for lane in self.lanes
            ),
            lane_storage_veh=floats(
                max(1.0, lane.length_m / JAM_SPACING_M) if lane else 1e9 for lane in cars
            ),
            lane_reach_veh=floats(
                max(1.0, lane.length_m / JAM_SPACING_M, lane.reach_m / JAM_SPACING_M)
                if lane
                else 1e9
                for lane in cars
            ),
            lane_advance_m=floats(lane.advance_m if lane else 0.0 for lane in cars),
            lane_advance_s=floats(
                lane.advance_m / (FREE_SHARE * lane.speed_mps) if lane else 0.0 for lane in cars
            ),
            lane_stop_ptr=ints(stop.ptr),
            lane_stop_loop=ints(stop.value),
            lane_advance_loop=ints(
                lane.advance_loops[0] if lane and lane.advance_loops else -1 for lane in cars
            ),
            lane_weight=floats(
                ROAD_USER_WEIGHT.get(lane.road_user, 1.0) if lane else 1.0 for lane in cars
            ),
            lane_is_crossing=ints(0 if lane else 1 for lane in cars),
            lane_exit_ptr=ints(exits.ptr),
            lane_exit=ints(exits.value),
            approach_lane_ptr=ints(approach_lanes.ptr),
            approach_lane=ints(approach_lanes.value),
            approach_stream_ptr=ints(streams.ptr),
            stream_approach=ints(
                number
                for number, approach in enumerate(network.approaches)
                for _ in approach.upstream_loops
            ),
            stream_loop=ints(streams.loop),
            stream_room_veh=floats(streams.room_veh),
            stream_s=floats(streams.time_s),
            site_stream_ptr=ints(site_streams.ptr),
            site_stream=ints(site_streams.value),
            stream_lane_ptr=ints(streams.lanes.ptr),
            stream_share=floats(streams.share),
            loop_role=ints(_ROLE[loop.role] for loop in network.loops),
            loop_target_ptr=ints(targets.ptr),
            loop_target=ints(targets.value),
            exit_intersection=ints(exit_.intersection for exit_ in network.exits),
            exit_loop_ptr=ints(exit_loops.ptr),
            exit_loop=ints(exit_loops.value),
            exit_next_ptr=ints(following.ptr),
            exit_next=ints(following.value),
            fill_ptr=ints([0, *itertools.accumulate(map(len, links))]),
            fill_exit=ints(fill.exit_lane for row in links for fill in row),
            fill_groups=ints(bit_mask(fill.groups) for row in links for fill in row),
            fill_others=ints(bit_mask(fill.others) for row in links for fill in row),
        )
