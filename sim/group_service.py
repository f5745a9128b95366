"""Whom each signal group serves, in words: road user, where they come from, where they go."""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.intersection import Intersection, Turn
from ampelwerk.models.network import Network
from ampelwerk.sim.report.naming import comes_from

_ROAD_USER = {
    RoadUser.MOTOR: "motor vehicles",
    RoadUser.PEDESTRIAN: "pedestrians",
    RoadUser.CYCLIST: "cyclists",
    RoadUser.TRAM: "trams",
    RoadUser.BUS: "buses",
}
_TURN = {
    Turn.U_TURN: "U-turn",
    Turn.LEFT: "left",
    Turn.STRAIGHT: "straight on",
    Turn.RIGHT: "right",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupService:
    """What one signal group is for."""

    group: str
    """Its name."""
    serves: str
    """Road users, in the plural."""
    comes_from: tuple[str, ...]
    """Where they come from, such as ``NW (edge e1)``; for pedestrians the crossing."""
    turns: tuple[str, ...]
    """Where they go; nothing for pedestrians."""

    def __str__(self) -> str:
        if not self.comes_from:
            return f"{self.group}  {self.serves}"
        if not self.turns:
            return f"{self.group}  {self.serves}, {' and '.join(self.comes_from)}"
        return (
            f"{self.group}  {self.serves} from {' and '.join(self.comes_from)}: "
            f"{', '.join(self.turns)}"
        )


def group_services(network: Network, intersection: int) -> list[GroupService]:
    """(groups,) what each signal group of an intersection is for."""
    site = network.intersections[intersection]
    origin = {
        str(network.lanes[lane].lane_id): f"{comes_from(approach.bearing_deg)} "
        f"(edge {approach.edge_id})"
        for approach in network.approaches
        if approach.intersection == intersection
        for lane in approach.lanes
    }
    return [_service(site, group, origin) for group in range(site.envelope.size)]


def _service(site: Intersection, number: int, origin: dict[str, str]) -> GroupService:
    group = site.envelope.groups[number]
    own = [movement for movement in site.movements if movement.group == number]
    if group.road_user is RoadUser.PEDESTRIAN:
        places = [f"crossing {movement.to_lane.rsplit('_', 1)[0]}" for movement in own]
    else:
        places = [
            origin.get(str(m.from_lane), f"edge {m.from_lane.rsplit('_', 1)[0]}") for m in own
        ]
    turns = {movement.turn for movement in own}
    return GroupService(
        group=str(group.group_id),
        serves=_ROAD_USER[group.road_user],
        comes_from=tuple(dict.fromkeys(places)),
        turns=tuple(word for turn, word in _TURN.items() if turn in turns),
    )
