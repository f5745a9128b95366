"""What leaves a neighbour: vehicles between its exit loops and the next signal's upstream loops.

A *feed* is the way from an exit lane to an approach of the next signal. The neighbour's outflow tells
of vehicles some ten seconds before an upstream loop does, and so stands in for the mean rate there.
Vehicles turn off and change lanes on the way: a feed counts for each stream of the approach with a
share, learnt from who passed which upstream loop, and vehicles that no exit loop announced make the
cover of their stream smaller, as with streams and lanes (`arrivals`).
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City, FloatArray
from ampelwerk.engine.kernels.traffic import FED, Traffic

EARLY_S = 4.0
"""A vehicle may be seen this long before it is due. [s]"""
SLOW_S = 3.0
"""From one that is later no travel time is learnt: a queue, or a turn, has held it up. [s]"""
GONE_S = 6.0
"""One not seen this long after it was due has turned off, or stands in a queue. [s]"""
SHARE_STEP = 0.03
"""Step of the moving averages of shares and covers. [-]"""
TIME_STEP = 0.05
"""Step of the moving averages of travel times. [-]"""
LATE_COST = 0.1
"""Share by which a second of delay makes a way less likely as a vehicle's. [1/s]"""


@kernel
def leave_neighbour(city: City, traffic: Traffic, x: int, at_s: float, now_s: float) -> None:
    """A vehicle passed the exit loop of a lane; one heard of too late has gone by."""
    for f in range(city.exit_feed_ptr[x], city.exit_feed_ptr[x + 1]):
        a = city.feed_approach[f]
        due_s = at_s + traffic.feed_s[f]
        place = traffic.fed[a]
        if due_s <= now_s - GONE_S or place == FED:
            continue
        while place > 0 and traffic.fed_s[a, place - 1] > due_s:
            traffic.fed_s[a, place] = traffic.fed_s[a, place - 1]
            traffic.fed_by[a, place] = traffic.fed_by[a, place - 1]
            place -= 1
        traffic.fed_s[a, place], traffic.fed_by[a, place] = due_s, f
        traffic.fed[a] += 1


@kernel
def reach_upstream_loop(city: City, traffic: Traffic, u: int, at_s: float) -> None:
    """A vehicle passed the upstream loop of a stream: it is expected there no more."""
    a = city.stream_approach[u]
    if city.approach_feed_ptr[a] == city.approach_feed_ptr[a + 1]:
        return
    place = u - city.approach_stream_ptr[a]
    found, best = -1, -1.0e9
    for k in range(traffic.fed[a]):
        if traffic.fed_s[a, k] > at_s + EARLY_S:
            break
        share = traffic.feed_share[city.feed_stream_ptr[traffic.fed_by[a, k]] + place]
        value = share - LATE_COST * abs(at_s - traffic.fed_s[a, k])
        if value > best:
            found, best = k, value
    announced = 0.0
    if found >= 0:
        announced = 1.0
        f, late_s = traffic.fed_by[a, found], at_s - traffic.fed_s[a, found]
        first = city.feed_stream_ptr[f]
        for j in range(first, city.feed_stream_ptr[f + 1]):
            came = 1.0 if j - first == place else 0.0
            traffic.feed_share[j] += SHARE_STEP * (came - traffic.feed_share[j])
        if abs(late_s) <= SLOW_S:
            traffic.feed_s[f] += TIME_STEP * late_s
        _forget(traffic, a, found)
    traffic.fed_cover[u] += SHARE_STEP * (announced - traffic.fed_cover[u])


@kernel
def give_up(city: City, traffic: Traffic, first: int, last: int, now_s: float) -> None:
    """Who is long overdue makes the shares of his feed smaller.

    first, last : the intersections from the one to before the other.
    """
    for i in range(city.site_stream_ptr[first], city.site_stream_ptr[last]):
        a = city.stream_approach[city.site_stream[i]]
        while traffic.fed[a] > 0 and traffic.fed_s[a, 0] <= now_s - GONE_S:
            f = traffic.fed_by[a, 0]
            for j in range(city.feed_stream_ptr[f], city.feed_stream_ptr[f + 1]):
                traffic.feed_share[j] -= SHARE_STEP * traffic.feed_share[j]
            _forget(traffic, a, 0)


@kernel
def _forget(traffic: Traffic, a: int, k: int) -> None:
    """Take a vehicle out of those on their way to an approach."""
    count = traffic.fed[a] - 1
    for j in range(k, count):
        traffic.fed_s[a, j] = traffic.fed_s[a, j + 1]
        traffic.fed_by[a, j] = traffic.fed_by[a, j + 1]
    traffic.fed[a] = count


@kernel
def announce(
    city: City,
    traffic: Traffic,
    u: int,
    share: float,
    rate_veh_s: float,
    to_line_s: float,
    now_s: float,
    out_veh: FloatArray,
) -> None:
    """Arrivals at a stop line by way of a stream, as far as exit loops tell.

    share : chance that a vehicle of the stream comes to the lane.
    rate_veh_s : the lane's mean rate from the stream, for which they stand in. [veh/s]
    to_line_s : from the upstream loop to the stop line. [s]
    out_veh : (H,) arrivals in each second, mean rates included. [veh]
    """
    a = city.stream_approach[u]
    first, last = city.approach_feed_ptr[a], city.approach_feed_ptr[a + 1]
    if first == last:
        return
    horizon, place = len(out_veh), u - city.approach_stream_ptr[a]
    for k in range(traffic.fed[a]):
        second = int(max(traffic.fed_s[a, k] - now_s, 0.0) + to_line_s)
        if second < horizon:
            out_veh[second] += (
                share * traffic.feed_share[city.feed_stream_ptr[traffic.fed_by[a, k]] + place]
            )
    ahead_s = traffic.feed_s[city.approach_feed[first]]
    for j in range(first + 1, last):
        ahead_s = min(ahead_s, traffic.feed_s[city.approach_feed[j]])
    begin = min(horizon, int(to_line_s))
    for second in range(begin, min(horizon, begin + int(ahead_s))):
        out_veh[second] -= rate_veh_s * traffic.fed_cover[u]
