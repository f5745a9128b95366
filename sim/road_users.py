"""Whom lanes are for, from the vehicle classes that may use them."""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.models.envelope import RoadUser
from ampelwerk.sim.net_file import NetLane


def road_user_of(lanes: Sequence[NetLane]) -> RoadUser:
    """Whom lanes serve together: motor traffic unless they are kept for somebody else."""

    def only(*classes: str) -> bool:
        return bool(lanes) and all(lane.allow and lane.allow <= set(classes) for lane in lanes)

    if only("tram", "rail_urban", "light_rail", "subway"):
        return RoadUser.TRAM
    if only("bus", "coach", "taxi", "tram", "rail_urban", "emergency", "authority"):
        return RoadUser.BUS
    if only("bicycle"):
        return RoadUser.CYCLIST
    if only("pedestrian", "bicycle", "wheelchair"):
        return RoadUser.PEDESTRIAN
    return RoadUser.MOTOR
