"""Short links within an intersection: who is let in though the far end is red.

Where few turn into a short link, its far end need not be green meanwhile: one vehicle can wait there.
Whether few do is learnt at the link's own loops while others of the intersection keep out of it.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals, in_transition
from ampelwerk.engine.kernels.traffic import Traffic

MANY_EDGES, MANY_S = 4.0, 12.0
"""What is taken to have been seen before anything was: so many edges in so long, which is many. [-], [s]"""
FORGET = 0.998
"""Forgetting of it per second. [-]"""
FEW_VEH_S = 0.06
"""No more edges a second than this at both ends of the link are few: one vehicle in half a minute. [1/s]"""
SETTLED_S = 3.0
"""Vehicles that came into the link before have passed its loops after this long. [s]"""


@kernel
def learn_entries(
    city: City, traffic: Traffic, signals: Signals, i: int, now_s: float, step_s: float
) -> None:
    """Edges at a link's loops while only those are green who would be let in against red.

    Each vehicle is seen as it comes in and at the far end, and counted twice: a loop that has failed
    does not make many look like few.
    """
    if in_transition(signals, i) or now_s - signals.since_s[i] < SETTLED_S:
        return
    green = signals.green[i]
    for k in range(city.fill_ptr[city.stage_ptr[i]], city.fill_ptr[city.stage_ptr[i + 1]]):
        if green & city.fill_groups[k] == 0 or green & city.fill_others[k]:
            continue
        seen = 0
        number = city.fill_exit[k]
        for j in range(city.exit_loop_ptr[number], city.exit_loop_ptr[number + 1]):
            seen += traffic.on_s[city.exit_loop[j]] > now_s - step_s
        for n in range(city.exit_next_ptr[number], city.exit_next_ptr[number + 1]):
            lane = city.exit_next[n]
            for j in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
                seen += traffic.on_s[city.lane_stop_loop[j]] > now_s - step_s
        keep = FORGET**step_s
        traffic.fill_edges[k] = keep * traffic.fill_edges[k] + seen
        traffic.fill_s[k] = keep * traffic.fill_s[k] + step_s


@kernel
def fills(city: City, stage: int) -> bool:
    """The stage lets somebody into a link whose far end is red."""
    return bool(city.fill_ptr[stage + 1] > city.fill_ptr[stage])


@kernel
def may_fill(city: City, traffic: Traffic, stage: int) -> bool:
    """Few come into each link that the stage fills, and one more has room there."""
    for k in range(city.fill_ptr[stage], city.fill_ptr[stage + 1]):
        number = city.fill_exit[k]
        if traffic.full[number] or traffic.fill_edges[k] > FEW_VEH_S * traffic.fill_s[k]:
            return False
        for n in range(city.exit_next_ptr[number], city.exit_next_ptr[number + 1]):
            lane = city.exit_next[n]
            if traffic.queue_veh[lane] > max(0.5, city.lane_storage_veh[lane] - 1.0):
                return False
    return True
