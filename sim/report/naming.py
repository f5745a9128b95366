"""Words for signal groups and directions, as a traffic engineer would say them."""

from __future__ import annotations

from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.intersection import Intersection, Turn
from ampelwerk.models.network import Network

COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
_TURN_SIGN = {Turn.LEFT: "←", Turn.STRAIGHT: "↑", Turn.RIGHT: "→", Turn.U_TURN: "↶"}
_TURN_ORDER = (Turn.U_TURN, Turn.LEFT, Turn.STRAIGHT, Turn.RIGHT)
TURN_WORDS = "↶ U-turn, ← left, ↑ straight on, → right"
_ROAD_USER = {
    RoadUser.PEDESTRIAN: "pedestrians",
    RoadUser.CYCLIST: "cyclists",
    RoadUser.TRAM: "tram",
    RoadUser.BUS: "bus",
}


def comes_from(bearing_deg: float) -> str:
    """Where traffic with a direction of travel comes from: heading south is from N."""
    return COMPASS[round((bearing_deg + 180) / 45) % 8]


def group_labels(network: Network, intersection: int) -> list[str]:
    """(groups,) name, approach and turns of each signal group, such as ``K2 NW ←``."""
    site = network.intersections[intersection]
    origin = {
        str(network.lanes[lane].lane_id): comes_from(approach.bearing_deg)
        for approach in network.approaches
        if approach.intersection == intersection
        for lane in approach.lanes
    }
    return [_label(site, group, origin) for group in range(site.envelope.size)]


def _label(site: Intersection, group: int, origin: dict[str, str]) -> str:
    lamp = site.envelope.groups[group]
    own = [movement for movement in site.movements if movement.group == group]
    parts = [str(lamp.group_id)]
    if lamp.road_user in _ROAD_USER:
        parts.append(_ROAD_USER[lamp.road_user])
    places = sorted({origin[m.from_lane] for m in own if m.from_lane in origin}, key=COMPASS.index)
    if places:
        parts.append("+".join(places))
    turns = {movement.turn for movement in own}
    parts.append("".join(_TURN_SIGN[turn] for turn in _TURN_ORDER if turn in turns))
    return " ".join(part for part in parts if part)
