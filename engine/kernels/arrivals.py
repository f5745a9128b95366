"""Vehicles on their way: from the upstream loops to the advance loops, from there to the stop line.

A *stream* is what one upstream loop sends to one approach. The lane a vehicle will choose is known
at its advance loop only; until then the stream counts for each lane with a share, learnt from who
came where. Vehicles of a stream that never arrive make its shares smaller, and vehicles that no
stream announced make its cover smaller; so a loop that tells little is believed little.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City, FloatArray
from ampelwerk.engine.kernels.traffic import AHEAD, COMING, NEVER, Traffic

EARLY_S = 4.0
"""A vehicle may reach the advance loop this long before it is due. [s]"""
OVERDUE_S = 3.0
"""One not seen this long after it was due has turned off, or stands in a queue. [s]"""
HELD_UP_S = 2.0
"""One that reaches the advance loop later than this has been held up by a queue; others are slow. [s]"""
PATIENCE_S = 90.0
"""While an advance loop of its approach is held it is kept this long. [s]"""
HELD_S = 3.0
"""A loop occupied this long is held by a queue. [s]"""
GAP_S = 3.5
"""A gap this long over an advance loop shows that no queue reaches beyond it. [s]"""
SHARE_STEP = 0.03
"""Step of the moving averages of shares and covers, once enough vehicles have been seen. [-]"""
PRIOR_VEH = 10.0
"""Vehicles that the first shares and covers count as; until then all seen weigh the same. [veh]"""
TIME_STEP = 0.05
"""Step of the moving averages of travel times. [-]"""
LATE_COST = 0.1
"""Share by which a second of delay makes a stream less likely as a vehicle's origin. [1/s]"""


@kernel
def come_into_stream(traffic: Traffic, u: int, at_s: float, now_s: float) -> None:
    """A vehicle passed the upstream loop of a stream; one heard of too late has come by now."""
    traffic.passages[u] += 1.0
    due_s = at_s + traffic.stream_s[u]
    if due_s <= now_s - OVERDUE_S:
        return
    count = traffic.ahead[u]
    if count == AHEAD:
        _forget(traffic, u, 0)
        count -= 1
    place = count
    while place > 0 and traffic.ahead_s[u, place - 1] > due_s:
        traffic.ahead_s[u, place] = traffic.ahead_s[u, place - 1]
        place -= 1
    traffic.ahead_s[u, place] = due_s
    traffic.ahead[u] = count + 1


@kernel
def _forget(traffic: Traffic, u: int, k: int) -> None:
    """Take a vehicle out of a stream."""
    count = traffic.ahead[u] - 1
    for j in range(k, count):
        traffic.ahead_s[u, j] = traffic.ahead_s[u, j + 1]
    traffic.ahead[u] = count


@kernel
def come_to_advance_loop(
    city: City, traffic: Traffic, lane: int, at_s: float, now_s: float
) -> None:
    """A vehicle passed the lane's advance loop: it is expected at the line, no more upstream."""
    a = city.lane_approach[lane]
    first, last = city.approach_stream_ptr[a], city.approach_stream_ptr[a + 1]
    place = lane - city.approach_lane[city.approach_lane_ptr[a]]
    origin, k, best = -1, 0, -1.0e9
    for u in range(first, last):
        if traffic.ahead[u] == 0 or traffic.ahead_s[u, 0] > at_s + EARLY_S:
            continue
        share = traffic.share[city.stream_lane_ptr[u] + place]
        value = share - LATE_COST * abs(at_s - traffic.ahead_s[u, 0])
        if value > best:
            origin, best = u, value
    due_s = free_s = at_s + traffic.advance_s[lane]
    if origin >= 0:
        late_s = at_s - traffic.ahead_s[origin, k]
        alone = traffic.ahead[origin] == 1 or traffic.ahead_s[origin, 1] > at_s + EARLY_S
        if late_s > HELD_UP_S:
            due_s -= late_s
        if alone and abs(late_s) <= OVERDUE_S and traffic.queue_veh[lane] < 1.0:
            traffic.stream_s[origin] += TIME_STEP * late_s
        _forget(traffic, origin, k)
        traffic.resolved[origin] += 1.0
        step = max(SHARE_STEP, 1.0 / (PRIOR_VEH + traffic.resolved[origin]))
        for j in range(city.stream_lane_ptr[origin], city.stream_lane_ptr[origin + 1]):
            came = 1.0 if j - city.stream_lane_ptr[origin] == place else 0.0
            traffic.share[j] += step * (came - traffic.share[j])
    traffic.came[lane] += 1.0
    step = max(SHARE_STEP, 1.0 / (PRIOR_VEH + traffic.came[lane]))
    for u in range(first, last):
        entry = city.stream_lane_ptr[u] + place
        announced = 1.0 if u == origin else 0.0
        traffic.cover[entry] += step * (announced - traffic.cover[entry])
    traffic.arrivals[lane] += 1.0
    traffic.behind_veh[lane] = max(0.0, traffic.behind_veh[lane] - 1.0)
    if free_s <= now_s - OVERDUE_S and traffic.red_since_s[lane] > free_s:
        return  # heard of too late: a green since then has served it
    count = traffic.coming[lane]
    if due_s <= now_s or count == COMING:
        traffic.queue_veh[lane] += 1.0
        traffic.joined_s[lane] = now_s
    else:
        # Learnt travel times change: keep the order.
        if count > 0:
            due_s = max(due_s, traffic.coming_s[lane, count - 1])
        traffic.coming_s[lane, count] = due_s
        traffic.coming[lane] = count + 1


