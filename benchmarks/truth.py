"""What vehicles really do before the signals, read from SUMO; for benchmarks and tests only.

Control never sees any of this. Queue means the same as in `engine.kernels.traffic`: vehicles that
would have passed the stop line by now, had nothing stopped them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import libsumo
import numpy as np

from ampelwerk.engine.kernels.city import City, FloatArray
from ampelwerk.models.network import Network

REACH_M = 200.0
"""How far from the stop line vehicles are seen. [m]"""
SLOWEST_MPS = 1.0
"""Undelayed speed is taken as no less. [m/s]"""


@dataclass(slots=True, kw_only=True)
class Sight:
    """A vehicle on its way to a signal."""

    signal: str
    """Name of the signal in SUMO."""
    lane: int
    """Lane it will pass the stop line on, as in `City`."""
    due_s: float
    """When it would pass the line from where it was first seen, with nobody in its way. [s]"""
    distance_m: float
    """To the stop line. [m]"""
    slowest_mps: float
    """Its least speed since it passed the lane's advance loop, or was first seen. [m/s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A vehicle that passed the stop line."""

    vehicle: str
    lane: int
    at_s: float
    """When its front did. [s]"""
    slowest_mps: float
    """Its least speed since it passed the lane's advance loop, or was first seen. [m/s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A vehicle that came nearer to the stop line than a lane's advance loop."""

    vehicle: str
    lane: int


@dataclass(slots=True, kw_only=True)
class Seen:
    """The street at the end of a tick."""

    queue_veh: FloatArray
    """(L,) vehicles in the queue of each lane; 0 for crossings. [veh]"""
    came_veh: FloatArray
    """(L,) vehicles that fell due in this tick, or passed the line before they were. [veh]"""
    due_s: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Lane -> when those not in the queue are due at its line, in order. [s]"""
    passages: list[Passage] = field(default_factory=list)
    """Who passed a stop line in this tick."""
    crossings: list[Crossing] = field(default_factory=list)
    """Who passed an advance loop in this tick, the first one first."""


class Truth:
    """Follows all vehicles within reach of the signals of a network.

    Parameters
    ----------
    network : the network as control sees it, of which `city` was laid out.
    reach_m : how far from the stop line vehicles are seen. [m]
    """

    def __init__(
        self, network: Network, city: City, step_s: float, reach_m: float = REACH_M
    ) -> None:
        self._lane = dict(zip(lane_ids(network), city_lanes(network, city), strict=True))
        self._advance_m = city.lane_advance_m
        self._lanes, self._step_s, self._reach_m = city.lanes, step_s, reach_m
        self._sights: dict[str, Sight] = {}
        self._from_lanes: dict[str, list[list[str]]] = {}

    def read(self, now_s: float) -> Seen:
        """Look at the street; once a tick, after SUMO's step."""
        seen = Seen(queue_veh=np.zeros(self._lanes), came_veh=np.zeros(self._lanes))
        before, self._sights = self._sights, {}
        speeds = {
            vehicle: libsumo.vehicle.getSpeed(vehicle) for vehicle in libsumo.vehicle.getIDList()
        }
        crossed: list[tuple[float, Crossing]] = []
        for vehicle, speed_mps in speeds.items():
            old = before.get(vehicle)
            sight = self._sight(vehicle, speed_mps, old, now_s)
            if old is not None and (sight is None or sight.signal != old.signal):
                self._pass(vehicle, old, speed_mps, now_s, seen)
            if sight is None:
                continue
            self._sights[vehicle] = sight
            if sight.due_s <= now_s:
                seen.queue_veh[sight.lane] += 1.0
                if old is None or old.signal != sight.signal or old.due_s > now_s - self._step_s:
                    seen.came_veh[sight.lane] += 1.0
            else:
                seen.due_s[sight.lane].append(sight.due_s)
            loop_m = self._advance_m[sight.lane]
            if (
                old is not None
                and old.signal == sight.signal
                and (sight.distance_m < loop_m <= old.distance_m)
            ):
                sight.slowest_mps = speed_mps
                crossed.append((sight.distance_m, Crossing(vehicle=vehicle, lane=sight.lane)))
        for dues in seen.due_s.values():
            dues.sort()
        seen.crossings = [crossing for _, crossing in sorted(crossed, key=lambda item: item[0])]
        return seen

    def _sight(
        self, vehicle: str, speed_mps: float, old: Sight | None, now_s: float
    ) -> Sight | None:
        """The vehicle as seen now; None if no signal that is controlled is within reach."""
        ahead = libsumo.vehicle.getNextTLS(vehicle)
        if not ahead:
            return None
        signal, link, distance_m, _ = ahead[0]
        if distance_m > self._reach_m:
            return None
        lane = self._lane.get(self._stop_lane(vehicle, signal, link))
        if lane is None:
            return None
        if old is not None and old.signal == signal:
            due_s, slowest_mps = old.due_s, min(old.slowest_mps, speed_mps)
        else:
            free_mps = max(SLOWEST_MPS, libsumo.vehicle.getAllowedSpeed(vehicle))
            due_s, slowest_mps = now_s + distance_m / free_mps, speed_mps
        return Sight(
            signal=signal, lane=lane, due_s=due_s, distance_m=distance_m, slowest_mps=slowest_mps
        )

    def _stop_lane(self, vehicle: str, signal: str, link: int) -> str:
        """Lane from which a link of a signal leads on; where there are several, the vehicle's."""
        if signal not in self._from_lanes:
            links = libsumo.trafficlight.getControlledLinks(signal)
            self._from_lanes[signal] = [[c[0] for c in connections] for connections in links]
        lanes = self._from_lanes[signal][link]
        if len(lanes) > 1 and (own := libsumo.vehicle.getLaneID(vehicle)) in lanes:
            return str(own)
        return lanes[0] if lanes else ""

    def _pass(self, vehicle: str, old: Sight, speed_mps: float, now_s: float, seen: Seen) -> None:
        """A vehicle has the signal behind it: it passed the line, or it left the way to it."""
        moved_m = speed_mps * self._step_s
        if moved_m <= 0.0 or old.distance_m > moved_m:
            return
        if old.due_s > now_s - self._step_s:  # it was not in the queue
            seen.came_veh[old.lane] += 1.0
        at_s = now_s - self._step_s * (1.0 - old.distance_m / moved_m)
        seen.passages.append(
            Passage(vehicle=vehicle, lane=old.lane, at_s=at_s, slowest_mps=old.slowest_mps)
        )


def lane_ids(network: Network) -> list[str]:
    """Names of the stop-line lanes in SUMO."""
    return [str(lane.lane_id) for lane in network.lanes]


def city_lanes(network: Network, city: City) -> list[int]:
    """Number in `City` of each stop-line lane: those of an intersection lie before its crossings."""
    count: dict[int, int] = defaultdict(int)
    found = []
    for lane in network.lanes:
        found.append(int(city.lane_ptr[lane.intersection]) + count[lane.intersection])
        count[lane.intersection] += 1
    return found
