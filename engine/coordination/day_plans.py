"""A few plans over the day: which intervals share one, and when they change.

The day is cut where demand changes most: among all ways to cut it into so many stretches the one
with the least squared deviation from the stretches' means (optimal partition; Fisher, On grouping
for maximum homogeneity, Journal of the American Statistical Association 53, 1958). Stretches with
alike demand then share a plan.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.models.calendar import DAY_S, WEEKDAYS, CalendarEntry

SHORTEST_S = 1800.0
"""No stretch is shorter: changing plans costs time. [s]"""
WORTH = 0.1
"""A further plan must explain this share of all deviation. [-]"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Intervals that follow each other and share a plan."""

    first: int
    """First interval."""
    end: int
    """The interval after the last one."""
    plan: int
    """Number of the plan."""


def stretches(flow_veh_h: FloatArray, interval_s: float, most: int) -> list[Stretch]:
    """Cut the counted time into stretches of alike demand.

    Parameters
    ----------
    flow_veh_h : (intervals, lanes) demand; NaN where nothing was counted. [veh/h]
    interval_s : length of an interval. [s]
    most : most plans.
    """
    size = len(flow_veh_h)
    least = max(1, round(SHORTEST_S / interval_s))
    demand = _complete(flow_veh_h)
    total = _deviation(demand, [(0, size)])
    cuts = _partitions(demand, least, min(2 * most, size // least))
    for parts in reversed(cuts):
        plan_of = _shared(demand, parts, total)
        if max(plan_of) + 1 <= most and _pays(demand, parts, plan_of, total):
            return [Stretch(*part, plan) for part, plan in zip(parts, plan_of, strict=True)]
    return [Stretch(0, size, 0)]


def calendar_of(
    found: Sequence[Stretch], begin_s: float, interval_s: float, names: Sequence[str]
) -> tuple[CalendarEntry, ...]:
    """Calendar entries for every day of the week; none where one plan holds all day."""
    if len({stretch.plan for stretch in found}) < 2:
        return ()
    entries: dict[int, str] = {}
    for stretch in found:
        at_s = round(begin_s + stretch.first * interval_s) % DAY_S
        entries.setdefault(at_s, names[stretch.plan])
    return tuple(
        CalendarEntry(days=WEEKDAYS, at_s=at_s, plan_id=name)
        for at_s, name in sorted(entries.items())
    )


def _complete(flow_veh_h: FloatArray) -> FloatArray:
    """Gaps filled with the lane's mean."""
    known = ~np.isnan(flow_veh_h)
    mean = np.where(known, flow_veh_h, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    filled: FloatArray = np.where(known, flow_veh_h, mean)
    return filled


def _deviation(demand: FloatArray, parts: Iterable[tuple[int, int]]) -> float:
    """Squared deviation of the intervals of all parts together from their mean."""
    chosen = np.concatenate([demand[first:end] for first, end in parts])
    return float(((chosen - chosen.mean(axis=0)) ** 2).sum())


def _partitions(demand: FloatArray, least: int, most: int) -> list[list[tuple[int, int]]]:
    """The best cuts into 1, 2, ... stretches, by dynamic programming."""
    size = len(demand)
    cost = {
        (i, j): _deviation(demand, [(i, j)])
        for i in range(size)
        for j in range(i + least, size + 1)
    }
    best: list[dict[int, tuple[float, list[tuple[int, int]]]]] = [{0: (0.0, [])}]
    found = []
    for _ in range(max(most, 1)):
        row: dict[int, tuple[float, list[tuple[int, int]]]] = {}
        for begin, (before, parts) in best[-1].items():
            for end in range(begin + least, size + 1):
                value = before + cost[begin, end]
                if end not in row or value < row[end][0]:
                    row[end] = value, [*parts, (begin, end)]
        best.append(row)
        if size in row:
            found.append(row[size][1])
    return found or [[(0, size)]]


def _shared(demand: FloatArray, parts: Sequence[tuple[int, int]], total: float) -> list[int]:
    """Plan of each stretch: one shares the plan of an earlier one if that costs next to nothing."""
    members: list[list[tuple[int, int]]] = []
    plan_of = []
    for part in parts:
        alone = _deviation(demand, [part])
        costs = [
            _deviation(demand, [*group, part]) - _deviation(demand, group) - alone
            for group in members
        ]
        if costs and min(costs) <= 0.5 * WORTH * total:
            plan = costs.index(min(costs))
            members[plan].append(part)
        else:
            plan = len(members)
            members.append([part])
        plan_of.append(plan)
    return plan_of


def _pays(
    demand: FloatArray, parts: Sequence[tuple[int, int]], plan_of: Sequence[int], total: float
) -> bool:
    """Every plan beyond the first explains its share of the deviation, and neighbours differ."""
    plans = max(plan_of) + 1
    if any(a == b for a, b in itertools.pairwise(plan_of)):
        return False
    left = sum(
        _deviation(demand, [part for part, p in zip(parts, plan_of, strict=True) if p == plan])
        for plan in range(plans)
    )
    return plans == 1 or total - left >= WORTH * total * (plans - 1)
