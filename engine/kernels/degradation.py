"""What stands in for a loop that is not believed.

Upstream: the mean rate alone. Advance: the lane counts as one without such a loop; streams come to
it by share, and while somebody waits more join at the usual rate. Stop line: departures follow from
saturation flow and green, and the lane calls all the time. Both: arrivals at the usual rate, so that
the lane gets a green as long as its traffic used to need. Exit: open. Push buttons: always pressed.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel, part
from ampelwerk.engine.kernels.city import ADVANCE, EXIT, UPSTREAM, City, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import Signals, in_transition
from ampelwerk.engine.kernels.health import hear, judge
from ampelwerk.engine.kernels.loops import Health, Watch
from ampelwerk.engine.kernels.saturation_flow import flow_veh_s
from ampelwerk.engine.kernels.supervision import exit_share
from ampelwerk.engine.kernels.traffic import NEVER, Traffic

START_UP_S = 2.0
"""First seconds of green in which nobody crosses the line yet. [s]"""
CALL_VEH = 0.5
"""Queue of a lane at red whose stop line is not seen: enough for the supervisor. [veh]"""
RECALL_S = 120.0
"""Longest red of a lane without a sign of traffic, at a signal with loops in doubt. [s]"""
QUIET_S = 300.0
"""The same where all loops are believed. [s]"""
STAND_IN = 2
"""Loops are out of service in whose place something must be put."""
SPACING_M = 7.5
"""Road that a queued vehicle takes up. [m]"""
GAP_S, PLATOON_VEH = 2.5, 2.0
"""Vehicles over the stop line within this time are a platoon; so many follow. [s], [veh]"""
UNKNOWN_S = 2.5
"""A loop left so long ago says neither that the line is free nor that vehicles are crossing it: less
than `EMPTY_S`, more than `SERVICE_GAP_S` of the saturation flow. [s]"""
YIELDING_S = 15.0
"""So long a lane moves in which some give way, if another stage gives them right of way. [s]"""
UNCAPPED_VEH = 1e6
"""A cap above this is none. [veh]"""
LEAST_VEH_S = 0.01
"""Least arrival rate of a lane that is not seen at all: a vehicle in 100 s. [veh/s]"""


@kernel
def switch(city: City, watch: Watch, health: Health, traffic: Traffic, now_s: float) -> None:
    """Take loops out of service that are not believed any more, and put back those that are."""
    for k in range(len(health.quality)):
        lost = health.quality[k] < 1.0
        role = city.loop_role[k]
        first, last = city.loop_target_ptr[k], city.loop_target_ptr[k + 1]
        if lost and not health.out[k]:
            health.out[k] = 1
            traffic.occupied[k], traffic.off_s[k] = 0, now_s
            for j in range(first, last):
                target = city.loop_target[j]
                if role == ADVANCE:
                    city.lane_advance_loop[target] = -1
                    traffic.beyond[target], traffic.behind_veh[target] = 0, 0.0
                elif role == UPSTREAM:
                    traffic.ahead[target] = 0
                    for f in range(city.stream_lane_ptr[target], city.stream_lane_ptr[target + 1]):
                        health.kept_cover[f] = traffic.cover[f]
                        health.kept_share[f] = traffic.share[f]
                        traffic.cover[f] = 0.0
                elif role == EXIT:
                    traffic.full[target] = 0
        elif health.out[k] and not lost:
            health.out[k] = 0
            traffic.occupied[k] = health.on[k]
            if health.on[k]:
                traffic.on_s[k] = now_s
            for j in range(first, last):
                target = city.loop_target[j]
                if role == ADVANCE:
                    city.lane_advance_loop[target] = watch.advance[watch.advance_ptr[target]]
                elif role == UPSTREAM:
                    for f in range(city.stream_lane_ptr[target], city.stream_lane_ptr[target + 1]):
                        traffic.cover[f] = health.kept_cover[f]
                        traffic.share[f] = health.kept_share[f]


@kernel
def look_after(
    city: City,
    watch: Watch,
    health: Health,
    traffic: Traffic,
    loop: IntArray,
    at_s: FloatArray,
    on: IntArray,
    now_s: float,
    since_s: float,
) -> int:
    """Hear the edges since the last judgement, judge all loops, switch them out and in.

    loop, at_s, on : the edges, as in `DetectorFrame`, in order.
    since_s : time since the last judgement. [s]

    Returns 0 if all loops are in service, `STAND_IN` if one is out whose place must be taken in
    every tick, else 1.
    """
    hear(city, watch, health, loop, at_s, on, now_s)
    judge(city, watch, health, traffic, now_s, since_s)
    switch(city, watch, health, traffic, now_s)
    found = 0
    for k in range(len(health.out)):
        if health.out[k]:
            found = max(found, 1)
            if city.loop_role[k] not in (EXIT, UPSTREAM):
                found = STAND_IN
    return found


@kernel
def stand_in(
    city: City,
    watch: Watch,
    health: Health,
    traffic: Traffic,
    signals: Signals,
    now_s: float,
    step_s: float,
) -> None:
    """Put in the place of what lost loops would have said about every lane in this tick."""
    for k in range(len(health.out)):
        if health.out[k] and city.loop_role[k] != EXIT:
            traffic.off_s[k] = now_s + step_s - UNKNOWN_S
    for lane in range(len(traffic.queue_veh)):
        blind = city.lane_stop_ptr[lane + 1] > city.lane_stop_ptr[lane]
        for j in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
            blind = blind and health.out[city.lane_stop_loop[j]] > 0
        if city.lane_is_crossing[lane]:
            if blind and traffic.green_since_s[lane] == NEVER:
                traffic.queue_veh[lane] = max(traffic.queue_veh[lane], 1.0)
            continue
        had = watch.advance_ptr[lane + 1] > watch.advance_ptr[lane]
        unseen = city.lane_advance_loop[lane] < 0 and (had or blind)
        if not (blind or unseen):
            _recall(city, health, traffic, lane, now_s)
            continue
        if unseen and not blind:
            _keep_platoon(city, traffic, lane, now_s)
        elif not unseen and not traffic.beyond[lane]:
            # The advance loop shows that no queue reaches it.
            zone_veh = max(1.0, city.lane_advance_m[lane] / SPACING_M)
            traffic.queue_veh[lane] = min(traffic.queue_veh[lane], zone_veh)
        if unseen:
            _usual_arrivals(city, watch, health, traffic, lane, blind, now_s, step_s)
        if blind:
            i = city.lane_intersection[lane]
            shown = city.stage_ptr[i] + signals.stage[i]
            shown_s = signals.since_s[i]
            if in_transition(signals, i):
                shown_s = signals.decidable_s[i]
            _presumed_departures(city, traffic, lane, shown, shown_s, now_s, step_s)
        traffic.queue_veh[lane] = min(traffic.queue_veh[lane], city.lane_reach_veh[lane])


@kernel
def _keep_platoon(city: City, traffic: Traffic, lane: int, now_s: float) -> None:
    """While vehicles cross the line one close behind the other, more stand behind them."""
    if traffic.green_since_s[lane] > NEVER:
        for j in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
            k = city.lane_stop_loop[j]
            if traffic.occupied[k] or now_s - traffic.off_s[k] < GAP_S:
                traffic.queue_veh[lane] = max(traffic.queue_veh[lane], PLATOON_VEH)


@part
def _recall(city: City, health: Health, traffic: Traffic, lane: int, now_s: float) -> None:
    """A lane that was silent through a long red is tried, sooner at a signal whose loops are doubted.

    Both loops of a lane may have failed, and nobody else tells that its traffic is missing. And
    somebody may stand where no loop sees him: a bicycle beside it, a car that came out of a drive.
    He is let go when few others have to stop for it; only at a doubted signal at once.
    """
    doubted = health.doubted[city.lane_intersection[lane]] > 0
    limit_s = RECALL_S if doubted else QUIET_S
    red_s = now_s - traffic.red_since_s[lane]
    if (
        city.lane_stop_ptr[lane + 1] > city.lane_stop_ptr[lane]
        and city.lane_groups[lane] != 0
        and traffic.green_since_s[lane] == NEVER
        and red_s >= limit_s
        and traffic.queue_veh[lane] < CALL_VEH
    ):
        traffic.queue_veh[lane] = CALL_VEH
        traffic.departed_s[lane] = traffic.red_since_s[lane] + (0.0 if doubted else limit_s)


@kernel
def usual_veh_s(city: City, watch: Watch, health: Health, lane: int) -> float:
    """Arrival rate of a lane as its own loops saw it while they worked. [veh/s]"""
    rate: float = 0.0
    for j in range(watch.advance_ptr[lane], watch.advance_ptr[lane + 1]):
        k = watch.advance[j]
        rate = max(rate, health.own[k] / max(30.0, health.own_s[k]))
    line: float = 0.0
    for j in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
        k = city.lane_stop_loop[j]
        lanes = city.loop_target_ptr[k + 1] - city.loop_target_ptr[k]
        line += health.own[k] / max(30.0, health.own_s[k]) / max(1, lanes)
    return max(rate, line)


@kernel
def _usual_arrivals(
    city: City,
    watch: Watch,
    health: Health,
    traffic: Traffic,
    lane: int,
    blind: bool,
    now_s: float,
    step_s: float,
) -> None:
    """Vehicles that nothing announces join the queue of a lane at their usual rate.

    Where the stop line is seen, only while somebody waits there; but the first one may have
    stopped short of the loop, so the lane calls once somebody ought to have come.
    """
    rate = max(LEAST_VEH_S, usual_veh_s(city, watch, health, lane))
    if blind:
        traffic.lane_rate_veh_s[lane] = rate
    elif traffic.queue_veh[lane] < 1.0:
        red_s = now_s - traffic.red_since_s[lane]
        if traffic.green_since_s[lane] == NEVER and rate * red_s >= 1.0:
            traffic.queue_veh[lane] = max(traffic.queue_veh[lane], CALL_VEH)
            traffic.departed_s[lane] = traffic.red_since_s[lane]
        return
    announced = 0.0
    a = city.lane_approach[lane]
    place = lane - city.approach_lane[city.approach_lane_ptr[a]]
    for u in range(city.approach_stream_ptr[a], city.approach_stream_ptr[a + 1]):
        announced += traffic.cover[city.stream_lane_ptr[u] + place]
    traffic.queue_veh[lane] += max(0.0, 1.0 - announced) * rate * step_s


@kernel
def _presumed_departures(
    city: City,
    traffic: Traffic,
    lane: int,
    stage: int,
    shown_s: float,
    now_s: float,
    step_s: float,
) -> None:
    """A lane whose stop line is not seen empties at saturation flow under green.

    Where only some of its movements are green, the first vehicle that may not go is presumed to
    block it after as many as usual; such a green does not end its wait if there is a better one.
    Where some must give way, one that finds no gap is presumed to block it after a while.
    """
    green_since_s = traffic.green_since_s[lane]
    if green_since_s == NEVER:
        traffic.queue_veh[lane] = max(traffic.queue_veh[lane], CALL_VEH)
        return
    running_s = now_s - max(green_since_s, shown_s) - START_UP_S
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        if city.entry_lane[entry] != lane:
            continue
        flow = flow_veh_s(city, traffic, entry)
        if city.entry_cap[entry] < UNCAPPED_VEH and _served_in_full(city, lane):
            traffic.queue_veh[lane] = max(traffic.queue_veh[lane], CALL_VEH)
            if running_s * flow > city.entry_cap[entry]:
                traffic.stuck_s[entry] = now_s
                return
        elif running_s > YIELDING_S and _flows_better(city, lane, entry):
            traffic.queue_veh[lane] = max(traffic.queue_veh[lane], CALL_VEH)
            traffic.stuck_s[entry] = now_s
            return
        else:
            traffic.departed_s[lane] = now_s
        if running_s > 0.0:
            gone = flow * exit_share(city, traffic, lane) * step_s
            traffic.queue_veh[lane] = max(0.0, traffic.queue_veh[lane] - gone)


@kernel
def _flows_better(city: City, lane: int, present: int) -> bool:
    """Some other stage that may be chosen has right of way for what yields in the present one."""
    i = city.lane_intersection[lane]
    for stage in range(city.stage_ptr[i], city.stage_ptr[i + 1]):
        if not city.selectable[stage]:
            continue
        for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
            if (
                city.entry_lane[entry] == lane
                and city.entry_flow[entry] > 1.01 * city.entry_flow[present]
            ):
                return True
    return False


@kernel
def _served_in_full(city: City, lane: int) -> bool:
    """Some stage that may be chosen releases all movements of the lane."""
    i = city.lane_intersection[lane]
    for stage in range(city.stage_ptr[i], city.stage_ptr[i + 1]):
        if not city.selectable[stage]:
            continue
        for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
            if city.entry_lane[entry] == lane and city.entry_cap[entry] >= UNCAPPED_VEH:
                return True
    return False
