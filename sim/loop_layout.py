"""Where loops lie: at the stop line, ahead of it, far upstream, and behind the junction.

Loops that the scenario brings take a role if they fit and are not doubled. Distances are measured
upstream from the stop line to a loop's upstream edge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from ampelwerk.models.detection import Loop, LoopId, LoopRole
from ampelwerk.models.intersection import LaneId
from ampelwerk.models.network import Network
from ampelwerk.sim.net_file import NetFile, NetLane, elements

if TYPE_CHECKING:
    from ampelwerk.sim.approaches import ChainLane

LENGTH_M = 2.0
"""Length of a generated loop: shorter ones miss standing vehicles. [m]"""
STOP_LINE_GAP_M = 0.5
"""Gap between a stop-line loop and the line. [m]"""
ADVANCE_M = 45.0
"""Distance of an advance loop. [m]"""
ADVANCE_LEAST_M = 20.0
"""On a shorter lane the advance loop lies at its start, if this much remains. [m]"""
UPSTREAM_M = 150.0
"""Distance wanted for upstream loops. [m]"""
REACH_M = 200.0
"""No loop lies further up. [m]"""
MERGE_M = 100.0
"""Where roads merge this far up, one loop after the merge is enough. [m]"""
UPSTREAM_APART_M = 12.0
"""An upstream loop this close to the advance loop tells nothing new. [m]"""
UPSTREAM_EDGE_M = 30.0
"""Shorter edges carry no upstream loop. [m]"""
EXIT_M = 12.0
"""Distance of an exit loop behind the junction. [m]"""
SOURCE_M = 12.0
"""Where no road leads into a lane vehicles appear on it, a bus's length in: a loop lies behind. [m]"""
EDGE_M = 0.01
"""Places closer than this are the same. [m]"""
SHORTEST_LANE_M = 5.0
"""Shorter lanes carry no loop but one at the stop line. [m]"""
SHORTEST_STOP_LANE_M = LENGTH_M + STOP_LINE_GAP_M
"""And shorter ones not even that. [m]"""
STEPS = 5
"""Lanes of a road that are looked at, one after the other, for a place."""
FIT_STOP_LINE_M, FIT_ADVANCE_M, FIT_EXIT_M = 6.0, (15.0, 80.0), 40.0
"""How far from the wanted place a loop of the scenario may lie for a role. [m]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioLoop:
    """A loop that the scenario brings along."""

    loop_id: str
    lane_id: str
    position_m: float
    """From the start of the lane, or from its end if negative. [m]"""
    length_m: float
    """0 where the scenario says nothing. [m]"""


_FILTERS = ("vTypes", "nextEdges", "detectPersons")
"""Attributes that make a loop blind to other traffic."""


def read_scenario_loops(additional_paths: Sequence[Path]) -> list[ScenarioLoop]:
    """E1 loops of additional files, without those that see some vehicles or people only."""
    return [
        ScenarioLoop(
            loop_id=element.get("id", ""),
            lane_id=element.get("lane", ""),
            position_m=float(element.get("pos", "0")),
            length_m=float(element.get("length", "0")),
        )
        for path in additional_paths
        for element in elements(path, ("inductionLoop", "e1Detector"))
        if not any(element.get(filter_) for filter_ in _FILTERS)
    ]


SHORTEST_KERB_M = 0.5
"""A walking area shorter than this carries no detector; its crossings always call. [m]"""


class LoopLayout:
    """Places loops one by one and remembers what lies where."""

    def __init__(
        self,
        net: NetFile,
        scenario_loops: Sequence[ScenarioLoop],
        *,
        generate: bool,
        without: Collection[LoopRole] = (),
    ) -> None:
        self.loops: list[Loop] = []
        self._net, self._generate, self._without = net, generate, without
        self._placed: dict[tuple[LoopRole, str], int] = {}
        self._given: dict[str, list[ScenarioLoop]] = {}
        for loop in scenario_loops:
            if loop.lane_id in net.lanes:
                self._given.setdefault(loop.lane_id, []).append(loop)

    def stop_line(self, lane: NetLane) -> list[int]:
        """Stop-line loops of a lane; on the ways into it or its predecessors if it is too short."""
        return [
            index
            for place in _long_enough(lane, SHORTEST_STOP_LANE_M, self._behind)
            for index in self._put(
                LoopRole.STOP_LINE,
                place,
                place.length_m - STOP_LINE_GAP_M - LENGTH_M,
                (place.length_m - FIT_STOP_LINE_M, place.length_m),
            )
        ]

    def exit(self, lane: NetLane) -> list[int]:
        """Exit loops of a lane; on its successors if it is too short."""
        return [
            index
            for place in _long_enough(lane, SHORTEST_LANE_M, self._ahead)
            for index in self._put(
                LoopRole.EXIT,
                place,
                EXIT_M if place.length_m >= 2 * EXIT_M else (place.length_m - LENGTH_M) / 2,
                (0.0, FIT_EXIT_M),
            )
        ]

    def advance(
        self, chain: Sequence[ChainLane], own: Sequence[ChainLane]
    ) -> tuple[list[int], float]:
        """Advance loop of a lane, on the part of its chain that feeds no other lane."""
        line = chain[0].lane
        distance_m = line.length_m if ADVANCE_LEAST_M <= line.length_m < ADVANCE_M else ADVANCE_M
        own_m = sum(link.lane.length_m for link in own)
        if own_m < ADVANCE_LEAST_M:
            return [], 0.0
        # Where its own road is shorter the loop lies at the start of that.
        distance_m = min(distance_m, max(link.end_m + link.lane.length_m for link in own))
        for link in own:
            top_m = link.end_m + link.lane.length_m
            if link.lane.length_m < SHORTEST_LANE_M or top_m < distance_m:
                continue
            at_m = (
                min(distance_m, top_m)
                if link.end_m + LENGTH_M <= distance_m
                else (link.end_m + LENGTH_M)
            )
            if at_m < ADVANCE_LEAST_M:
                return [], 0.0
            position_m = top_m - at_m
            found = self._put(
                LoopRole.ADVANCE,
                link.lane,
                position_m,
                (top_m - FIT_ADVANCE_M[1], top_m - FIT_ADVANCE_M[0]),
            )
            if found:
                at_m = top_m - self.loops[found[0]].position_m
            return found, at_m if found else 0.0
        return [], 0.0

    def upstream(
        self, stop_lanes: Sequence[NetLane], advance_m: Sequence[float]
    ) -> list[tuple[int, float, list[int]]]:
        """Upstream loops of an approach, on every road without a signal that leads to its lanes.

        With the distance of each, and the lanes straight ahead of it.
        """
        found: dict[int, tuple[int, float, list[int]]] = {}
        nearest_m = max(advance_m, default=0.0)
        for number, lane in enumerate(stop_lanes):
            for index, at_m in self._on_roads_to(lane, 0.0, nearest_m, set()):
                ahead = found.setdefault(index, (index, at_m, []))[2]
                if number not in ahead:
                    ahead.append(number)
        return list(found.values())

    def _on_roads_to(
        self, lane: NetLane, end_m: float, nearest_m: float, seen: set[str]
    ) -> list[tuple[int, float]]:
        """Loops as far up as wanted; after a merge if that is far enough, else on what merges."""
        if lane.lane_id in seen:
            return []
        seen.add(lane.lane_id)
        top_m = end_m + lane.length_m
        if top_m < UPSTREAM_M:
            entering = self._net.entering.get(lane.lane_id, ())
            roads = [c for c in entering if self._net.is_road(c.from_lane)]
            merge = len(roads) > 1 and top_m >= MERGE_M
            if roads and not merge and not any(c.tl for c in roads):
                found = []
                for connection in roads:
                    inside_m = sum(part.length_m for part in self._net.inside(connection))
                    place = self._net.lanes[connection.from_lane]
                    if top_m + inside_m + LENGTH_M < REACH_M:
                        found += self._on_roads_to(place, top_m + inside_m, nearest_m, seen)
                if found:
                    return found
        wanted_m = min(UPSTREAM_M, top_m)
        if wanted_m < nearest_m + UPSTREAM_APART_M or lane.length_m < UPSTREAM_EDGE_M:
            return []
        fits_m = (0.0, top_m - nearest_m - UPSTREAM_APART_M)
        placed = self._put(LoopRole.UPSTREAM, lane, top_m - wanted_m, fits_m)
        return [(index, top_m - self.loops[index].position_m) for index in placed]

    def kerb(self, lane: NetLane) -> list[int]:
        """Detector for people who wait in a walking area; it covers all of it."""
        known = self._placed.get((LoopRole.CALL, lane.lane_id))
        if known is not None:
            return [known]
        left_out = LoopRole.CALL in self._without
        if left_out or not self._generate or lane.length_m < SHORTEST_KERB_M:
            return []
        name = LoopId(f"aw.{LoopRole.CALL}.{lane.lane_id}")
        return [self._add(LoopRole.CALL, lane, name, 0.0, lane.length_m, True)]

    def _behind(self, lane: NetLane) -> Iterator[NetLane]:
        """Where a stop-line loop may lie instead, as near as there is room: no car may fit in between.

        A net may end a road with a lane of a metre after a junction without signals, several metres
        across; the loop then lies on the ways through that junction.
        """
        for way in self._net.entering.get(lane.lane_id, ()):
            # A scenario's own loops lie on roads.
            inside = self._net.inside(way) if self._generate and not way.tl else []
            long = [part for part in inside if part.length_m >= SHORTEST_STOP_LANE_M]
            if long:
                yield long[-1]
            elif self._net.is_road(way.from_lane):
                yield self._net.lanes[way.from_lane]

    def _ahead(self, lane: NetLane) -> Iterator[NetLane]:
        """Where an exit loop may lie instead."""
        for way in self._net.outgoing.get(lane.lane_id, ()):
            if self._net.is_road(way.to_lane):
                yield self._net.lanes[way.to_lane]

    def _put(
        self, role: LoopRole, lane: NetLane, position_m: float, fits_m: tuple[float, float]
    ) -> list[int]:
        """A loop for a role on a lane: the scenario's if one fits, else a generated one."""
        known = self._placed.get((role, lane.lane_id))
        if known is not None:
            return [known]
        if role in self._without:
            return []
        for given in self._given.get(lane.lane_id, ()):
            at_m = given.position_m + (lane.length_m if given.position_m < 0 else 0.0)
            if fits_m[0] <= at_m <= fits_m[1]:
                return [self._add(role, lane, LoopId(given.loop_id), at_m, given.length_m, False)]
        if not self._generate:
            return []
        source = self._net.is_road(lane.lane_id) and not self._net.entering.get(lane.lane_id)
        at_m = max(position_m, SOURCE_M if source else 0.0)
        if round(at_m, 2) + LENGTH_M > lane.length_m:  # SUMO refuses what ends beyond its lane
            at_m = lane.length_m - LENGTH_M - EDGE_M
        if at_m > fits_m[1] + EDGE_M:
            return []
        name = LoopId(f"aw.{role}.{lane.lane_id}")
        return [self._add(role, lane, name, at_m, LENGTH_M, True)]

    def _add(
        self,
        role: LoopRole,
        lane: NetLane,
        name: LoopId,
        position_m: float,
        length_m: float,
        generated: bool,
    ) -> int:
        """Enter a loop."""
        index = len(self.loops)
        self.loops.append(
            Loop(
                loop_id=name,
                role=role,
                lane_id=LaneId(lane.lane_id),
                position_m=round(position_m, 2),
                length_m=length_m,
                generated=generated,
            )
        )
        self._placed[role, lane.lane_id] = index
        return index


def _long_enough(
    lane: NetLane, least_m: float, further: Callable[[NetLane], Iterable[NetLane]]
) -> list[NetLane]:
    """The lane, or the nearest further ones on which there is room for a loop."""
    places, front, seen = list[NetLane](), [lane], {lane.lane_id}
    for _ in range(STEPS):
        places += [place for place in front if place.length_m >= least_m]
        short = [place for place in front if place.length_m < least_m]
        found = {new.lane_id: new for place in short for new in further(place)}
        front = [new for lane_id, new in found.items() if lane_id not in seen]
        seen.update(found)
    return places


def write_loop_additional(network: Network, path: Path) -> None:
    """An additional file with the generated loops; SUMO writes no output for them."""
    lines = ["<additional>"]
    for loop in network.loops:
        if loop.generated:
            persons = ' detectPersons="walk"' if loop.role is LoopRole.CALL else ""
            lines.append(
                f"  <inductionLoop id={quoteattr(loop.loop_id)} lane={quoteattr(loop.lane_id)}"
                f' pos="{loop.position_m:.2f}" length="{loop.length_m:g}"'
                f' period="60" file="NUL"{persons}/>'
            )
    lines.append("</additional>")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
