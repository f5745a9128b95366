"""Two signals a few vehicles apart: nobody turns left out of such a link through oncoming traffic.

Who waits inside the junction for a gap holds the link behind. A second vehicle in it stands in the
junction at its other end, in the way of those who turn there; with traffic both ways two of them
lock both junctions, and no order of greens undoes that. So stages that release such a turn
together with traffic it must give way to are left to the plan, and a stage that keeps the turn
red takes their place. The turn is released where it has its way to itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from ampelwerk.models.intersection import Intersection, Stage, StageId, Turn
from ampelwerk.models.network import Network

SHORT_LINK_M = 22.0
"""A link that is no longer is short: three cars fill it. [m]"""


def keep_short_links_clear(network: Network) -> Network:
    """The same network, its signals at short links with other stages to choose from."""
    short = _short_link_lanes(network)
    if not short:
        return network
    turns: dict[int, set[int]] = defaultdict(set)
    for number in short:
        lane = network.lanes[number]
        turns[lane.intersection].update(lane.movements)
    return replace(
        network,
        intersections=tuple(
            _without_waiting_turns(site, turns[i]) if i in turns else site
            for i, site in enumerate(network.intersections)
        ),
    )


def _short_link_lanes(network: Network) -> set[int]:
    """Stop-line lanes that another signal's vehicles enter directly and that few of them fill."""
    found = set[int]()
    for exit_ in network.exits:
        ends = [network.lanes[number] for number in exit_.leads_to]
        if ends and all(
            lane.length_m <= SHORT_LINK_M and lane.intersection != exit_.intersection
            for lane in ends
        ):
            found.update(exit_.leads_to)
    return found


def _without_waiting_turns(site: Intersection, movements: set[int]) -> Intersection:
    """Stages that let a turn out of a short link wait in the junction are replaced."""
    stages, fresh = list(site.stages), list[Stage]()
    for number, stage in enumerate(site.stages):
        if not (stage.selectable and stage.delivered):
            continue
        held = _waiting_groups(site, stage, movements)
        left = tuple(group for group in stage.groups if group not in held)
        protected = all(_released_alone(site, group, movements) for group in held)
        if not held or not left or not protected:
            continue
        stages[number] = replace(stage, selectable=False)
        if all(set(other.groups) != set(left) or not other.selectable for other in site.stages):
            fresh.append(
                replace(
                    stage,
                    stage_id=StageId(f"{stage.stage_id}k"),
                    groups=left,
                    permissive=tuple(group for group in stage.permissive if group in left),
                )
            )
    return replace(site, stages=(*stages, *fresh))


def _waiting_groups(site: Intersection, stage: Stage, movements: set[int]) -> set[int]:
    """Groups of the stage with which a turn out of a short link gives way to another green."""
    return {
        site.movements[m].group
        for m in movements
        if site.movements[m].turn in (Turn.LEFT, Turn.U_TURN)
        and site.movements[m].group in stage.permissive
        and any(foe in stage.groups for foe in site.movements[m].yields_to)
    }


def _released_alone(site: Intersection, group: int, movements: set[int]) -> bool:
    """Some stage to choose releases the group with nobody it must give way to."""
    return any(
        stage.selectable
        and stage.delivered
        and group in stage.groups
        and group not in _waiting_groups(site, stage, movements)
        for stage in site.stages
    )
