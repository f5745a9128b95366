"""One intersection taken out of a network: what a controller has to know, and no more.

A loop belongs to one controller, the one whose detector card it is wired to: that of the stop-line
lane or crossing it serves, else of the road it lies on, else of the exit it watches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network


def loop_owners(network: Network) -> list[int | None]:
    """(loops,) index of the intersection whose controller reads each loop; None if nobody does."""
    owner: list[int | None] = [None] * len(network.loops)

    def take(loops: Sequence[int], intersection: int) -> None:
        for loop in loops:
            if owner[loop] is None:
                owner[loop] = intersection

    for lane in network.lanes:
        take((*lane.stop_loops, *lane.advance_loops), lane.intersection)
    for crossing in network.crossings:
        take(crossing.call_loops, crossing.intersection)
    for approach in network.approaches:
        take(approach.upstream_loops, approach.intersection)
    for exit_ in network.exits:
        take(exit_.exit_loops, exit_.intersection)
    return owner


def index_of(network: Network, intersection_id: str) -> int:
    """Number of an intersection by its name.

    Raises
    ------
    InvalidInputError : there is none of that name.
    """
    for number, intersection in enumerate(network.intersections):
        if intersection.intersection_id == intersection_id:
            return number
    names = [str(intersection.intersection_id) for intersection in network.intersections]
    raise InvalidInputError(
        "no such intersection",
        found=intersection_id,
        limit=", ".join(names[:10]) + (" ..." if len(names) > 10 else ""),
    )


def site_of(network: Network, intersection_id: IntersectionId | str) -> Network:
    """The network that has this intersection alone, with the loops its controller reads."""
    number = index_of(network, intersection_id)
    own = [loop for loop, i in enumerate(loop_owners(network)) if i == number]
    here = {loop: k for k, loop in enumerate(own)}
    lanes = [k for k, lane in enumerate(network.lanes) if lane.intersection == number]
    lane_here = {lane: k for k, lane in enumerate(lanes)}
    approaches = [k for k, a in enumerate(network.approaches) if set(a.lanes) & set(lanes)]

    def kept(of: Mapping[int, int], numbers: Sequence[int]) -> tuple[int, ...]:
        return tuple(of[n] for n in numbers if n in of)

    return Network(
        intersections=(network.intersections[number],),
        approaches=tuple(
            replace(
                a,
                intersection=0,
                lanes=kept(lane_here, a.lanes),
                upstream_loops=kept(here, a.upstream_loops),
                upstream_m=tuple(
                    m for k, m in zip(a.upstream_loops, a.upstream_m, strict=True) if k in here
                ),
                upstream_lanes=tuple(
                    kept(lane_here, ahead)
                    for k, ahead in zip(a.upstream_loops, a.upstream_lanes, strict=True)
                    if k in here
                ),
            )
            for a in (network.approaches[k] for k in approaches)
        ),
        lanes=tuple(
            replace(
                lane,
                intersection=0,
                approach=approaches.index(lane.approach) if lane.approach in approaches else -1,
                stop_loops=kept(here, lane.stop_loops),
                advance_loops=kept(here, lane.advance_loops),
            )
            for lane in (network.lanes[k] for k in lanes)
        ),
        exits=tuple(
            replace(
                e,
                intersection=0,
                exit_loops=kept(here, e.exit_loops),
                leads_to=kept(lane_here, e.leads_to),
            )
            for e in network.exits
            if e.intersection == number
        ),
        crossings=tuple(
            replace(c, intersection=0, call_loops=kept(here, c.call_loops))
            for c in network.crossings
            if c.intersection == number
        ),
        loops=tuple(network.loops[loop] for loop in own),
        uncontrolled=(),
    )
