"""Two signals a few vehicles apart: nobody may be caught between them.

A second vehicle in such a link, or one longer than it, stands in the junction behind; with traffic
both ways two of them lock both junctions, and no order of greens undoes that. So a link is entered
while its far end is released only (gate), its far end stays released while anybody may still come
(hold), and who waits to enter counts at the far end as if there already (pull).
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.traffic import NEVER, Traffic

LONGEST_HOLD_S = 40.0
"""A far end is held released no longer than this. [s]"""
PULL_VEH = 6.0
"""Most vehicles at the near end that count at the far end. [veh]"""
UNDER_WAY_S = 5.0
"""A vehicle that passed the near stop line this recently may be on the link. [s]"""


@kernel
def traps(city: City, traffic: Traffic, i: int, p: int) -> bool:
    """Stage p of intersection i sends vehicles into a short link whose far end is red."""
    stage = city.stage_ptr[i] + p
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        lane = city.entry_lane[entry]
        if traffic.queue_veh[lane] < 0.5 and traffic.coming[lane] == 0:
            continue
        for j in range(city.lane_exit_ptr[lane], city.lane_exit_ptr[lane + 1]):
            if _gate_closed(city, traffic, i, city.lane_exit[j]):
                return True
    return False


@kernel
def _gate_closed(city: City, traffic: Traffic, i: int, x: int) -> bool:
    """The exit is a short link and all its far end is red."""
    first, last = city.exit_next_ptr[x], city.exit_next_ptr[x + 1]
    for j in range(first, last):
        lane = city.exit_next[j]
        if city.lane_feed_ptr[lane] == city.lane_feed_ptr[lane + 1]:
            return False
        if city.lane_intersection[lane] == i or traffic.green_since_s[lane] > NEVER:
            return False
    return bool(last > first)


@kernel
def can_be_served(city: City, traffic: Traffic, i: int, present: int, lane: int) -> bool:
    """Some stage other than the present one releases the lane and catches nobody."""
    for p in range(city.stage_ptr[i + 1] - city.stage_ptr[i]):
        stage = city.stage_ptr[i] + p
        if p == present or not city.selectable[stage]:
            continue
        for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
            if city.entry_lane[entry] == lane and not traps(city, traffic, i, p):
                return True
    return False


@kernel
def must_hold(city: City, traffic: Traffic, signals: Signals, i: int, now_s: float) -> bool:
    """The present stage lets a short link out into which vehicles come, or in which they are."""
    if now_s - signals.since_s[i] > LONGEST_HOLD_S:
        return False
    stage = city.stage_ptr[i] + signals.stage[i]
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        lane = city.entry_lane[entry]
        for j in range(city.lane_feed_ptr[lane], city.lane_feed_ptr[lane + 1]):
            feeding = city.lane_feed[j]
            if now_s - traffic.departed_s[feeding] < UNDER_WAY_S:
                return True
            waits = traffic.queue_veh[feeding] >= 0.5 or traffic.coming[feeding] > 0
            if waits and _is_requested(city, signals, feeding):
                return True
    return False


@kernel
def _is_requested(city: City, signals: Signals, lane: int) -> bool:
    """The stage asked for at the lane's signal releases it."""
    i = city.lane_intersection[lane]
    stage = city.stage_ptr[i] + signals.stage[i]
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        if city.entry_lane[entry] == lane:
            return True
    return False


@kernel
def pull_veh(city: City, traffic: Traffic, lane: int) -> float:
    """Vehicles that wait to enter the short link, if the lane is one. [veh]"""
    total = 0.0
    for j in range(city.lane_feed_ptr[lane], city.lane_feed_ptr[lane + 1]):
        total += city.lane_feed_share[j] * traffic.queue_veh[city.lane_feed[j]]
    return min(total, PULL_VEH)
