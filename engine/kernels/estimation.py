"""From loop edges to queues and arrivals, lane by lane.

A lane's queue is the number of vehicles whose undelayed arrival at the stop line has passed and
that have not left: arrivals counted at the advance loop, departures at the stop line (input-output
balance after Sharma, Bullock & Bonneson 2007), put right by what occupancy proves (Lee, Wong & Li
2015): a stop line long free under green means no queue, an advance loop held means a full zone.
"""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import (
    ADVANCE,
    CALL,
    EXIT,
    STOP_LINE,
    UPSTREAM,
    City,
    FloatArray,
    IntArray,
)

RING_S = 64
"""Length of the rings of due times. [s]"""
OVERDUE_S = 3
"""A vehicle counted upstream and not seen at the advance loop this long after it was due is
dropped: it has turned off, or it stands in a queue that the advance loop reports itself. [s]"""
EMPTY_S = 3.0
"""Stop line free this long under green: nobody waits. [s]"""
HELD_S = 3.0
"""Advance loop occupied this long: the queue has reached it. [s]"""
BLOCKED_S = 4.0
"""Exit loop, or stop-line loop at green, held this long: the way on is blocked. [s]"""
RELEASE_S = 2.0
"""A full exit counts as open this long after it began to move. [s]"""
CALL_S = 4.0
"""Who stays in a walking area this long at red waits for the crossing. [s]"""
COMPANY_S = 45.0
"""Another pedestrian joins the one who called, on average. [s]"""
LANE_SHARE_STEP = 0.03
"""Step of the moving average of lane shares. [-]"""
RATE_S = 300.0
"""Time constant of an approach's mean arrival rate. [s]"""
FORGET = 0.998
"""Forgetting of learnt saturation flow per second of service. [-]"""
SERVICE_GAP_S = 2.0
"""Seconds of service count while a vehicle was at the stop line this recently. [s]"""
START_UP_S = 2.0
"""First seconds of green in which saturation flow is not yet learnt. [s]"""
PRIOR_S = 40.0
"""Weight of the prior saturation flow. [s]"""
NEVER = -1.0e9


class Traffic(NamedTuple):
    """What is believed about traffic; arrays as in `City`, R the ring length."""

    queue_veh: FloatArray
    """(L,) vehicles that would have passed the stop line by now, had nothing stopped them. [veh]"""
    due_veh: FloatArray
    """(L, R) vehicles between advance loop and stop line, by the second they are due. [veh]"""
    pool_veh: FloatArray
    """(A, R) vehicles upstream of the advance loops, by the second they are due there. [veh]"""
    lane_share: FloatArray
    """(L,) share of the approach's vehicles that choose the lane. [-]"""
    rate_veh_s: FloatArray
    """(A,) mean arrival rate. [veh/s]"""
    green_since_s: FloatArray
    """(L,) start of the present green, `NEVER` at red. [s]"""
    red_since_s: FloatArray
    """(L,) end of the last green. [s]"""
    called_s: FloatArray
    """(L,) first arrival at the kerb of a crossing since its last green, `NEVER` without. [s]"""
    departed_s: FloatArray
    """(L,) last departure, or the moment the queue began to form. [s]"""
    served_veh: FloatArray
    """(E,) departures under the stage while vehicles waited, forgotten slowly. [veh]"""
    served_s: FloatArray
    """(E,) seconds they took, forgotten alike. [s]"""
    stuck_s: FloatArray
    """(E,) moment at which the lane's first vehicle was last seen standing on under the stage, its
    way blocked or no gap found; `NEVER` after a departure. [s]"""
    occupied: IntArray
    """(K,) 1 while a vehicle is on the loop."""
    on_s: FloatArray
    """(K,) last rising edge. [s]"""
    off_s: FloatArray
    """(K,) last falling edge. [s]"""
    full: IntArray
    """(X,) 1 while the exit lane is blocked."""
    inside_veh: FloatArray
    """(I,) vehicles inside the junction: out over stop lines, not yet over exit loops. [veh]"""
    second: IntArray
    """(1,) last whole second that was worked off."""
    departures: FloatArray
    """(L,) departures in this tick. [veh]"""
    arrivals: FloatArray
    """(A,) vehicles counted in this tick at the outermost loop. [veh]"""


@kernel
def update(
    city: City,
    traffic: Traffic,
    loop: IntArray,
    at_s: FloatArray,
    on: IntArray,
    stage: IntArray,
    green: IntArray,
    now_s: float,
    step_s: float,
) -> None:
    """One tick: book the edges, then carry the beliefs to its end.

    loop, at_s, on : the edges, as in `DetectorFrame`.
    stage : (I,) stage shown by each intersection.
    green : (I,) bit mask of its green groups.
    """
    _apply_edges(city, traffic, loop, at_s, on, now_s)
    _advance(city, traffic, stage, green, now_s, step_s)


