"""How a stage serves a stop-line lane, before anything is learnt: flow, blocked heads, who gives way."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ampelwerk.models.intersection import Intersection, LaneId, Movement, Turn
from ampelwerk.models.network import StopLane

SATURATION_FLOW_VEH_S = 0.53
"""Prior of the saturation flow of a lane, measured in SUMO as 0.52-0.58. [veh/s]"""
PERMISSIVE_FACTOR = 0.35
"""Prior share of the saturation flow that a permissive turn gets through opposing traffic."""
UNOPPOSED_FACTOR, OPPOSED_FACTOR = 0.75, 0.15
"""The same while nobody comes the other way (a follow-up time of 2.5 s, after Harders 1968), and while a
queue does: those who wait in the junction, and few gaps."""
CROSSING_FLOW_PED_S = 5.0
"""A crossing serves all who wait at its kerb within the first seconds of green. [ped/s]"""


class LaneService(NamedTuple):
    """How a stage serves a lane, at first."""

    flow: float
    """Saturation flow. [veh/s]"""
    cap: float = 1e9
    """Vehicles before one that may not go blocks the head. [veh]"""
    unopposed: float = 0.0
    """Saturation flow while nobody comes whom it gives way to. [veh/s]"""
    opposed: float = 0.0
    """And while somebody does. [veh/s]"""
    gives_way_to: frozenset[LaneId] = frozenset()
    """Lanes, released too, that vehicles come from to whom its turning vehicles give way."""


CROSSING = LaneService(CROSSING_FLOW_PED_S)
"""A pedestrian crossing whose group is green."""


def gives_way(movement: Movement, green: Collection[int], permissive: Collection[int]) -> bool:
    """Whether a movement turns across others who are green too, and has to let them pass.

    Parameters
    ----------
    green, permissive : groups that are green, and those of them that give way.
    """
    return (
        movement.group in permissive
        and movement.turn in (Turn.LEFT, Turn.U_TURN)
        and any(foe in green for foe in movement.yields_to)
    )


def lane_service(
    site: Intersection, lane: StopLane, green: set[int], permissive: set[int]
) -> LaneService | None:
    """A lane under a stage, None if the stage does not serve it.

    Parameters
    ----------
    green, permissive : groups that are green in the stage, and those of them that give way.
    """
    movements = [site.movements[m] for m in lane.movements]
    if not any(movement.group in green for movement in movements):
        return None
    open_ = [movement for movement in movements if movement.group in green or movement.group < 0]
    yielding = [movement for movement in movements if gives_way(movement, green, permissive)]
    held = 1 - len(open_) / len(movements)
    cap = (1 - held) / held if held > 0 else 1e9
    share = len(yielding) / len(open_)
    flow, unopposed, opposed = (
        SATURATION_FLOW_VEH_S * (1 - (1 - factor) * share)
        for factor in (PERMISSIVE_FACTOR, UNOPPOSED_FACTOR, OPPOSED_FACTOR)
    )
    links = {link for movement in yielding for link in movement.yields_to_links}
    return LaneService(
        flow=flow,
        cap=max(cap, 1.0),
        unopposed=unopposed,
        opposed=opposed,
        gives_way_to=frozenset(
            movement.from_lane
            for movement in site.movements
            if movement.sumo_link_index in links and movement.group in green
        ),
    )
