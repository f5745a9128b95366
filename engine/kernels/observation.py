"""One tick of loops into beliefs, their health included, in a single call.

On a small network, to hand a hundred arrays to a kernel costs more than the work.
"""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels import degradation, estimation
from ampelwerk.engine.kernels.city import City, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.degradation import STAND_IN
from ampelwerk.engine.kernels.loops import Health, Watch
from ampelwerk.engine.kernels.traffic import Traffic


@kernel
def observe(
    city: City,
    watch: Watch,
    health: Health,
    traffic: Traffic,
    signals: Signals,
    loop: IntArray,
    at_s: FloatArray,
    on: IntArray,
    unheard_loop: IntArray,
    unheard_at_s: FloatArray,
    unheard_on: IntArray,
    now_s: float,
    step_s: float,
    since_s: float,
    out: int,
) -> int:
    """Take one tick's edges and what the signals showed meanwhile; then see to the loops.

    loop, at_s, on : the tick's edges from loops in service, as in `DetectorFrame`.
    unheard_loop, unheard_at_s, unheard_on : all edges since the last judgement, if one is due.
    step_s : length of the tick; 0 to judge alone. [s]
    since_s : time since the last judgement if one is due, else 0. [s]
    out : what the last judgement returned, see `degradation.look_after`.

    Returns the same of this one, or `out`.
    """
    if step_s > 0.0:
        estimation.update(city, traffic, signals, loop, at_s, on, now_s, step_s)
    if since_s > 0.0:
        out = degradation.look_after(
            city, watch, health, traffic, unheard_loop, unheard_at_s, unheard_on, now_s, since_s
        )
    if step_s > 0.0 and (since_s > 0.0 or out == STAND_IN):
        degradation.stand_in(city, watch, health, traffic, signals, now_s, step_s)
    return out
