"""Demand as timing plans need it: flows per lane and interval, saturation flows, turning shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.models.errors import Finding

BUSY = 0.1
"""An interval with less than this share of the busiest one's vehicles says nothing of those who drive. [-]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficDemand:
    """What came to every stop-line lane; L lanes in the order of `Network.lanes`, X exits."""

    begin_s: float
    """Begin of the first interval. [s]"""
    interval_s: float
    """Length of an interval. [s]"""
    flow_veh_h: FloatArray
    """(intervals, L) arrivals; NaN where nothing was counted. [veh/h]"""
    saturation_flow_veh_s: dict[tuple[int, int], float] = field(default_factory=dict)
    """(lane, stage) -> saturation flow, where it was measured. [veh/s]"""
    opposed_flow_veh_s: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    """(lane, stage) -> the same while somebody departs to whom it gives way, and while nobody does."""
    turning_share: dict[tuple[int, int], float] = field(default_factory=dict)
    """(lane, exit) -> part of the lane's vehicles that leave by it. [-]"""
    findings: tuple[Finding, ...] = ()
    """Gaps, faulty loops and lanes without counts."""

    @property
    def period_h(self) -> float:
        """Time covered by all intervals. [h]"""
        return len(self.flow_veh_h) * self.interval_s / 3600.0

    def busy(self, intervals: Sequence[int]) -> list[int]:
        """Of some intervals those with traffic: all but the nearly empty ones, such as the time after
        the last trip of a simulation. A plan made for their mean would be too short for the others.
        """
        counted = np.nansum(self.flow_veh_h[list(intervals)], axis=1)
        least = BUSY * counted.max(initial=0.0)
        return [k for k, count in zip(intervals, counted.tolist(), strict=True) if count >= least]

    def mean_veh_h(self, intervals: Sequence[int] | None = None) -> FloatArray:
        """(L,) mean arrivals over some intervals, or all; 0 where nothing was counted. [veh/h]"""
        chosen = self.flow_veh_h if intervals is None else self.flow_veh_h[list(intervals)]
        known = ~np.isnan(chosen)
        total = np.where(known, chosen, 0.0).sum(axis=0)
        mean: FloatArray = total / np.maximum(known.sum(axis=0), 1)
        return mean