@kernel
def reach_stop_line(city: City, traffic: Traffic, lane: int, at_s: float) -> None:
    """A vehicle rolls onto the stop-line loop: with an empty road its travel time is learnt."""
    if (
        traffic.coming[lane] != 1
        or traffic.queue_veh[lane] > 0.0
        or traffic.green_since_s[lane] == NEVER
    ):
        return
    late_s = at_s - traffic.coming_s[lane, 0]
    if abs(late_s) <= OVERDUE_S:
        traffic.advance_s[lane] = max(0.5, traffic.advance_s[lane] + TIME_STEP * late_s)


@kernel
def fall_due(city: City, traffic: Traffic, first: int, last: int, now_s: float) -> None:
    """Vehicles whose undelayed arrival has passed join the queue of their lane."""
    for lane in range(city.lane_ptr[first], city.lane_ptr[last]):
        count = traffic.coming[lane]
        due = 0
        while due < count and traffic.coming_s[lane, due] <= now_s:
            due += 1
        if due:
            traffic.queue_veh[lane] += due
            traffic.joined_s[lane] = traffic.coming_s[lane, due - 1]
            take_coming(traffic, lane, due)
    before_s = traffic.ticked_s[0]
    for j in range(city.site_stream_ptr[first], city.site_stream_ptr[last]):
        u = city.site_stream[j]
        a = city.stream_approach[u]
        k = 0
        while k < traffic.ahead[u]:
            due_s = traffic.ahead_s[u, k]
            if before_s < due_s <= now_s:
                _join_without_loop(city, traffic, u, a, now_s)
            if due_s > now_s - OVERDUE_S:
                break
            held = _queue_stands(city, traffic, a)
            if held and due_s > now_s - PATIENCE_S:
                k += 1
                continue
            if not held:
                _never_came(city, traffic, u, a)
            _forget(traffic, u, k)


@kernel
def take_coming(traffic: Traffic, lane: int, number: int) -> None:
    """Take the first vehicles out of those expected at a stop line."""
    count = traffic.coming[lane] - number
    for j in range(count):
        traffic.coming_s[lane, j] = traffic.coming_s[lane, j + number]
    traffic.coming[lane] = count


@kernel
def _join_without_loop(city: City, traffic: Traffic, u: int, a: int, now_s: float) -> None:
    """Lanes without an advance loop take their share of a vehicle that is due."""
    first = city.approach_lane_ptr[a]
    for j in range(first, city.approach_lane_ptr[a + 1]):
        lane = city.approach_lane[j]
        if city.lane_advance_loop[lane] < 0:
            traffic.queue_veh[lane] += traffic.share[city.stream_lane_ptr[u] + j - first]
            traffic.joined_s[lane] = now_s


@kernel
def _queue_stands(city: City, traffic: Traffic, a: int) -> bool:
    """A queue reaches beyond an advance loop of the approach."""
    for j in range(city.approach_lane_ptr[a], city.approach_lane_ptr[a + 1]):
        if traffic.beyond[city.approach_lane[j]]:
            return True
    return False


