"""The frame border: what loops report is believed possible, or refused whole with a reason.

Nothing non-finite, from another time or from an unknown loop goes any further. A refused frame
counts as a tick in which nothing was heard, so that what is believed depends on true reports alone.
Edges that may be true but are too old to say anything about now are left out one by one.
"""

from __future__ import annotations

from array import array
from collections import Counter
from enum import StrEnum
from math import isfinite

from ampelwerk.models.detection import DetectorFrame

AHEAD_S = 1.0
"""An edge may bear a time this far ahead of the frame's own end: clocks differ. [s]"""
OLDEST_S = 900.0
"""No loop and no link holds an edge back for longer; an older time is false. [s]"""
STALE_S = 60.0
"""Who crossed a loop longer ago than this is past the signal or known otherwise. [s]"""


class Refusal(StrEnum):
    """Why a frame cannot be true."""

    RAGGED = "its arrays differ in length"
    FRAME_TIME = "its own time is not that of the tick"
    NOT_FINITE = "a time is not a finite number"
    TIME = "a time is out of range"
    LOOP = "a loop is unknown"
    EDGE = "an edge is neither rising nor falling"


def reason_to_refuse(frame: DetectorFrame, loops: int, now_s: float) -> Refusal | None:
    """Why the frame cannot be true, or None.

    Parameters
    ----------
    loops : number of loops in the network.
    now_s : end of the tick that the frame is for. [s]
    """
    if not abs(frame.time_s - now_s) <= AHEAD_S:  # so put, a NaN is refused
        return Refusal.FRAME_TIME
    count = len(frame.loop)
    if len(frame.at_s) != count or len(frame.on) != count:
        return Refusal.RAGGED
    if not count:
        return None
    # Built-ins: frames are short, and NumPy takes longer to start than they take to look through.
    if not all(map(isfinite, frame.at_s)):
        return Refusal.NOT_FINITE
    if min(frame.at_s) < now_s - OLDEST_S or max(frame.at_s) > now_s + AHEAD_S:
        return Refusal.TIME
    if min(frame.loop) < 0 or max(frame.loop) >= loops:
        return Refusal.LOOP
    if min(frame.on) < 0 or max(frame.on) > 1:
        return Refusal.EDGE
    return None


class FrameBorder:
    """Stands before everything that believes loops, and counts what it refused.

    Parameters
    ----------
    loops : number of loops in the network.
    """

    def __init__(self, loops: int) -> None:
        self._loops = loops
        self.refused: Counter[Refusal] = Counter()
        self.stale_edges = 0

    def passed(self, frame: DetectorFrame, now_s: float) -> DetectorFrame:
        """The frame, or an empty one in its place."""
        reason = reason_to_refuse(frame, self._loops, now_s)
        if reason is not None:
            self.refused[reason] += 1
            return DetectorFrame(time_s=now_s, loop=array("q"), at_s=array("d"), on=array("q"))
        if frame.at_s and min(frame.at_s) < now_s - STALE_S:
            return self._without_stale(frame, now_s)
        return frame

    def _without_stale(self, frame: DetectorFrame, now_s: float) -> DetectorFrame:
        """The same frame without edges that are too old."""
        kept = [k for k, at_s in enumerate(frame.at_s) if at_s >= now_s - STALE_S]
        self.stale_edges += len(frame.at_s) - len(kept)
        return DetectorFrame(
            time_s=frame.time_s,
            loop=array("q", [frame.loop[k] for k in kept]),
            at_s=array("d", [frame.at_s[k] for k in kept]),
            on=array("q", [frame.on[k] for k in kept]),
        )
