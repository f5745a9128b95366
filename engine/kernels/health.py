"""Which loops can be believed: every loop is checked against those that see the same vehicles.

A loop without an edge is *expected* to have seen some vehicles: those that its partners counted
since its last one, times the ratio learnt while it worked. Partners are, near by, the loops of the
same lane (advance against stop line), the advance loops of the approach (upstream), the stop lines
that lead to an exit; further off, all stop lines of the signal. So night, a rarely used lane or a
blocked road, where the partners are silent too, is no fault. Too much expected in silence is
stuck on, if the loop shows occupied, else stuck off; pulses shorter or denser than vehicles are
chatter. A loop that is merely suspected is not believed either, until its next vehicle; one that is
lost must first work for ten minutes.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import (
    ADVANCE,
    CALL,
    STOP_LINE,
    UPSTREAM,
    City,
    FloatArray,
    IntArray,
)
from ampelwerk.engine.kernels.loops import (
    CHATTER,
    DENSE,
    SOUND,
    STUCK_OFF,
    STUCK_ON,
    SUSPECT,
    Health,
    Watch,
)
from ampelwerk.engine.kernels.traffic import NEVER, Traffic

SHORTEST_PULSE_S = 0.06
"""No vehicle leaves a loop again within this time. [s]"""
BLIPS, BLIP_S = 2.5, 30.0
"""So many shorter pulses are chatter; each counts half after this time. [-], [s]"""
DENSE_S = 2.0
"""More than `DENSE` rising edges within this time are chatter. [s]"""
BUSY, BUSY_S = 30.0, 30.0
"""More vehicles than this within this time are chatter. [veh], [s]"""
HEAL_S = 600.0
"""A lost loop is believed again after so long without a sign of fault. [s]"""
STUCK_S = 300.0
"""Occupied this long through two greens is stuck on. [s]"""
GREENS, GREEN_S = 2.0, 25.0
"""Greens, and seconds of green, that no vehicle waits through at an open lane. [-], [s]"""
VAIN_S = 40.0
"""So much green without a move is in vain, whatever others do. [s]"""
PASS_S = 10.0
"""Within so much green somebody who came would have reached the stop line. [s]"""
SAME_GREEN_S = 1.5
"""Greens that begin within this time are one. [s]"""
REFUTED = 2.0
"""Greens with a free stop line that disprove a held advance loop. [-]"""
SILENT_VEH, LEAST_S = 20.0, 60.0
"""A signal without any edge for so long, and while so many were expected, is cut off. [veh], [s]"""
KNOWN_VEH = 10.0
"""A loop that has seen fewer vehicles is doubted, but not given up. [veh]"""
FAR = 1.0e9
"""A limit that is never reached."""
FREE_S = 3.0
"""Stop line free this long under green: nobody waits. [s]"""
EXIT_HELD_S, EXIT_LONG_S = 40.0, 80.0
"""An exit held so long while some drove into it, or longer, is not believed. [s]"""
MEMORY, KEEP = 0.98, 0.99
"""Forgetting of ratios and rates with each vehicle, of the worst silence with each edge. [-]"""


@kernel
def hear(
    city: City,
    watch: Watch,
    health: Health,
    loop: IntArray,
    at_s: FloatArray,
    on: IntArray,
    now_s: float,
) -> None:
    """Book the edges of a tick."""
    for e in range(len(loop)):
        k = loop[e]
        _end_silence(watch, health, k, 0 if on[e] else 2)
        if on[e]:
            if city.loop_role[k] != CALL:
                _rise(health, k, at_s[e], now_s)
        else:
            _fall(city, watch, health, k, at_s[e], now_s)
        health.on[k] = on[e]
        health.since_s[k] = min(at_s[e], now_s)
        health.greens[k] = health.green_s[k] = health.refuted[k] = 0.0
        if watch.home[k] >= 0:
            health.heard_s[watch.home[k]] = now_s


@kernel
def _end_silence(watch: Watch, health: Health, k: int, place: int) -> None:
    """An edge: what partners saw since the one before is nothing to wonder at.

    place : first of the two numbers in `worst`.
    """
    near, far = _expected(watch, health, k)
    if health.quality[k] == 1.0:
        health.worst[k, place] = max(KEEP * health.worst[k, place], near)
        health.worst[k, place + 1] = max(KEEP * health.worst[k, place + 1], far)
    count, passed = near_count(watch, health, k), 0.0
    if watch.home[k] >= 0:
        passed = health.passed[watch.home[k]]
    health.near_seen[k] += count - health.near_mark[k]
    health.far_seen[k] += passed - health.far_mark[k]
    health.near_mark[k], health.far_mark[k] = count, passed


@kernel
def _expected(watch: Watch, health: Health, k: int) -> tuple[float, float]:
    """Vehicles the loop should have seen since its last edge, by near and by far partners."""
    if watch.home[k] < 0:
        return 0.0, 0.0
    near = near_count(watch, health, k) - health.near_mark[k]
    far = health.passed[watch.home[k]] - health.far_mark[k]
    near *= min(1.0, health.own[k] / max(1.0, health.near_seen[k]))
    far *= min(1.0, health.own[k] / max(1.0, health.far_seen[k]))
    return near, far


@kernel
def _rise(health: Health, k: int, at_s: float, now_s: float) -> None:
    """A rising edge: too many in a short time are no vehicles."""
    turn = health.turn[k]
    oldest_s = health.rises_s[k, turn]
    health.rises_s[k, turn] = at_s
    health.turn[k] = (turn + 1) % DENSE
    if 0.0 < at_s - oldest_s < DENSE_S:
        lose(health, k, CHATTER, now_s)
    if at_s - health.burst_s[k] > BUSY_S:
        health.burst[k], health.burst_s[k] = 0.0, at_s
    health.burst[k] += 1.0
    if health.burst[k] > BUSY:
        lose(health, k, CHATTER, now_s)


@kernel
def _fall(city: City, watch: Watch, health: Health, k: int, at_s: float, now_s: float) -> None:
    """A falling edge: a vehicle, unless the pulse was too short for one."""
    if (
        health.on[k]
        and city.loop_role[k] != CALL
        and 0.0 <= at_s - health.since_s[k] < SHORTEST_PULSE_S
    ):
        gone_s = min(max(0.0, at_s - health.blip_s[k]), 20.0 * BLIP_S)
        health.blips[k] = 1.0 + health.blips[k] * 0.5 ** (gone_s / BLIP_S)
        health.blip_s[k] = at_s
        if health.blips[k] >= BLIPS:
            lose(health, k, CHATTER, now_s)
        return
    health.own[k] = MEMORY * health.own[k] + 1.0
    health.near_seen[k] *= MEMORY
    health.far_seen[k] *= MEMORY
    health.own_s[k] = MEMORY * health.own_s[k] + max(0.0, at_s - health.vehicle_s[k])
    health.vehicle_s[k] = at_s
    if health.quality[k] > 0.0:
        health.counted[k] += 1.0
        i = watch.home[k]
        if i >= 0 and city.loop_role[k] == STOP_LINE:
            health.passed[i] += 1.0
            health.far_mark[k] += 1.0


@kernel
def near_count(watch: Watch, health: Health, k: int) -> float:
    """What the near partners of a loop have counted. [veh]"""
    total = 0.0
    for j in range(watch.near_ptr[k], watch.near_ptr[k + 1]):
        total += health.counted[watch.near[j]]
    return total


@kernel
def lose(health: Health, k: int, fault: int, now_s: float) -> None:
    """A fault was seen."""
    if health.quality[k] > 0.0:
        health.fault[k] = fault
    health.quality[k] = 0.0
    health.evidence_s[k] = now_s


@kernel
def judge(
    city: City, watch: Watch, health: Health, traffic: Traffic, now_s: float, step_s: float
) -> None:
    """The quality of every loop at the end of a tick.

    step_s : time since the last judgement; no green is shorter. [s]
    """
    health.lost[:] = health.doubted[:] = 0
    health.rate[:] = 0.0
    for k in range(len(health.quality)):
        i = watch.home[k]
        if i < 0 or not watch.heard[k]:
            continue
        role = city.loop_role[k]
        if role in (STOP_LINE, ADVANCE, CALL):
            _follow_green(city, health, traffic, k, now_s, step_s)
        certainty = _silence(city, watch, health, k, role, now_s)
        if certainty >= 1.0:
            lose(health, k, STUCK_ON if health.on[k] else STUCK_OFF, now_s)
        elif health.quality[k] == 0.0:
            if certainty >= 0.5:
                health.evidence_s[k] = now_s
            elif now_s - health.evidence_s[k] >= HEAL_S:
                health.quality[k], health.fault[k] = 1.0, SOUND
        elif certainty >= 0.5:
            health.quality[k], health.fault[k] = 0.5, SUSPECT
        else:
            health.quality[k], health.fault[k] = 1.0, SOUND
        if health.quality[k] == 0.0:
            health.lost[i] += 1
        if health.quality[k] == 0.0 or (health.quality[k] < 1.0 and role in (STOP_LINE, ADVANCE)):
            health.doubted[i] += 1
        if role == STOP_LINE:
            # A lane that stays quiet while others of the signal are heard is no busy one.
            quiet_s = max(0.0, health.heard_s[i] - health.vehicle_s[k])
            health.rate[i] += health.own[k] / max(LEAST_S, health.own_s[k] + quiet_s)
    for i in range(len(health.blind)):
        silent_s = now_s - health.heard_s[i]
        most = 2 * health.lost[i] > watch.loops[i]
        silent = silent_s >= LEAST_S and silent_s * health.rate[i] >= SILENT_VEH
        health.blind[i] = 1 if most or silent else 0


@kernel
def _follow_green(
    city: City, health: Health, traffic: Traffic, k: int, now_s: float, step_s: float
) -> None:
    """Count greens since the loop's last edge, and those that disprove a held advance loop."""
    longest_s, open_, free = -1.0, False, False
    for j in range(city.loop_target_ptr[k], city.loop_target_ptr[k + 1]):
        lane = city.loop_target[j]
        since_s = traffic.green_since_s[lane]
        if since_s == NEVER:
            continue
        longest_s = max(longest_s, now_s - since_s)
        for x in range(city.lane_exit_ptr[lane], city.lane_exit_ptr[lane + 1]):
            open_ = open_ or traffic.full[city.lane_exit[x]] == 0
        open_ = open_ or city.lane_exit_ptr[lane] == city.lane_exit_ptr[lane + 1]
        for s in range(city.lane_stop_ptr[lane], city.lane_stop_ptr[lane + 1]):
            line = city.lane_stop_loop[s]
            free = free or (
                not health.out[line]
                and not health.on[line]
                and now_s - health.since_s[line] >= FREE_S
                and now_s - since_s >= FREE_S
            )
    if longest_s >= 0.0:
        if longest_s < step_s - 1e-6:
            health.greens[k] += 1.0
        if open_:
            health.green_s[k] += step_s
        held = health.on[k] and now_s - health.since_s[k] >= PASS_S
        if free and held and city.loop_role[k] == ADVANCE:
            begin_s = now_s - longest_s
            if abs(begin_s - health.refuted_s[k]) > SAME_GREEN_S:
                health.refuted[k] += 1.0
                health.refuted_s[k] = begin_s


