"""One lane through one cycle of a fixed-time plan: uniform, random and overflow delay.

Uniform delay comes from the lane's queue followed second by second, vehicles standing at the line
(Robertson 1969). Chance and overflow add the incremental delay of the Highway Capacity Manual 2000,
equation 16-12, after Akçelik (1981), for a fixed-time signal (k = 0.5, I = 1).
"""

from __future__ import annotations

import math

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import FloatArray


@kernel
def incremental_delay(saturation: float, capacity_veh_h: float, period_h: float) -> float:
    """Delay from random arrivals and from overflow, averaged over all who arrive. [s/veh]

    saturation : degree of saturation. [-]
    period_h : time for which the demand lasts. [h]
    """
    if capacity_veh_h <= 0.0:
        return 1800.0 * period_h
    above = saturation - 1.0
    spread = 4.0 * saturation / (capacity_veh_h * period_h)
    return 900.0 * period_h * (above + math.sqrt(above * above + spread))


@kernel
def cyclic_queue(
    arriving: FloatArray, service: FloatArray, share: float, cycle_s: int, leaving: FloatArray
) -> tuple[float, float, float]:
    """Mean queue, share of vehicles stopped and longest queue in the steady cycle.

    arriving : (cycle,) arrivals in each second, all told no more than can be served. [veh/s]
    service : (cycle,) vehicles that can leave in each second. [veh/s]
    share : part of the arrivals that counts: where more come than can leave, those that can. [-]
    leaving : (cycle,) departures, written. [veh/s]
    """
    queue = 0.0
    for t in range(cycle_s):  # the first cycle finds the queue that the steady one begins with
        queue = max(0.0, queue + share * arriving[t] - service[t])
    waiting = stopped = longest = came = 0.0
    for t in range(cycle_s):
        entering = share * arriving[t]
        present = queue + entering
        gone = min(present, service[t])
        queue = present - gone
        leaving[t] = gone
        waiting += queue
        came += entering
        stopped += min(entering, queue)
        longest = max(longest, queue)
    return waiting / cycle_s, stopped / max(came, 1e-9), longest