@kernel
def _never_came(city: City, traffic: Traffic, u: int, a: int) -> None:
    """A vehicle of the stream was seen at no advance loop."""
    first = city.approach_lane_ptr[a]
    traffic.resolved[u] += 1.0
    step = max(SHARE_STEP, 1.0 / (PRIOR_VEH + traffic.resolved[u]))
    for j in range(first, city.approach_lane_ptr[a + 1]):
        if city.lane_advance_loop[city.approach_lane[j]] >= 0:
            entry = city.stream_lane_ptr[u] + j - first
            traffic.share[entry] -= step * traffic.share[entry]


@kernel
def stand_behind(city: City, traffic: Traffic, first: int, last: int, now_s: float) -> None:
    """Queues that reach beyond their advance loop, and how many stand there.

    A queue is taken to reach beyond from the moment the loop is held until there is a gap. Those of
    the streams who are overdue stand there; a held upstream loop says that the road is full up to
    it, and that more have come since at their mean rate.
    """
    for lane in range(city.lane_ptr[first], city.lane_ptr[last]):
        loop = city.lane_advance_loop[lane]
        if loop < 0:
            continue
        if traffic.occupied[loop]:
            if now_s - traffic.on_s[loop] > HELD_S:
                traffic.beyond[lane] = 1
        elif now_s - traffic.off_s[loop] > GAP_S:
            traffic.beyond[lane] = 0
            traffic.behind_veh[lane] = 0.0
    for i in range(city.site_stream_ptr[first], city.site_stream_ptr[last]):
        u = city.site_stream[i]
        a = city.stream_approach[u]
        begin, end, total = city.approach_lane_ptr[a], city.approach_lane_ptr[a + 1], 0.0
        for j in range(begin, end):
            if traffic.beyond[city.approach_lane[j]]:
                total += traffic.share[city.stream_lane_ptr[u] + j - begin]
        if total <= 0.0:
            continue
        overdue = 0.0
        for k in range(traffic.ahead[u]):
            if traffic.ahead_s[u, k] > now_s - OVERDUE_S:
                break
            overdue += 1.0
        loop = city.stream_loop[u]
        if traffic.occupied[loop] and now_s - traffic.on_s[loop] > HELD_S:
            since_s = now_s - traffic.on_s[loop] - HELD_S
            more = city.stream_room_veh[u] + since_s * traffic.stream_rate_veh_s[u]
            overdue = max(overdue, more)
        sent = overdue * min(1.0, total)
        for j in range(begin, end):
            lane = city.approach_lane[j]
            if traffic.beyond[lane]:
                share = traffic.share[city.stream_lane_ptr[u] + j - begin] / total
                room = max(0.0, city.lane_reach_veh[lane] - traffic.queue_veh[lane])
                found = max(traffic.behind_veh[lane], share * sent)
                traffic.behind_veh[lane] = min(room, found)


@kernel
def predict(city: City, traffic: Traffic, lane: int, now_s: float, out_veh: FloatArray) -> None:
    """Arrivals at the stop line in each of the seconds to come.

    out_veh : (H,) arrivals in (now, now + k + 1], cumulated. [veh]
    """
    out_veh[:] = 0.0
    a = city.lane_approach[lane]
    if a < 0:
        return
    horizon = len(out_veh)
    for k in range(traffic.coming[lane]):
        second = max(0, int(traffic.coming_s[lane, k] - now_s))
        if second < horizon:
            out_veh[second] += 1.0
    has_loop = city.lane_advance_loop[lane] >= 0
    to_line_s = traffic.advance_s[lane] if has_loop else 0.0
    rate = traffic.lane_rate_veh_s[lane]
    place = lane - city.approach_lane[city.approach_lane_ptr[a]]
    for second in range(min(horizon, int(to_line_s)), horizon):
        out_veh[second] += rate
    for u in range(city.approach_stream_ptr[a], city.approach_stream_ptr[a + 1]):
        entry = city.stream_lane_ptr[u] + place
        share = traffic.share[entry]
        for k in range(traffic.ahead[u]):
            early_s = traffic.ahead_s[u, k] - now_s
            if early_s <= -OVERDUE_S or (early_s <= 0.0 and not has_loop):
                continue
            second = int(max(early_s, 0.0) + to_line_s)
            if second < horizon:
                out_veh[second] += share
        announced = rate * traffic.cover[entry]
        until = min(horizon, int(to_line_s + traffic.stream_s[u]))
        for second in range(min(horizon, int(to_line_s)), until):
            out_veh[second] -= announced
    total = 0.0
    for second in range(horizon):
        total += max(0.0, out_veh[second])
        out_veh[second] = total
