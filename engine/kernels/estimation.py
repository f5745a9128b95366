"""From loop edges to queues and arrivals, lane by lane.

A lane's queue is the number of vehicles whose undelayed arrival at the stop line has passed and
that have not left: arrivals counted at the advance loop, departures at the stop line (input-output
balance after Sharma, Bullock & Bonneson 2007), put right by what occupancy proves (Lee, Wong & Li
2015): a stop line long free under green means no queue, an advance loop held means a full zone.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.arrivals import (
    come_into_stream,
    come_to_advance_loop,
    fall_due,
    reach_stop_line,
    stand_behind,
    take_coming,
)
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
from ampelwerk.engine.kernels.decision import Signals, in_transition
from ampelwerk.engine.kernels.junction_box import count_late, enter_junction, leave_junction
from ampelwerk.engine.kernels.saturation_flow import learn_flow
from ampelwerk.engine.kernels.short_links import learn_entries
from ampelwerk.engine.kernels.traffic import NEVER, Traffic

EMPTY_S = 3.0
"""Stop line free this long under green: nobody waits. [s]"""
HELD_S = 3.0
"""Advance loop occupied this long: the queue has reached it. [s]"""
BLOCKED_S = 4.0
"""Exit loop held this long: the way on is blocked. [s]"""
RELEASE_S = 2.0
"""A full exit counts as open this long after it began to move. [s]"""
CALL_S = 4.0
"""Who stays in a walking area this long at red waits for the crossing. [s]"""
COMPANY_S = 45.0
"""Another pedestrian joins the one who called, on average. [s]"""
RATE_S = 300.0
"""Time constant of mean arrival rates. [s]"""
YOUNG_S = 60.0
"""At the start they follow this fast. [s]"""
ROLL_S = 2.0
"""Who came onto the stop-line loop at green no longer ago than this is about to cross the line. [s]"""


@kernel
def book(
    city: City, traffic: Traffic, loop: IntArray, at_s: FloatArray, on: IntArray, now_s: float
) -> None:
    """Book the edges of one tick.

    loop, at_s, on : the edges, as in `DetectorFrame`.
    """
    traffic.departures[:] = 0.0
    traffic.arrivals[:] = 0.0
    traffic.passages[:] = 0.0
    for k in range(len(loop)):
        number = loop[k]
        role = city.loop_role[number]
        first, last = city.loop_target_ptr[number], city.loop_target_ptr[number + 1]
        traffic.occupied[number] = on[k]
        if on[k]:
            traffic.on_s[number] = at_s[k]
            if role == ADVANCE:
                for j in range(first, last):
                    come_to_advance_loop(city, traffic, city.loop_target[j], at_s[k], now_s)
            elif role == UPSTREAM:
                for j in range(first, last):
                    come_into_stream(traffic, city.loop_target[j], at_s[k], now_s)
            elif role == STOP_LINE:
                for j in range(first, last):
                    reach_stop_line(city, traffic, city.loop_target[j], at_s[k])
            elif role == CALL:
                for j in range(first, last):
                    lane = city.loop_target[j]
                    if traffic.called_s[lane] == NEVER:
                        traffic.called_s[lane] = at_s[k]
            elif role == EXIT and last > first:
                i = city.exit_intersection[city.loop_target[first]]
                leave_junction(traffic, i, at_s[k], now_s)
        else:
            traffic.off_s[number] = at_s[k]
            if role == STOP_LINE:
                _depart(city, traffic, first, last, at_s[k], now_s)


@kernel
def _depart(city: City, traffic: Traffic, first: int, last: int, at_s: float, now_s: float) -> None:
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
        enter_junction(traffic, city.lane_intersection[lane], at_s, now_s, share)
        if traffic.queue_veh[lane] < 0.0:
            _leave_early(traffic, lane)
        if city.lane_advance_loop[lane] < 0:
            traffic.arrivals[lane] += share


@kernel
def _leave_early(traffic: Traffic, lane: int) -> None:
    """More left than queued: those due next have been quick, or were never counted."""
    missing = -traffic.queue_veh[lane]
    traffic.queue_veh[lane] = 0.0
    if traffic.coming[lane] > 0:
        take_coming(traffic, lane, 1)
        traffic.queue_veh[lane] = max(0.0, 1.0 - missing)


@kernel
def believe(
    city: City,
    traffic: Traffic,
    signals: Signals,
    now_s: float,
    step_s: float,
    first: int,
    last: int,
) -> None:
    """Carry the beliefs to the end of the tick: due vehicles join queues, occupancy corrects.

    Intersections share nothing here, so any part of them may be done beside any other.

    signals : what they showed meanwhile.
    first, last : the intersections from the one to before the other.
    """
    fall_due(city, traffic, first, last, now_s)
    stand_behind(city, traffic, first, last, now_s)
    _learn_rates(city, traffic, first, last, now_s, step_s)
    _follow_signal(city, traffic, signals.green, first, last, now_s)
    _walkers(city, traffic, first, last, now_s, step_s)
    _correct(city, traffic, first, last, now_s)
    count_late(traffic, first, last, now_s, step_s)
    for i in range(first, last):
        shown_s = now_s if in_transition(signals, i) else signals.since_s[i]
        learn_flow(city, traffic, city.stage_ptr[i] + signals.stage[i], shown_s, now_s, step_s)
        learn_entries(city, traffic, signals, i, now_s, step_s)


@kernel
def _learn_rates(
    city: City, traffic: Traffic, first: int, last: int, now_s: float, step_s: float
) -> None:
    """Mean rates of lanes and streams; streams' shares of lanes without an advance loop."""
    young_s = YOUNG_S + now_s - traffic.began_s[0]
    gain = min(1.0, step_s / min(RATE_S, young_s))
    for lane in range(city.lane_ptr[first], city.lane_ptr[last]):
        traffic.lane_rate_veh_s[lane] += gain * (
            traffic.arrivals[lane] / step_s - traffic.lane_rate_veh_s[lane]
        )
    for i in range(city.site_stream_ptr[first], city.site_stream_ptr[last]):
        u = city.site_stream[i]
        traffic.stream_rate_veh_s[u] += gain * (
            traffic.passages[u] / step_s - traffic.stream_rate_veh_s[u]
        )
        a = city.stream_approach[u]
        begin = city.approach_lane_ptr[a]
        for j in range(begin, city.approach_lane_ptr[a + 1]):
            lane = city.approach_lane[j]
            if traffic.arrivals[lane] > 0.0 and city.lane_advance_loop[lane] < 0:
                entry = city.stream_lane_ptr[u] + j - begin
                sent = traffic.cover[entry] * traffic.lane_rate_veh_s[lane]
                traffic.share[entry] = min(1.0, sent / max(traffic.stream_rate_veh_s[u], 1e-3))