@kernel
def _apply_edges(
    city: City, traffic: Traffic, loop: IntArray, at_s: FloatArray, on: IntArray, now_s: float
) -> None:
    """Book the edges of one tick."""
    traffic.departures[:] = 0.0
    traffic.arrivals[:] = 0.0
    for k in range(len(loop)):
        number = loop[k]
        role = city.loop_role[number]
        first, last = city.loop_target_ptr[number], city.loop_target_ptr[number + 1]
        traffic.occupied[number] = on[k]
        if on[k]:
            traffic.on_s[number] = at_s[k]
            if role == ADVANCE:
                for j in range(first, last):
                    _arrive(city, traffic, city.loop_target[j], at_s[k], now_s)
            elif role == UPSTREAM:
                slot = int(at_s[k] + city.loop_delay_s[number])
                for j in range(first, last):
                    traffic.pool_veh[city.loop_target[j], slot % RING_S] += 1.0 / (last - first)
                    traffic.arrivals[city.loop_target[j]] += 1.0 / (last - first)
            elif role == CALL:
                for j in range(first, last):
                    lane = city.loop_target[j]
                    if traffic.called_s[lane] == NEVER:
                        traffic.called_s[lane] = at_s[k]
            elif role == EXIT and last > first:
                i = city.exit_intersection[city.loop_target[first]]
                traffic.inside_veh[i] = max(0.0, traffic.inside_veh[i] - 1.0)
        else:
            traffic.off_s[number] = at_s[k]
            if role == STOP_LINE:
                _depart(city, traffic, first, last, at_s[k])


@kernel
def _arrive(city: City, traffic: Traffic, lane: int, at_s: float, now_s: float) -> None:
    """A vehicle passed the lane's advance loop: take it out of the pool, expect it at the line."""
    a = city.lane_approach[lane]
    overdue = False
    if city.approach_upstream_m[a] > 0.0:
        second = int(at_s)
        for k in range(-OVERDUE_S, 4):
            slot = (second + k) % RING_S
            if traffic.pool_veh[a, slot] > 0.0:
                traffic.pool_veh[a, slot] = max(0.0, traffic.pool_veh[a, slot] - 1.0)
                overdue = k < -1
                break
    else:
        traffic.arrivals[a] += 1.0
    due_s = at_s + city.lane_advance_s[lane]
    if overdue or due_s <= now_s:
        traffic.queue_veh[lane] += 1.0
    else:
        traffic.due_veh[lane, int(due_s) % RING_S] += 1.0
    _learn_share(city, traffic, a, lane)


@kernel
def _learn_share(city: City, traffic: Traffic, approach: int, lane: int) -> None:
    """Move the lane shares of an approach towards the lane a vehicle was seen on."""
    for j in range(city.approach_lane_ptr[approach], city.approach_lane_ptr[approach + 1]):
        other = city.approach_lane[j]
        target = 1.0 if other == lane else 0.0
        traffic.lane_share[other] += LANE_SHARE_STEP * (target - traffic.lane_share[other])


@kernel
def _depart(city: City, traffic: Traffic, first: int, last: int, at_s: float) -> None:
    """A vehicle left a stop-line loop: it belongs to the lanes at green, else to all its lanes."""
    green = 0
    for j in range(first, last):
        if traffic.green_since_s[city.loop_target[j]] > NEVER:
            green += 1
    for j in range(first, last):
        lane = city.loop_target[j]
        if green and traffic.green_since_s[lane] == NEVER:
            continue
        share = 1.0 / (green if green else last - first)
        traffic.departures[lane] += share
        traffic.queue_veh[lane] -= share
        traffic.departed_s[lane] = at_s
        traffic.inside_veh[city.lane_intersection[lane]] += share
        if traffic.queue_veh[lane] < 0.0:
            _leave_early(traffic, lane, at_s)
        a = city.lane_approach[lane]
        if city.lane_advance_loop[lane] < 0:
            _learn_share(city, traffic, a, lane)
            if city.approach_upstream_m[a] <= 0.0:
                traffic.arrivals[a] += share


@kernel
def _leave_early(traffic: Traffic, lane: int, at_s: float) -> None:
    """More left than queued: those due next have been quick, or were never counted."""
    missing = -traffic.queue_veh[lane]
    traffic.queue_veh[lane] = 0.0
    second = int(at_s)
    for k in range(RING_S):
        slot = (second + k) % RING_S
        taken = min(missing, traffic.due_veh[lane, slot])
        traffic.due_veh[lane, slot] -= taken
        missing -= taken
        if missing <= 0.0:
            return


