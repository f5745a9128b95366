"""Stages that let vehicles into a short link of a joint intersection though its far end is red."""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.models.intersection import Intersection, edge_of
from ampelwerk.models.network import ExitLane, Network


class Fill(NamedTuple):
    """A lane of a short link that a stage lets vehicles into."""

    exit_lane: int
    """The link's lane, among the exits of the network."""
    groups: set[int]
    """Green groups that lead into it."""
    others: set[int]
    """Groups at red that do."""


def fills(network: Network) -> list[list[Fill]]:
    """Of each stage, intersection by intersection, the lanes of short links it fills."""
    found = list[list[Fill]]()
    for i, site in enumerate(network.intersections):
        links = [
            (
                number,
                {site.movements[m].group for m in exit_.movements if site.movements[m].group >= 0},
                {site.movements[m].group for n in far for m in network.lanes[n].movements},
            )
            for number, exit_ in enumerate(network.exits)
            if site.parts and exit_.intersection == i and (far := _far_lanes(network, site, exit_))
        ]
        for stage in site.stages:
            green = set(stage.groups)
            found.append(
                [
                    Fill(number, feeding & green, feeding - green)
                    for number, feeding, leaving in links
                    if feeding & green and not leaving & (green | {-1})
                ]
            )
    return found


def _far_lanes(network: Network, site: Intersection, exit_: ExitLane) -> list[int]:
    """Lanes at the end of the same road, where another part of the intersection begins."""
    here = site.part_of(exit_.movements[0])
    return [
        number
        for number in exit_.leads_to
        if (lane := network.lanes[number]).intersection == exit_.intersection
        and edge_of(lane.lane_id) == edge_of(exit_.lane_id)
        and site.part_of(lane.movements[0]) != here
    ]