@kernel
def _follow_signal(
    city: City, traffic: Traffic, green_of: IntArray, first: int, last: int, now_s: float
) -> None:
    """Note when the lane's green begins and ends."""
    for lane in range(city.lane_ptr[first], city.lane_ptr[last]):
        green = green_of[city.lane_intersection[lane]]
        if city.lane_groups[lane] & green:
            if traffic.green_since_s[lane] == NEVER:
                traffic.green_since_s[lane] = now_s
        elif traffic.green_since_s[lane] > NEVER:
            traffic.green_since_s[lane] = NEVER
            traffic.red_since_s[lane] = now_s


@kernel
def _walkers(
    city: City, traffic: Traffic, first: int, last: int, now_s: float, step_s: float
) -> None:
    """Green empties the kerb at once; at red, who comes to a kerb and stays calls.

    Passers-by are gone within `CALL_S`. Who stays through a green waits for another crossing of
    the same kerb, so only arrivals after it count. A crossing without a detector always calls.
    """
    for lane in range(city.lane_ptr[first], city.lane_ptr[last]):
        if not city.lane_is_crossing[lane]:
            continue
        if traffic.green_since_s[lane] > NEVER:
            traffic.queue_veh[lane], traffic.called_s[lane] = 0.0, NEVER
        elif traffic.queue_veh[lane] > 0.0:
            traffic.queue_veh[lane] += step_s / COMPANY_S
        else:
            begin, end = city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]
            called = begin == end
            if traffic.called_s[lane] > NEVER and now_s - traffic.called_s[lane] >= CALL_S:
                for j in range(begin, end):
                    called = called or traffic.occupied[city.lane_stop_loop[j]] > 0
                traffic.called_s[lane] = NEVER
            if called:
                traffic.queue_veh[lane] = 1.0
            traffic.departed_s[lane] = now_s