@kernel
def _advance(
    city: City, traffic: Traffic, stage: IntArray, green: IntArray, now_s: float, step_s: float
) -> None:
    """Carry the beliefs to the end of the tick: due vehicles join queues, occupancy corrects."""
    while traffic.second[0] < int(now_s):
        traffic.second[0] += 1
        _fall_due(city, traffic, traffic.second[0])
    for a in range(len(traffic.rate_veh_s)):
        gain = min(1.0, step_s / RATE_S)
        traffic.rate_veh_s[a] += gain * (traffic.arrivals[a] / step_s - traffic.rate_veh_s[a])
    _follow_signal(city, traffic, green, now_s)
    _walkers(city, traffic, now_s, step_s)
    _correct(city, traffic, now_s)
    for i in range(len(stage)):
        _learn_flow(city, traffic, city.stage_ptr[i] + stage[i], now_s, step_s)
    _exits(city, traffic, now_s)


@kernel
def _fall_due(city: City, traffic: Traffic, second: int) -> None:
    """Vehicles due in this second join the queue of their lane."""
    slot, late = second % RING_S, (second - OVERDUE_S - 1) % RING_S
    for lane in range(len(traffic.queue_veh)):
        if traffic.due_veh[lane, slot] > 0.0:
            traffic.queue_veh[lane] += traffic.due_veh[lane, slot]
            traffic.due_veh[lane, slot] = 0.0
    for a in range(len(traffic.rate_veh_s)):
        for j in range(city.approach_lane_ptr[a], city.approach_lane_ptr[a + 1]):
            lane = city.approach_lane[j]
            if city.lane_advance_loop[lane] < 0:
                traffic.queue_veh[lane] += traffic.pool_veh[a, slot] * traffic.lane_share[lane]
        traffic.pool_veh[a, late] = 0.0


@kernel
def _follow_signal(city: City, traffic: Traffic, green_of: IntArray, now_s: float) -> None:
    """Note when the lane's green begins and ends."""
    for lane in range(len(traffic.queue_veh)):
        green = green_of[city.lane_intersection[lane]]
        if city.lane_groups[lane] & green:
            if traffic.green_since_s[lane] == NEVER:
                traffic.green_since_s[lane] = now_s
        elif traffic.green_since_s[lane] > NEVER:
            traffic.green_since_s[lane] = NEVER
            traffic.red_since_s[lane] = now_s


@kernel
def _walkers(city: City, traffic: Traffic, now_s: float, step_s: float) -> None:
    """Green empties the kerb at once; at red, who comes to a kerb and stays calls.

    Passers-by are gone within `CALL_S`. Who stays through a green waits for another crossing of
    the same kerb, so only arrivals after it count. A crossing without a detector always calls.
    """
    for lane in range(len(traffic.queue_veh)):
        if not city.lane_is_crossing[lane]:
            continue
        if traffic.green_since_s[lane] > NEVER:
            traffic.queue_veh[lane], traffic.called_s[lane] = 0.0, NEVER
        elif traffic.queue_veh[lane] > 0.0:
            traffic.queue_veh[lane] += step_s / COMPANY_S
        else:
            first, last = city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]
            called = first == last
            if traffic.called_s[lane] > NEVER and now_s - traffic.called_s[lane] >= CALL_S:
                for j in range(first, last):
                    called = called or traffic.occupied[city.lane_stop_loop[j]] > 0
                traffic.called_s[lane] = NEVER
            if called:
                traffic.queue_veh[lane] = 1.0
            traffic.departed_s[lane] = now_s


@kernel
def _correct(city: City, traffic: Traffic, now_s: float) -> None:
    """What occupancy proves about every lane.

    The loop stands inside: passing the structures of arrays to a function costs more than a lane.
    """
    for lane in range(len(traffic.queue_veh)):
        if city.lane_is_crossing[lane]:
            continue
        held = free = False
        busy_s = NEVER
        for j in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
            number = city.lane_stop_loop[j]
            if traffic.occupied[number]:
                held = True
                busy_s = max(busy_s, traffic.on_s[number])
            else:
                free = free or now_s - traffic.off_s[number] >= EMPTY_S
        free = free and not held
        if traffic.green_since_s[lane] > NEVER:
            if free and now_s - traffic.green_since_s[lane] >= EMPTY_S:
                traffic.queue_veh[lane] = 0.0
        elif held and now_s - busy_s >= 2.0:
            traffic.queue_veh[lane] = max(traffic.queue_veh[lane], 1.0)
        elif free and city.lane_advance_loop[lane] < 0 and now_s - traffic.red_since_s[lane] >= 4.0:
            traffic.queue_veh[lane] = 0.0
        number = city.lane_advance_loop[lane]
        if number >= 0 and traffic.occupied[number] and now_s - traffic.on_s[number] > HELD_S:
            pending = 0.0
            for slot in range(RING_S):
                pending += traffic.due_veh[lane, slot]
                traffic.due_veh[lane, slot] = 0.0
            zone_veh = city.lane_advance_m[lane] / 7.5
            traffic.queue_veh[lane] = max(traffic.queue_veh[lane] + pending, zone_veh)
        traffic.queue_veh[lane] = min(traffic.queue_veh[lane], city.lane_storage_veh[lane])
        if traffic.queue_veh[lane] < 0.5:
            traffic.departed_s[lane] = now_s


