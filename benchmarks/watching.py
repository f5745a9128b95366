"""Beside control that estimates: how far its beliefs are from the truth, lane by lane.

Control decides as ever; nothing here is told to it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ampelwerk.controllers.control import Control
from ampelwerk.engine.kernels.arrivals import predict
from ampelwerk.engine.kernels.city import City, FloatArray
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.sim.controls import Connect, Controlled, Estimated, connect
from benchmarks.truth import Seen, Truth, city_lanes

FILE = "estimation.json"
"""Sums by lane, in the directory of the run."""
AHEAD_S = 10
"""Arrivals are counted over this long from now. [s]"""
FREE_MPS = 5.0
"""A vehicle that was never slower than this reached the line undelayed. [m/s]"""
LATE_S = 2.0
"""An edge may be heard of this long after the vehicle was there. [s]"""
SUMS = (
    "queue_true", "queue_error", "queue_off", "arrivals_true", "arrivals_error", "arrivals_off",
    "due_error", "due_off", "announced", "unannounced",
)  # fmt: skip
"""Sums over ticks of vehicles in the queue and in arrivals (true, error, size of the error), over
vehicles of the error of the moment they were due and its size [s], and how many vehicles reached the
line undelayed with and without having been announced."""


def watched(path: Path, end_s: float) -> Connect:
    """Control that writes what was found to a file at the end."""
    return partial(connect_watched, path, end_s)


def connect_watched(path: Path, end_s: float, control: str, loop: Controlled) -> Control:
    """The control of a name, watched."""
    inner = connect(control, loop)
    assert isinstance(inner, Estimated), f"{control} estimates nothing"
    return Watched(inner, loop, path, end_s)


class Watched:
    """Passes everything on, and compares."""

    def __init__(self, inner: Estimated, loop: Controlled, path: Path, end_s: float) -> None:
        self._inner, self._path, self._end_s = inner, path, end_s
        self._city: City = inner.estimator.city
        network, lanes = loop.network, self._city.lanes
        self._lanes = city_lanes(network, self._city)
        self._names = [
            (str(network.intersections[lane.intersection].intersection_id), str(lane.lane_id))
            for lane in network.lanes
        ]
        self._truth = Truth(network, self._city, loop.step_s)
        self._sums = {name: np.zeros(lanes) for name in SUMS}
        self._ticks = 0
        self._ahead_veh = np.zeros(AHEAD_S)
        self._foretold: deque[FloatArray] = deque()
        self._came: deque[FloatArray] = deque()
        self._whole = round(AHEAD_S / loop.step_s)
        self._coming: list[list[float]] = [[] for _ in range(lanes)]
        self._waiting: list[deque[tuple[float, str]]] = [deque() for _ in range(lanes)]
        self._crossed: set[str] = set()
        self._due: dict[str, tuple[int, float]] = {}

    @property
    def alarms(self) -> Sequence[LoopAlarm]:
        """Those of the control."""
        return self._inner.alarms

    def decide(self, now_s: float) -> Sequence[Wish]:
        """What the control decides."""
        return self._inner.decide(now_s)

    def observe(self, frame: DetectorFrame) -> None:
        """Estimation, then the comparison."""
        self._inner.observe(frame)
        now_s = frame.time_s
        seen = self._truth.read(now_s)
        self._ticks += 1
        self._count(seen, now_s)
        self._announce(seen, now_s)
        self._arrive(seen)
        if now_s >= self._end_s:
            self._write()

    def _count(self, seen: Seen, now_s: float) -> None:
        """Queues now, and arrivals in the next seconds."""
        sums, traffic = self._sums, self._inner.estimator.traffic
        off = traffic.queue_veh + traffic.behind_veh - seen.queue_veh
        sums["queue_true"] += seen.queue_veh
        sums["queue_error"] += off
        sums["queue_off"] += np.abs(off)
        # What was foretold some seconds ago is known by now.
        self._came.append(seen.came_veh)
        if len(self._came) > self._whole:
            self._came.popleft()
        if len(self._foretold) == self._whole:
            true_veh = np.sum(self._came, axis=0)
            error_veh = self._foretold.popleft() - true_veh
            sums["arrivals_true"] += true_veh
            sums["arrivals_error"] += error_veh
            sums["arrivals_off"] += np.abs(error_veh)
        foretold = np.zeros(self._city.lanes)
        for lane in self._lanes:
            predict(self._city, traffic, lane, now_s, self._ahead_veh)
            foretold[lane] = self._ahead_veh[-1]
        self._foretold.append(foretold)

    def _announce(self, seen: Seen, now_s: float) -> None:
        """Match vehicles over an advance loop with what estimation expects at the line since."""
        traffic = self._inner.estimator.traffic
        for crossing in seen.crossings:
            self._waiting[crossing.lane].append((now_s, crossing.vehicle))
            self._crossed.add(crossing.vehicle)
        for lane in self._lanes:
            expected = [float(s) for s in traffic.coming_s[lane, : traffic.coming[lane]]]
            waiting = self._waiting[lane]
            for due_s in _added(self._coming[lane], expected):
                while waiting and now_s - waiting[0][0] > LATE_S:
                    waiting.popleft()
                if waiting:
                    self._due[waiting.popleft()[1]] = (lane, due_s)
            self._coming[lane] = expected

    def _arrive(self, seen: Seen) -> None:
        """Who reached the line undelayed, and when that was expected."""
        sums = self._sums
        for passage in seen.passages:
            lane, due_s = self._due.pop(passage.vehicle, (passage.lane, None))
            crossed = passage.vehicle in self._crossed
            self._crossed.discard(passage.vehicle)
            if passage.slowest_mps < FREE_MPS:
                continue
            if due_s is not None:
                sums["due_error"][lane] += due_s - passage.at_s
                sums["due_off"][lane] += abs(due_s - passage.at_s)
                sums["announced"][lane] += 1.0
            elif crossed:
                sums["unannounced"][lane] += 1.0

    def _write(self) -> None:
        rows = [
            {
                "intersection": site,
                "lane": name,
                "ticks": self._ticks,
                **{key: round(float(values[lane]), 4) for key, values in self._sums.items()},
            }
            for (site, name), lane in zip(self._names, self._lanes, strict=True)
        ]
        self._path.write_text(json.dumps(rows) + "\n", encoding="utf-8")


def _added(before: Sequence[float], after: Sequence[float]) -> Sequence[float]:
    """What stands behind the rest of a queue from whose front some were taken."""
    for taken in range(len(before) + 1):
        rest = len(before) - taken
        if list(before[taken:]) == list(after[:rest]):
            return after[rest:]
    return after
