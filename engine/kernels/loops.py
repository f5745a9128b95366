"""What is known and remembered about loops, from which `kernels.health` judges them."""

from __future__ import annotations

from typing import NamedTuple

from ampelwerk.engine.kernels.city import FloatArray, IntArray

SOUND, SUSPECT, STUCK_ON, STUCK_OFF, CHATTER = range(5)
"""What is thought of a loop."""
DENSE = 3
"""Rising edges remembered of each loop."""


class Watch(NamedTuple):
    """What is known about loops beforehand; K loops, L lanes, I intersections."""

    heard: IntArray
    """(K,) 1 if control reads the loop."""
    home: IntArray
    """(K,) intersection that the loop belongs to, -1 for none."""
    near_ptr: IntArray
    """(K+1,) loops near by that see vehicles of the loop."""
    near: IntArray
    """Loops for `near_ptr`."""
    advance_ptr: IntArray
    """(L+1,) advance loops of each lane."""
    advance: IntArray
    """Loops for `advance_ptr`."""
    yields: IntArray
    """(K,) 1 if a vehicle on the loop may have to wait at green: it gives way, or another does."""
    loops: IntArray
    """(I,) loops that are heard of each intersection."""


class Health(NamedTuple):
    """What was seen of loops; K loops, F stream entries, L lanes, I intersections."""

    quality: FloatArray
    """(K,) 1 believed, 0.5 in doubt, 0 lost. [-]"""
    fault: IntArray
    """(K,) SOUND to CHATTER."""
    out: IntArray
    """(K,) 1 while what the loop shows is not believed."""
    on: IntArray
    """(K,) 1 while the loop shows occupied."""
    since_s: FloatArray
    """(K,) its last edge. [s]"""
    evidence_s: FloatArray
    """(K,) last sign of a fault. [s]"""
    rises_s: FloatArray
    """(K, DENSE) its last rising edges, the oldest at `turn`. [s]"""
    turn: IntArray
    """(K,) place of the next one."""
    blips: FloatArray
    """(K,) pulses too short for a vehicle, forgotten with time. [-]"""
    blip_s: FloatArray
    """(K,) the last one. [s]"""
    burst: FloatArray
    """(K,) vehicles since `burst_s`. [veh]"""
    burst_s: FloatArray
    """(K,) begin of that count. [s]"""
    counted: FloatArray
    """(K,) its vehicles as others' partner, none while it is lost. [veh]"""
    passed: FloatArray
    """(I,) vehicles over all stop lines. [veh]"""
    near_mark: FloatArray
    """(K,) what near partners had counted at its last edge. [veh]"""
    far_mark: FloatArray
    """(K,) what the signal's stop lines had counted then. [veh]"""
    worst: FloatArray
    """(K, 4) most vehicles expected in a silence that was none: near, far while free, then both
    while occupied; forgotten slowly. [veh]"""
    own: FloatArray
    """(K,) its vehicles, forgotten slowly. [veh]"""
    near_seen: FloatArray
    """(K,) vehicles of near partners in the same time. [veh]"""
    far_seen: FloatArray
    """(K,) vehicles over the signal's stop lines in the same time. [veh]"""
    own_s: FloatArray
    """(K,) that time. [s]"""
    vehicle_s: FloatArray
    """(K,) its last vehicle. [s]"""
    greens: FloatArray
    """(K,) greens of its lanes since its last edge. [-]"""
    green_s: FloatArray
    """(K,) seconds of green since its last edge, exits open. [s]"""
    refuted: FloatArray
    """(K,) greens in which the stop line was free while the advance loop showed a queue. [-]"""
    refuted_s: FloatArray
    """(K,) begin of the last such green. [s]"""
    kept_cover: FloatArray
    """(F,) cover of a stream whose loop is out. [-]"""
    kept_share: FloatArray
    """(F,) its shares. [-]"""
    blind: IntArray
    """(I,) 1 while most of the signal's loops are lost, or all of them are silent."""
    lost: IntArray
    """(I,) number of its loops that are lost."""
    doubted: IntArray
    """(I,) number of those and of its stop-line and advance loops in doubt."""
    heard_s: FloatArray
    """(I,) last edge of any of its loops. [s]"""
    rate: FloatArray
    """(I,) usual rate over its stop lines. [veh/s]"""
