"""A green band along a named corridor, as offsets that compete with those of the descent."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ampelwerk.engine.coordination.bandwidth import BandSignal, GreenBand, green_band
from ampelwerk.engine.coordination.plan_problem import Stream, Streets
from ampelwerk.engine.kernels.performance_index import Plans, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class CorridorBand:
    """What became of a corridor."""

    corridor: tuple[int, ...]
    """Its intersections, in order."""
    cycle_s: int | None = None
    """Common cycle. [s]"""
    out_s: float = 0.0
    """Width of the widest band in the order of the corridor. [s]"""
    in_s: float = 0.0
    """And against it. [s]"""
    chosen: bool = False
    """The plans have this band's offsets; else others had the lower index."""
    reason: str = ""
    """Why there is no band."""


class Corridor:
    """Signals of one group along a road, and the lanes that its through traffic uses."""

    def __init__(self, streets: Streets, group: Sequence[int], signals: Sequence[int]) -> None:
        self.signals = tuple(signals)
        self._streets = streets
        self._place = {signal: k for k, signal in enumerate(group)}
        lanes = (lane for signal in group for lane in streets.lanes_of[signal])
        self._lane_place = {lane: k for k, lane in enumerate(lanes)}
        pairs = list(itertools.pairwise(signals))
        self._out = [self._strongest(a, b) for a, b in pairs]
        self._in = [self._strongest(b, a) for a, b in pairs]

    @property
    def numbers(self) -> list[int]:
        """Its signals as places in the group."""
        return [self._place[signal] for signal in self.signals]

    def missing(self) -> str:
        """Why no band can be looked for; empty if one can."""
        for k, stream in enumerate(self._out):
            if stream is None:
                a, b = (self._streets.network.intersections[s] for s in self.signals[k : k + 2])
                return f"no traffic was counted from {a.intersection_id} to {b.intersection_id}."
        return ""

    def band(self, problem: Problem, plans: Plans) -> GreenBand:
        """The widest band for the splits of these plans."""
        two_way = all(stream is not None for stream in self._in)
        signals = []
        for k, signal in enumerate(self.signals):
            out_start_s, out_green_s = self._green(
                problem, plans, signal, self._lane(self._out, k, 0)
            )
            in_start_s, in_green_s = out_start_s, 0.0
            if two_way:
                in_start_s, in_green_s = self._green(
                    problem, plans, signal, self._lane(self._in, k, 1)
                )
            before, after = self._out[k - 1], self._in[k - 1]
            signals.append(
                BandSignal(
                    cycle_s=float(plans.common_s[0] // plans.repeats[self._place[signal]]),
                    out_start_s=out_start_s,
                    out_green_s=out_green_s,
                    in_start_s=in_start_s,
                    in_green_s=in_green_s,
                    out_travel_s=before.travel_s if k and before else 0.0,
                    in_travel_s=after.travel_s if k and after else 0.0,
                )
            )
        volumes = [sum(s.veh_h for s in way if s) for way in (self._out, self._in)]
        weight = volumes[1] / max(volumes[0], 1e-9) if two_way else 0.0
        return green_band(signals, cycle_s=float(plans.common_s[0]), in_weight=weight)

    def _strongest(self, here: int, there: int) -> Stream | None:
        """The stream with most traffic from one signal to another."""
        lanes = self._streets.network.lanes
        found = [
            stream
            for stream in self._streets.streams
            if lanes[stream.source].intersection == here
            and lanes[stream.lane].intersection == there
        ]
        return max(found, key=lambda stream: stream.veh_h, default=None)

    def _lane(self, way: Sequence[Stream | None], k: int, back: int) -> int:
        """Lane of the k-th signal that the way's traffic uses: where it arrives, else leaves."""
        arriving = k if back else k - 1
        if 0 <= arriving < len(way):
            stream = way[arriving]
            assert stream is not None
            return stream.lane
        stream = way[0] if k == 0 else way[-1]
        assert stream is not None
        return stream.source

    def _green(self, problem: Problem, plans: Plans, signal: int, lane: int) -> tuple[float, float]:
        """Begin and length of the lane's longest green on the signal's own clock. [s]"""
        k, row = self._place[signal], self._lane_place[lane]
        first, last = int(problem.step_ptr[k]), int(problem.step_ptr[k + 1])
        steps = [int(step) for step in plans.step_s[first:last]]
        green = [problem.flow_veh_s[row, step] > 0 for step in range(len(steps))]
        best = (0.0, 0.0)
        for begin in range(len(steps)):
            if not green[begin] or (green[begin - 1] and not all(green)):
                continue
            length, step = 0, begin
            while green[step % len(steps)] and step < begin + len(steps):
                length += steps[step % len(steps)]
                step += 1
            late_s = float(problem.late_s[row, begin])
            if length - late_s > best[1]:
                best = (sum(steps[:begin]) + late_s, length - late_s)
        return best
