"""Dispersion of platoons on the way from one signal to the next.

After Robertson, TRANSYT: a traffic network study tool, RRL Report LR 253 (1969): a vehicle that left
the stop line in second t arrives at the next one no earlier than t + T, and then with probability F in
each further second. T is the share `EARLIEST` of the mean travel time, F = 1 / (1 + K T).
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import FloatArray

EARLIEST = 0.8
"""First arrivals take this share of the mean travel time. [-]"""


@kernel
def smoothing(travel_s: float, dispersion: float) -> float:
    """F of Robertson's recurrence. [-]

    travel_s : mean undelayed travel time. [s]
    dispersion : K; 0.35 on streets with much friction, 0.2 in SUMO, 0 keeps platoons whole.
    """
    return 1.0 / (1.0 + dispersion * EARLIEST * travel_s)


@kernel
def add_dispersed(
    leaving: FloatArray, share: float, earliest_s: int, factor: float, cycle_s: int, out: FloatArray
) -> None:
    """Add a share of a cyclic stream, dispersed, to the arrivals at the next stop line.

    leaving : (cycle,) vehicles that leave the stop line upstream in each second. [veh/s]
    earliest_s : T. [s]
    factor : F. [-]
    out : (cycle,) arrivals. [veh/s]
    """
    keep = 1.0 - factor
    # The recurrence once around the cycle from nothing; what it ends with, again and again, is the
    # geometric series that the steady stream begins with.
    first = (cycle_s - earliest_s % cycle_s) % cycle_s
    flow, k = 0.0, first
    for _ in range(cycle_s):
        flow = factor * leaving[k] + keep * flow
        k += 1
        if k == cycle_s:
            k = 0
    flow /= 1.0 - keep**cycle_s
    k = first
    for t in range(cycle_s):
        flow = factor * leaving[k] + keep * flow
        out[t] += share * flow
        k += 1
        if k == cycle_s:
            k = 0