@kernel
def _correct(city: City, traffic: Traffic, first: int, last: int, now_s: float) -> None:
    """What occupancy proves about every lane.

    The loop stands inside: passing the structures of arrays to a function costs more than a lane.
    """
    for lane in range(city.lane_ptr[first], city.lane_ptr[last]):
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
        elif free and city.lane_advance_loop[lane] < 0 and now_s - traffic.red_since_s[lane] >= 4.0:
            traffic.queue_veh[lane] = 0.0
        if held and now_s - busy_s >= 2.0:
            traffic.queue_veh[lane] = max(traffic.queue_veh[lane], 1.0)
        number = city.lane_advance_loop[lane]
        if number >= 0 and traffic.occupied[number] and now_s - traffic.on_s[number] > HELD_S:
            pending = float(traffic.coming[lane])
            traffic.coming[lane] = 0
            zone_veh = city.lane_advance_m[lane] / 7.5
            traffic.queue_veh[lane] = max(traffic.queue_veh[lane] + pending, zone_veh)
        traffic.queue_veh[lane] = min(traffic.queue_veh[lane], city.lane_reach_veh[lane])
        if traffic.queue_veh[lane] < 0.5:
            traffic.departed_s[lane] = now_s


@kernel
def fill_exits(city: City, traffic: Traffic, first: int, last: int, now_s: float) -> None:
    """An exit lane is full while its loop is held, until it has moved for a while.

    Looks at the lanes of the next signal, so all beliefs must have been carried on before.

    first, last : the exit lanes from the one to before the other.
    """
    for x in range(first, last):
        for j in range(city.exit_loop_ptr[x], city.exit_loop_ptr[x + 1]):
            number = city.exit_loop[j]
            if traffic.occupied[number]:
                if now_s - traffic.on_s[number] >= BLOCKED_S:
                    traffic.full[x] = 1
            elif now_s - traffic.off_s[number] >= RELEASE_S:
                traffic.full[x] = 0
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
        room_veh = city.lane_reach_veh[lane] - traffic.queue_veh[lane]
        if traffic.green_since_s[lane] > NEVER or room_veh >= 1.0:
            return False
    return bool(last > first)


@kernel
def update(
    city: City,
    traffic: Traffic,
    signals: Signals,
    loop: IntArray,
    at_s: FloatArray,
    on: IntArray,
    now_s: float,
    step_s: float,
) -> None:
    """All of one tick, for a caller alone; arguments as above."""
    book(city, traffic, loop, at_s, on, now_s)
    believe(city, traffic, signals, now_s, step_s, 0, len(signals.stage))
    fill_exits(city, traffic, 0, len(traffic.full), now_s)
    traffic.ticked_s[0] = now_s


@kernel
def crossing_veh(city: City, traffic: Traffic, lane: int, now_s: float) -> float:
    """Vehicles of the queue whose front crosses the stop line, though their rear is on the loop."""
    if traffic.green_since_s[lane] == NEVER:
        return 0.0
    count = 0.0
    for j in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
        number = city.lane_stop_loop[j]
        since_s = max(traffic.green_since_s[lane], now_s - ROLL_S)
        if traffic.occupied[number] and traffic.on_s[number] > since_s:
            count += 1.0
    return count
