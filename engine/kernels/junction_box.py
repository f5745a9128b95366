"""Vehicles that are late in leaving the junction, from stop-line and exit loops.

Who turns left against oncoming traffic waits inside the junction and leaves it at the end of the
green, two or three vehicles in an amber. If more stand there, the next greens meet them: each waits
for another, and with a full exit in the circle nothing moves any more. So the next greens wait for a
moment while clearly more vehicles than usual are late.

Vehicles over the stop lines in the last `MEMORY_S`, but for those who may still be on their way, less
vehicles over the exit loops: whoever is missing is late. Counts of a moving window cannot drift, and
what loops miss or see twice, or what comes in and goes out past them, is in the mean.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.decision import Signals, in_transition
from ampelwerk.engine.kernels.traffic import BOX_S, Traffic

MEMORY_S = 25
"""Seconds over which vehicles in and out are compared; at most `BOX_S` - 4. [s]"""
WAY_S = 4
"""Who crossed the stop line no longer ago than this may be on the way to the exit. [s]"""
SHORTEST_WAY_S = 3
"""From the stop line to an exit loop. [s]"""
LATE_VEH = 2.5
"""So many vehicles late beyond the mean keep the next greens back. [veh]"""
MEAN_S = 300.0
"""Time constant of that mean. [s]"""


@kernel
def enter_junction(traffic: Traffic, i: int, at_s: float, now_s: float, veh: float) -> None:
    """Vehicles crossed a stop line of intersection i."""
    if at_s > now_s - MEMORY_S:
        traffic.entered_veh[i, int(at_s) % BOX_S] += veh


@kernel
def leave_junction(traffic: Traffic, i: int, at_s: float, now_s: float) -> None:
    """A vehicle came to an exit loop of intersection i."""
    if at_s > now_s - MEMORY_S:
        traffic.left_veh[i, int(at_s) % BOX_S] += 1.0


@kernel
def count_late(traffic: Traffic, first: int, last: int, now_s: float, step_s: float) -> None:
    """Count who is late, and make room for the next tick.

    first, last : the intersections from the one to before the other.
    """
    now, gain = int(now_s), min(1.0, step_s / MEAN_S)
    for i in range(first, last):
        late = 0.0
        for second in range(now - MEMORY_S, now - WAY_S):
            late += traffic.entered_veh[i, second % BOX_S]
        for second in range(now - MEMORY_S + SHORTEST_WAY_S, now + 1):
            late -= traffic.left_veh[i, second % BOX_S]
        traffic.late_veh[i] = late
        traffic.late_mean_veh[i] += gain * (late - traffic.late_mean_veh[i])
        for second in range(now + 1, now + 3 + int(step_s)):
            traffic.entered_veh[i, second % BOX_S] = traffic.left_veh[i, second % BOX_S] = 0.0


@kernel
def junction_occupied(traffic: Traffic, signals: Signals, i: int) -> bool:
    """A transition runs at intersection i and its next greens had better wait."""
    return bool(
        in_transition(signals, i) and traffic.late_veh[i] - traffic.late_mean_veh[i] >= LATE_VEH
    )