@kernel
def _silence(city: City, watch: Watch, health: Health, k: int, role: int, now_s: float) -> float:
    """How sure it is that the loop would have shown an edge by now: 0.5 in doubt, 1 certain.

    Limits lie above what nine networks with healthy loops show, see docs/faults.md.
    """
    near, far = _expected(watch, health, k)
    on, held_s = health.on[k] > 0, now_s - health.since_s[k]
    greens, green_s = health.greens[k], health.green_s[k]
    stuck = on and held_s > STUCK_S and green_s >= GREEN_S
    stuck = stuck and (greens >= GREENS or green_s >= STUCK_S)
    in_vain = on and green_s >= VAIN_S
    if role == CALL:
        return 1.0 if stuck else 0.0
    place = 2 if on else 0
    usual, usual_far = 2.0 + health.worst[k, place], 2.0 + health.worst[k, place + 1]
    if _alone(watch, health, k):
        by_far = 0.5 if far >= max(10.0, 1.5 * usual_far) else 0.0
    else:
        by_far = 0.5 if far >= max(16.0, 2.0 * usual_far) else 0.0
    known = health.own[k] >= KNOWN_VEH
    if never_heard(watch, health, k):
        by_far = 0.0
    if role == STOP_LINE:
        if stuck:
            return 1.0
        if on:
            limit = max(14.0, 2.0 * usual) if known else FAR
            certainty = _degree(near, max(8.0, 1.5 * usual), limit)
            if greens >= GREENS:
                in_vain = in_vain or (green_s >= GREEN_S and near >= 2.0)
                in_vain = in_vain or (green_s >= PASS_S and not watch.yields[k])
            certainty = max(certainty, 0.5 if in_vain else 0.0)
            return certainty
        if green_s < PASS_S:
            return 0.0
        return max(by_far, _degree(near, 4.0, max(12.0, 2.0 * usual) if known else FAR))
    if role == ADVANCE:
        if on:
            certainty = _degree(health.refuted[k], REFUTED, 2.0 * REFUTED)
            certainty = max(certainty, 0.5 if in_vain else 0.0)
            return max(certainty, by_far, _degree(near, 6.0, max(10.0, 2.0 * usual)))
        # Where many change lanes behind it they do so for minutes, while a queue stands on it.
        passed_by = max(1.0, health.near_seen[k] / max(1.0, health.own[k]))
        limit = max(20.0 * passed_by, 3.0 * usual) if known else FAR
        return max(by_far, _degree(near, 5.0, limit))
    both = known and near >= max(25.0, 4.0 * usual) and far >= max(25.0, 3.0 * usual_far)
    if role == UPSTREAM:
        return 1.0 if both else max(by_far, _degree(near, max(6.0, 1.2 * usual), FAR))
    if on:
        certainty = _degree(near, 3.0, max(10.0, 3.0 * usual))
        if (held_s > EXIT_HELD_S and near >= 1.0) or held_s > EXIT_LONG_S:
            certainty = max(certainty, 0.5)
        return certainty
    return 1.0 if both else max(by_far, _degree(near, max(4.0, 1.2 * usual), FAR))


@kernel
def never_heard(watch: Watch, health: Health, k: int) -> bool:
    """The loop has near partners, and neither it nor one of them has seen anybody since the begin.

    Most lanes that nobody ever used carry no traffic; `degradation` tries them now and then.
    """
    if health.rises_s[k, 0] > NEVER:
        return False
    for j in range(watch.near_ptr[k], watch.near_ptr[k + 1]):
        if health.rises_s[watch.near[j], 0] > NEVER:
            return False
    return bool(watch.near_ptr[k + 1] > watch.near_ptr[k])


@kernel
def _alone(watch: Watch, health: Health, k: int) -> bool:
    """No near partner of the loop is in service."""
    alone = True
    for j in range(watch.near_ptr[k], watch.near_ptr[k + 1]):
        alone = alone and health.out[watch.near[j]] > 0
    return alone


@kernel
def _degree(found: float, doubt: float, certain: float) -> float:
    """0, 0.5 or 1 as a number reaches two limits."""
    return 1.0 if found >= certain else (0.5 if found >= doubt else 0.0)
