"""Delay by time of departure and by approach direction, from SUMO's files of a run.

The delay of a trip is that of `sim.measures`; here it is only sorted by the time the trip was due.
The delay at a signal is what a vehicle loses between the signal before, or its departure, and the
stop line, against driving that way at the speed limit: it shows which sides of the intersections
pay. A vehicle that is still there at the end counts with what it has lost so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean

import numpy as np

from ampelwerk.models.network import Network
from ampelwerk.sim import measures
from ampelwerk.sim.net_file import NetFile
from ampelwerk.sim.report.naming import COMPASS, comes_from
from ampelwerk.sim.report.results import FinishedRun
from ampelwerk.sim.report.trajectories import Journey

INTERVALS_S = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
MOST_INTERVALS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One value for every seed; None where no vehicle was."""

    by_seed: tuple[float | None, ...]
    """(seeds,) values."""

    @property
    def known(self) -> list[float]:
        """Values there are."""
        return [value for value in self.by_seed if value is not None]

    @property
    def mean(self) -> float | None:
        """Mean over the seeds."""
        return fmean(self.known) if self.known else None


def interval_length_s(begin_s: float, end_s: float) -> float:
    """Length of the intervals in which departures are counted. [s]"""
    return next(
        (s for s in INTERVALS_S if (end_s - begin_s) / s <= MOST_INTERVALS), INTERVALS_S[-1]
    )


def delay_over_time(
    runs: Sequence[FinishedRun], begin_s: float, end_s: float
) -> list[tuple[float, Spread]]:
    """(middle of the interval, mean delay of the trips due in it) for the seeds of one control."""
    length_s = interval_length_s(begin_s, end_s)
    count = int(-(-(end_s - begin_s) // length_s))
    columns: list[list[float | None]] = [[] for _ in range(count)]
    for run in runs:
        trips = measures.read_trips(run.file(measures.TRIPINFO))
        due_s = np.where(trips.inserted, trips.due_s, end_s - trips.depart_delay_s)
        place = np.clip(((due_s - begin_s) // length_s).astype(int), 0, count - 1)
        sums = np.bincount(place, weights=trips.delay_s, minlength=count)
        numbers = np.bincount(place, minlength=count)
        for k in range(count):
            columns[k].append(float(sums[k] / numbers[k]) if numbers[k] else None)
    return [
        (min(begin_s + (k + 0.5) * length_s, end_s), Spread(by_seed=tuple(column)))
        for k, column in enumerate(columns)
    ]


def delay_by_direction(
    net: NetFile, network: Network, journeys: Sequence[Journey], end_s: float
) -> dict[str, float]:
    """Mean delay at a signal by the direction that vehicles come from. [s]"""
    origin = {str(a.edge_id): comes_from(a.bearing_deg) for a in network.approaches}
    free_s = {
        edge.edge_id: edge.lanes[0].length_m / max(1.0, edge.lanes[0].speed_mps)
        for edge in net.edges.values()
        if edge.lanes and not edge.function
    }
    inside_s = _inside_s(net)
    lost: dict[str, list[float]] = {}
    for journey in journeys:
        since_s, needed_s = journey.depart_s, 0.0
        for k, (edge, exit_s) in enumerate(
            zip(journey.edges[:-1], journey.exit_s[:-1], strict=True)
        ):
            needed_s += free_s.get(edge, 0.0)
            if edge in origin:
                loss_s = min(exit_s, end_s) - since_s - needed_s
                lost.setdefault(origin[edge], []).append(max(0.0, loss_s))
                since_s, needed_s = exit_s, 0.0
            if exit_s == inf:
                break
            needed_s += inside_s.get((edge, journey.edges[k + 1]), 0.0)
    return {direction: fmean(lost[direction]) for direction in COMPASS if direction in lost}


def _inside_s(net: NetFile) -> dict[tuple[str, str], float]:
    """(edge, next edge) -> time through the junction at its speed limit. [s]"""
    found: dict[tuple[str, str], float] = {}
    for c in net.connections:
        if net.is_road(c.from_lane):
            pair = (c.from_lane.rsplit("_", 1)[0], c.to_lane.rsplit("_", 1)[0])
            time_s = sum(lane.length_m / max(1.0, lane.speed_mps) for lane in net.inside(c))
            found[pair] = min(found.get(pair, inf), time_s)
    return found
