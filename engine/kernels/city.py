"""Many intersections as one structure of arrays: what the kernels read.

Lanes of one intersection lie side by side; compressed rows (``ptr``) hold what hangs on them. A
signalised pedestrian crossing is a lane too: people queue at its kerb and its group serves them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
IntArray = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

STOP_LINE, ADVANCE, UPSTREAM, EXIT, CALL = range(5)
"""Roles of loops."""


class City(NamedTuple):
    """Static arrays. L lanes, A approaches, U streams, I intersections, S stages, E service entries, F fills, K
    loops. A *stream* is what one upstream loop sends to one approach.

    A *service entry* says that a stage serves a lane; entries of one stage lie side by side.
    """

    lane_ptr: IntArray
    """(I+1,) lanes of each intersection."""
    stage_ptr: IntArray
    """(I+1,) stages of each intersection."""
    entry_ptr: IntArray
    """(S+1,) service entries of each stage."""
    entry_lane: IntArray
    """(E,) lane served."""
    entry_flow: FloatArray
    """(E,) prior saturation flow of the lane in that stage. [veh/s]"""
    entry_foe_ptr: IntArray
    """(E+1,) lanes to which turning vehicles of the lane give way in that stage."""
    entry_foe: IntArray
    """Lanes for `entry_foe_ptr`."""
    entry_opposed: FloatArray
    """(E,) prior saturation flow while some of these depart. [veh/s]"""
    entry_unopposed: FloatArray
    """(E,) and while none does. [veh/s]"""
    entry_cap: FloatArray
    """(E,) vehicles expected to pass before one that may not go blocks the head. [veh]"""
    without_walkers: IntArray
    """(S,) stage of the same intersection that shows the same without pedestrians, or -1."""
    min_green_s: IntArray
    """(S,) longest minimum green among the stage's groups, in whole seconds. [s]"""
    selectable: IntArray
    """(S,) 1 if a strategy may choose the stage."""
    transition_ptr: IntArray
    """(I,) start of the intersection's block in `transition_s`."""
    transition_s: FloatArray
    """Blocks of (stages x stages): longest intergreen from stage to stage, row by row. [s]"""
    lane_intersection: IntArray
    """(L,) intersection of the lane."""
    lane_approach: IntArray
    """(L,) approach of the lane, -1 for a crossing."""
    lane_groups: IntArray
    """(L,) bit mask of the signal groups that release the lane."""
    lane_storage_veh: FloatArray
    """(L,) vehicles that can stand before a road that others share or that merges. [veh]"""
    lane_reach_veh: FloatArray
    """(L,) vehicles of the longest queue that is looked for: up to a signal, on shared roads too. [veh]"""
    lane_advance_m: FloatArray
    """(L,) distance of its advance loop from the stop line, 0 without. [m]"""
    lane_advance_s: FloatArray
    """(L,) undelayed travel time from advance loop to stop line. [s]"""
    lane_stop_ptr: IntArray
    """(L+1,) stop-line loops of each lane."""
    lane_stop_loop: IntArray
    """Loop indices for `lane_stop_ptr`."""
    lane_advance_loop: IntArray
    """(L,) first advance loop, -1 without."""
    lane_weight: FloatArray
    """(L,) weight of one vehicle. [-]"""
    lane_is_crossing: IntArray
    """(L,) 1 for a pedestrian crossing."""
    lane_exit_ptr: IntArray
    """(L+1,) exit lanes that the lane's movements enter."""
    lane_exit: IntArray
    """Exit lanes for `lane_exit_ptr`."""
    approach_lane_ptr: IntArray
    """(A+1,) lanes of each approach."""
    approach_lane: IntArray
    """Lanes for `approach_lane_ptr`."""
    approach_stream_ptr: IntArray
    """(A+1,) streams of each approach."""
    stream_approach: IntArray
    """(U,) approach that the stream comes to."""
    stream_loop: IntArray
    """(U,) its upstream loop."""
    stream_room_veh: FloatArray
    """(U,) vehicles that can stand between its loop and the advance loops. [veh]"""
    stream_s: FloatArray
    """(U,) undelayed travel time to the advance loops (stop line without), at first. [s]"""
    site_stream_ptr: IntArray
    """(I+1,) streams that come to each intersection."""
    site_stream: IntArray
    """Streams for `site_stream_ptr`."""
    stream_lane_ptr: IntArray
    """(U+1,) entries of each stream, one for each lane of its approach in the same order."""
    stream_share: FloatArray
    """(F,) share of the stream's vehicles that choose the lane, at first. [-]"""
    loop_role: IntArray
    """(K,) STOP_LINE, ADVANCE, UPSTREAM, EXIT or CALL."""
    loop_target_ptr: IntArray
    """(K+1,) what the loop tells about: lanes, streams or exits, by its role."""
    loop_target: IntArray
    """Targets for `loop_target_ptr`."""
    exit_intersection: IntArray
    """(X,) intersection that the exit lane leaves."""
    exit_loop_ptr: IntArray
    """(X+1,) exit loops of each exit lane, in ascending order."""
    exit_loop: IntArray
    """Loop indices for `exit_loop_ptr`."""
    exit_next_ptr: IntArray
    """(X+1,) stop-line lanes of the next signal that each exit lane feeds."""
    exit_next: IntArray
    """Lanes for `exit_next_ptr`."""
    fill_ptr: IntArray
    """(S+1,) short links of the intersection that each stage lets vehicles into though their far end
    is red: its *fills*."""
    fill_exit: IntArray
    """(F,) exit lane that is the link's begin."""
    fill_groups: IntArray
    """(F,) bit mask of the stage's groups that lead into it."""
    fill_others: IntArray
    """(F,) bit mask of the other groups that do."""

    @property
    def lanes(self) -> int:
        """Number of lanes, crossings included."""
        return len(self.lane_intersection)
