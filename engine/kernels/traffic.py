"""What is believed about traffic: the state that estimation keeps and strategies read."""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.engine.kernels.city import FloatArray, IntArray

BOX_S = 32
"""Seconds remembered of who came into the junction and who left it. [s]"""
COMING, AHEAD = 24, 48
"""Most vehicles remembered between advance loop and stop line, and upstream of it."""
NEVER = -1.0e9
"""A moment before everything. [s]"""


class Traffic(NamedTuple):
    """Arrays as in `City`; vehicles on their way stand in order of the moment they are due."""

    queue_veh: FloatArray
    """(L,) vehicles that would have passed the stop line by now, had nothing stopped them. [veh]"""
    behind_veh: FloatArray
    """(L,) further vehicles in a queue that reaches beyond the advance loop. [veh]"""
    beyond: IntArray
    """(L,) 1 while the queue reaches beyond the advance loop."""
    coming: IntArray
    """(L,) vehicles between advance loop and stop line, not yet due."""
    coming_s: FloatArray
    """(L, COMING) moments they are due at the stop line. [s]"""
    ahead: IntArray
    """(U,) vehicles between upstream loop and advance loops."""
    ahead_s: FloatArray
    """(U, AHEAD) moments they are due at the advance loops (or the stop line without). [s]"""
    advance_s: FloatArray
    """(L,) undelayed travel time from advance loop to stop line, learnt. [s]"""
    stream_s: FloatArray
    """(U,) undelayed travel time from upstream loop to advance loops, learnt. [s]"""
    share: FloatArray
    """(F,) chance that a vehicle of the stream comes to the lane. [-]"""
    cover: FloatArray
    """(F,) share of the lane's vehicles that come from the stream. [-]"""
    resolved: FloatArray
    """(U,) vehicles of the stream of which it is known where they came, or that they did not. [veh]"""
    came: FloatArray
    """(L,) vehicles over the lane's advance loop. [veh]"""
    lane_rate_veh_s: FloatArray
    """(L,) mean arrival rate. [veh/s]"""
    stream_rate_veh_s: FloatArray
    """(U,) mean rate over the upstream loop. [veh/s]"""
    green_since_s: FloatArray
    """(L,) start of the present green, `NEVER` at red. [s]"""
    red_since_s: FloatArray
    """(L,) end of the last green. [s]"""
    called_s: FloatArray
    """(L,) first arrival at the kerb of a crossing since its last green, `NEVER` without. [s]"""
    departed_s: FloatArray
    """(L,) last departure, or the moment the queue began to form. [s]"""
    joined_s: FloatArray
    """(L,) moment at which the last vehicle was due in the queue. [s]"""
    served_veh: FloatArray
    """(E,) departures under the stage while vehicles waited, forgotten slowly. [veh]"""
    served_s: FloatArray
    """(E,) seconds they took, forgotten alike. [s]"""
    opposed_veh: FloatArray
    """(E,) the part of them while some they give way to departed. [veh]"""
    opposed_s: FloatArray
    """(E,) the part of the seconds. [s]"""
    stuck_s: FloatArray
    """(E,) moment at which the lane's first vehicle was last seen standing on under the stage, its
    way blocked or no gap found; `NEVER` after a departure. [s]"""
    fill_edges: FloatArray
    """(F,) edges at the link's loops while only those lead into it who would fill it, forgotten
    slowly. [-]"""
    fill_s: FloatArray
    """(F,) seconds they took, forgotten alike. [s]"""
    occupied: IntArray
    """(K,) 1 while a vehicle is on the loop."""
    on_s: FloatArray
    """(K,) last rising edge. [s]"""
    off_s: FloatArray
    """(K,) last falling edge. [s]"""
    full: IntArray
    """(X,) 1 while the exit lane is blocked."""
    entered_veh: FloatArray
    """(I, BOX_S) vehicles over the stop lines, second by second in turn. [veh]"""
    left_veh: FloatArray
    """(I, BOX_S) vehicles over the exit loops, alike. [veh]"""
    late_veh: FloatArray
    """(I,) vehicles that should have left the junction and have not. [veh]"""
    late_mean_veh: FloatArray
    """(I,) their mean: what loops miss, or see twice. [veh]"""
    departures: FloatArray
    """(L,) departures in this tick. [veh]"""
    arrivals: FloatArray
    """(L,) arrivals in this tick, at the advance loop or else at the stop line. [veh]"""
    passages: FloatArray
    """(U,) vehicles over the upstream loop in this tick. [veh]"""
    began_s: FloatArray
    """(1,) begin of estimation. [s]"""
    ticked_s: FloatArray
    """(1,) end of the tick before. [s]"""
