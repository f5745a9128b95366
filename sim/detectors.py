"""Reading loops: rising and falling edges out of what SUMO knows about vehicles on a loop.

SUMO's getter tells entry and leave time of each vehicle and more; only the two times go any
further (information rule). Vehicles one after another without a gap are one pulse, as on a real
loop. An entry may be reported a step late, so an edge is new when its time exceeds the loop's last.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Sequence
from typing import Any

from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.network import Network


class LoopReader:
    """Reads the loops of a network once per tick.

    Parameters
    ----------
    getter : SUMO's getter for one loop: (id, length, entry, leave or -1, type) per vehicle.
    roles : loops to read; the others stay silent.
    """

    def __init__(
        self,
        network: Network,
        getter: Callable[[str], Sequence[tuple[Any, ...]]],
        roles: Collection[LoopRole] = tuple(LoopRole),
    ) -> None:
        self._getter = getter
        self._index = [k for k, loop in enumerate(network.loops) if loop.role in roles]
        self._names = [str(network.loops[k].loop_id) for k in self._index]
        self._counts = [network.loops[k].role is LoopRole.CALL for k in self._index]
        self._on = [False] * len(self._index)
        self._last_s = [-1.0] * len(self._index)

    def read(self, now_s: float) -> DetectorFrame:
        """The edges since the call before."""
        frame = DetectorFrame(time_s=now_s, loop=array("q"), at_s=array("d"), on=array("q"))
        for k, data in enumerate(map(self._getter, self._names)):
            if data:
                self._pulses(k, data, frame)
        return frame

    def _pulses(self, k: int, data: Sequence[tuple[Any, ...]], frame: DetectorFrame) -> None:
        """Edges of one loop: the union of the intervals in which vehicles cover it."""
        if self._counts[k]:
            self._arrivals(k, data, frame)
            return
        last_s, on = self._last_s[k], self._on[k]
        if on and len(data) == 1 and data[0][3] < 0:
            return  # still the same one, or the next without a gap
        times = sorted((vehicle[2], vehicle[3]) for vehicle in data)
        for entry_s, leave_s in times:
            if not on and (leave_s < 0 or leave_s > last_s):
                at_s = max(entry_s, last_s)
                frame.loop.append(self._index[k])
                frame.at_s.append(at_s)
                frame.on.append(1)
                on, last_s = True, at_s
            if on and leave_s >= 0 and leave_s > last_s:
                if len(times) > 1 and any(
                    e <= leave_s and (o < 0 or o > leave_s) for e, o in times
                ):
                    continue
                frame.loop.append(self._index[k])
                frame.at_s.append(leave_s)
                frame.on.append(0)
                on, last_s = False, leave_s
        self._on[k], self._last_s[k] = on, last_s

    def _arrivals(self, k: int, data: Sequence[tuple[Any, ...]], frame: DetectorFrame) -> None:
        """Edges of a kerb: a rising one for every person who comes, a falling one when all left."""
        last_s = newest_s = self._last_s[k]
        for entry_s in sorted(person[2] for person in data):
            if entry_s > last_s:
                frame.loop.append(self._index[k])
                frame.at_s.append(entry_s)
                frame.on.append(1)
                newest_s = entry_s
        leaves_s = [person[3] for person in data]
        if all(leave_s >= 0 for leave_s in leaves_s):
            frame.loop.append(self._index[k])
            frame.at_s.append(max(*leaves_s, newest_s))
            frame.on.append(0)
        self._last_s[k] = newest_s
