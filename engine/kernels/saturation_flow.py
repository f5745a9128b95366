"""Saturation flow as it is learnt: departures per second of green while vehicles wait.

Of every lane under every stage; of lanes that give way also apart, while somebody departs to whom
they give way and while nobody does.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City, IntArray
from ampelwerk.engine.kernels.traffic import NEVER, Traffic

STANDING_S = 4.0
"""Stop-line loop held this long at green: its way is blocked, or it finds no gap. [s]"""
FORGET = 0.998
"""Forgetting of learnt saturation flow per second of service. [-]"""
SERVICE_GAP_S = 2.0
"""Seconds of service count while a vehicle was at the stop line this recently. [s]"""
START_UP_S = 2.0
"""First seconds of green in which saturation flow is not yet learnt. [s]"""
PRIOR_S = 40.0
"""Weight of the prior saturation flow. [s]"""


@kernel
def learn_flow(
    city: City, traffic: Traffic, stage: int, shown_s: float, now_s: float, step_s: float
) -> None:
    """Departures per second of service, for each lane the running stage serves.

    shown_s : moment at which the stage was shown in full, now if it is not yet. [s]
    """
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        lane = city.entry_lane[entry]
        if city.lane_is_crossing[lane] or traffic.green_since_s[lane] == NEVER:
            continue
        # A lane that was green before the stage, too, may only now have right of way.
        since_s = max(traffic.green_since_s[lane], shown_s)
        if traffic.departures[lane] > 0.0:
            traffic.stuck_s[entry] = NEVER
        elif now_s - since_s >= STANDING_S and _stands_on(city, traffic, lane, now_s):
            traffic.stuck_s[entry] = now_s
        if now_s - since_s < START_UP_S or traffic.queue_veh[lane] < 1.0:
            continue
        recent = False
        for j in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
            number = city.lane_stop_loop[j]
            recent = recent or traffic.occupied[number] > 0
            recent = recent or now_s - traffic.off_s[number] <= SERVICE_GAP_S
        blocked = False
        for j in range(city.lane_exit_ptr[lane], city.lane_exit_ptr[lane + 1]):
            blocked = blocked or traffic.full[city.lane_exit[j]] > 0
        if recent and not blocked:
            keep = FORGET**step_s
            traffic.served_veh[entry] = keep * traffic.served_veh[entry] + traffic.departures[lane]
            traffic.served_s[entry] = keep * traffic.served_s[entry] + step_s
            traffic.opposed_veh[entry] *= keep
            traffic.opposed_s[entry] *= keep
            if _is_opposed(city, traffic, entry, now_s):
                traffic.opposed_veh[entry] += traffic.departures[lane]
                traffic.opposed_s[entry] += step_s


@kernel
def _is_opposed(city: City, traffic: Traffic, entry: int, now_s: float) -> bool:
    """Somebody departs to whom turning vehicles of the lane give way."""
    for k in range(city.entry_foe_ptr[entry], city.entry_foe_ptr[entry + 1]):
        foe = city.entry_foe[k]
        for j in range(city.lane_stop_ptr[foe], city.lane_stop_ptr[foe + 1]):
            number = city.lane_stop_loop[j]
            if traffic.occupied[number] or now_s - traffic.off_s[number] <= SERVICE_GAP_S:
                return True
    return False


@kernel
def mark_opposed(
    city: City, traffic: Traffic, entries: IntArray, now_s: float, out: IntArray
) -> None:
    """1 for each of some services during which somebody departs to whom the lane gives way, else 0."""
    for k in range(len(entries)):
        out[k] = _is_opposed(city, traffic, entries[k], now_s)


@kernel
def _stands_on(city: City, traffic: Traffic, lane: int, now_s: float) -> bool:
    """Every stop-line loop of a lane has been held for `STANDING_S`."""
    first, last = city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]
    for j in range(first, last):
        number = city.lane_stop_loop[j]
        if not traffic.occupied[number] or now_s - traffic.on_s[number] < STANDING_S:
            return False
    return bool(last > first)


@kernel
def flow_veh_s(city: City, traffic: Traffic, entry: int) -> float:
    """Saturation flow of a lane under a stage: prior and what was learnt. [veh/s]"""
    return _with_prior(city.entry_flow[entry], traffic.served_veh[entry], traffic.served_s[entry])


@kernel
def opposed_flow_veh_s(city: City, traffic: Traffic, entry: int) -> float:
    """The same while somebody departs to whom it gives way. [veh/s]"""
    return _with_prior(
        city.entry_opposed[entry], traffic.opposed_veh[entry], traffic.opposed_s[entry]
    )


@kernel
def unopposed_flow_veh_s(city: City, traffic: Traffic, entry: int) -> float:
    """And while nobody does. [veh/s]"""
    return _with_prior(
        city.entry_unopposed[entry],
        traffic.served_veh[entry] - traffic.opposed_veh[entry],
        traffic.served_s[entry] - traffic.opposed_s[entry],
    )


@kernel
def _with_prior(prior_veh_s: float, veh: float, s: float) -> float:
    """What was learnt, weighed against the prior. [veh/s]"""
    return float((prior_veh_s * PRIOR_S + veh) / (PRIOR_S + s))