@kernel
def _learn_flow(city: City, traffic: Traffic, stage: int, now_s: float, step_s: float) -> None:
    """Departures per second of service, for each lane the running stage serves."""
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        lane = city.entry_lane[entry]
        if city.lane_is_crossing[lane] or traffic.green_since_s[lane] == NEVER:
            continue
        if traffic.departures[lane] > 0.0:
            traffic.stuck_s[entry] = NEVER
        elif _stands_on(city, traffic, lane, now_s):
            traffic.stuck_s[entry] = now_s
        if now_s - traffic.green_since_s[lane] < START_UP_S or traffic.queue_veh[lane] < 1.0:
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


@kernel
def _stands_on(city: City, traffic: Traffic, lane: int, now_s: float) -> bool:
    """Every stop-line loop of a lane has been held through `BLOCKED_S` of its green."""
    if now_s - traffic.green_since_s[lane] < BLOCKED_S:
        return False
    first, last = city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]
    for j in range(first, last):
        number = city.lane_stop_loop[j]
        if not traffic.occupied[number] or now_s - traffic.on_s[number] < BLOCKED_S:
            return False
    return bool(last > first)


@kernel
def _exits(city: City, traffic: Traffic, now_s: float) -> None:
    """An exit lane is full while its loop is held, until it has moved for a while."""
    for number in range(len(traffic.occupied)):
        if city.loop_role[number] != EXIT:
            continue
        held = traffic.occupied[number] > 0 and now_s - traffic.on_s[number] >= BLOCKED_S
        moved = traffic.occupied[number] == 0 and now_s - traffic.off_s[number] >= RELEASE_S
        for j in range(city.loop_target_ptr[number], city.loop_target_ptr[number + 1]):
            if held:
                traffic.full[city.loop_target[j]] = 1
            elif moved:
                traffic.full[city.loop_target[j]] = 0
    for x in range(len(traffic.full)):
        if _has_no_room(city, traffic, x):
            traffic.full[x] = 1


@kernel
def _has_no_room(city: City, traffic: Traffic, x: int) -> bool:
    """The exit ends at the red lanes of the next signal, and none could take another vehicle.

    The loop tells this seconds too late where the next signal is only a few vehicles away.
    """
    first, last = city.exit_next_ptr[x], city.exit_next_ptr[x + 1]
    for j in range(first, last):
        lane = city.exit_next[j]
        room_veh = city.lane_storage_veh[lane] - traffic.queue_veh[lane]
        if traffic.green_since_s[lane] > NEVER or room_veh >= 1.0:
            return False
    return bool(last > first)


@kernel
def flow_veh_s(city: City, traffic: Traffic, entry: int) -> float:
    """Saturation flow of a lane under a stage: prior and what was learnt. [veh/s]"""
    return float(
        (city.entry_flow[entry] * PRIOR_S + traffic.served_veh[entry])
        / (PRIOR_S + traffic.served_s[entry])
    )


@kernel
def predict(city: City, traffic: Traffic, lane: int, now_s: float, out_veh: FloatArray) -> None:
    """Arrivals at the stop line in each of the seconds to come.

    out_veh : (H,) arrivals in (now + k, now + k + 1], cumulated. [veh]
    """
    a = city.lane_approach[lane]
    second = traffic.second[0]
    total = 0.0
    if a < 0:
        out_veh[:] = 0.0
        return
    to_line_s = int(city.lane_advance_s[lane] + 0.5)
    known_s = to_line_s + int(city.approach_upstream_s[a])
    share = traffic.lane_share[lane]
    for k in range(len(out_veh)):
        ahead = k + 1
        if ahead < RING_S - OVERDUE_S - 2:
            total += traffic.due_veh[lane, (second + ahead) % RING_S]
            if ahead > to_line_s - 1 and city.approach_upstream_m[a] > 0.0:
                total += share * traffic.pool_veh[a, (second + ahead - to_line_s) % RING_S]
        if ahead > known_s:
            total += share * traffic.rate_veh_s[a]
        out_veh[k] = total
