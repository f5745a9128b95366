"""Rule TIME: at most one tick of credit per call; late calls stretch, never shorten.

A call before the tick has passed earns nothing. A call that is late, or a clock that runs
backwards, raises an alarm; many alarms isolate the controller from the control room, and a long
gap, after which nobody knows what the street has seen, restarts the signals from red.
"""

from __future__ import annotations

from collections import deque

LATE_DS = 3
"""A call later than this raises an alarm (safety concept, section 4). [ds]"""
LOST_DS = 20
"""A call later than this, or a clock set back by more, restarts from red. [ds]"""
ALARM_WINDOW_DS = 600
"""Alarms within this time count together. [ds]"""
ALARMS_TO_ISOLATE = 3
"""Alarms within the window that isolate the controller."""


class TickClock:
    """Watches the times of the calls of one interlock.

    Parameters
    ----------
    tick_ds : intended time between two calls. [ds]
    """

    def __init__(self, tick_ds: int) -> None:
        self._tick_ds = tick_ds
        self._last_ds = 0
        self._alarms_ds: deque[int] = deque(maxlen=ALARMS_TO_ISOLATE)
        self._passed_ds = 0
        self.due_ds: int | None = None
        """Moment at which the next tick has passed; None before the first call. [ds]"""
        self.alarms = 0
        """Alarms raised so far."""
        self.isolated = False
        """Too many alarms; stays until `rejoin`."""
        self.lost = False
        """The last call came after a gap, or a step back, of more than `LOST_DS`."""

    def credit(self, now_ds: int) -> bool:
        """Whether this call earns a tick. Skipped calls must have been on time."""
        self.lost = False
        if self.due_ds is None:
            self._pass(now_ds)
            return True
        # A call that was skipped is seen in `due_ds` alone.
        last_ds = max(self._last_ds, self.due_ds - self._tick_ds)
        if now_ds < last_ds:
            self._pass(now_ds)
            self._alarm(last_ds - now_ds)
            return False
        if now_ds < self.due_ds:
            self._see(now_ds)
            return False
        late_ds = now_ds - self.due_ds
        self._pass(now_ds)
        if late_ds > LATE_DS:
            self._alarm(late_ds)
        return True

    def rejoin(self) -> None:
        """End the isolation."""
        self.isolated = False
        self._alarms_ds.clear()

    def _pass(self, now_ds: int) -> None:
        """Begin a tick at this call. After a late call, or a step back, it is a whole one."""
        if self.due_ds is not None:
            self._see(now_ds)
        self._last_ds = now_ds
        self.due_ds = now_ds + self._tick_ds

    def _see(self, now_ds: int) -> None:
        """Remember the time of a call, early ones too: a step back shows between any two."""
        self._passed_ds += max(0, now_ds - self._last_ds)
        self._last_ds = now_ds

    def _alarm(self, gap_ds: int) -> None:
        """Count an alarm, in time that never runs backwards."""
        self.alarms += 1
        self.lost = gap_ds > LOST_DS
        self._alarms_ds.append(self._passed_ds)
        if (
            len(self._alarms_ds) == ALARMS_TO_ISOLATE
            and self._passed_ds - self._alarms_ds[0] <= ALARM_WINDOW_DS
        ):
            self.isolated = True
