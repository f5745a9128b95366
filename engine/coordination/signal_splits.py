"""One signal for itself: order of stages, cycle time and green splits of least delay."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ampelwerk.engine.coordination.plan_problem import Streets, no_plans
from ampelwerk.engine.coordination.stage_sequence import (
    StageSequence,
    sequence_of,
    shipped_stages,
)
from ampelwerk.engine.coordination.webster import optimum_cycle_s, stage_flow_ratios
from ampelwerk.engine.kernels.performance_index import Flows, Problem, no_flows, signal_index
from ampelwerk.engine.kernels.plan_descent import balance, move_seconds
from ampelwerk.models.errors import OversaturatedError
from ampelwerk.models.intersection import Intersection

MOST_PERMUTED = 5
"""With more stages only the order of the program in force is tried."""
MOST_LEFT_OUT = 8
"""With more stages none is left out."""
SHORTLIST = 3
"""So many ways to leave stages out are looked at closely."""
CHANGE_GAIN = 0.01
"""Fewer stages, or another order, must be better by this share. [-]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Green splits of one signal for one cycle time."""

    cycle_s: int
    """Cycle time. [s]"""
    step_s: tuple[int, ...]
    """Length of each step. [s]"""
    index: float
    """Performance index with arrivals spread evenly. [veh]"""
    saturation: float
    """Greatest degree of saturation of a lane. [-]"""
    delay_s: float
    """Mean delay the model expects. [s/veh]"""


def isolated_splits(
    streets: Streets,
    signal: int,
    sequence: StageSequence,
    cycles_s: Sequence[int],
    *,
    improved: bool = True,
) -> dict[int, Splits]:
    """Cycle time -> splits of least index; cycles too short for the stages are left out.

    Parameters
    ----------
    improved : look further from where the degrees of saturation are balanced.
    """
    problem = streets.problem([signal], [sequence])
    plans = no_plans(problem, 0)
    flows = no_flows(len(problem.lane_signal))
    found = {}
    for cycle_s in sorted({*cycles_s, *_webster_s(problem, cycles_s)} if improved else cycles_s):
        plans.common_s[0] = cycle_s
        if not balance(problem, plans, 0):
            continue
        index = signal_index(problem, plans, flows, 0, False, False)
        if improved:
            move_seconds(problem, plans, flows, 0, False, index)
            index = signal_index(problem, plans, flows, 0, False, False)
        found[cycle_s] = Splits(
            cycle_s=cycle_s,
            step_s=tuple(int(step) for step in plans.step_s),
            index=float(index),
            saturation=float(flows.saturation.max(initial=0.0)),
            delay_s=mean_delay_s(problem, flows, 0),
        )
    return found


def mean_delay_s(problem: Problem, flows: Flows, signal: int) -> float:
    """Delay the model expects at a signal, over all its vehicles. [s/veh]"""
    lanes = slice(problem.lane_ptr[signal], problem.lane_ptr[signal + 1])
    demand = problem.demand_veh_s[lanes]
    total = float(demand.sum())
    return float((flows.delay_s[lanes] * demand).sum()) / total if total else 0.0


def _webster_s(problem: Problem, cycles_s: Sequence[int]) -> list[int]:
    """Webster's cycle time in whole seconds, if it lies between the others."""
    ratios = stage_flow_ratios(problem.mean_veh_s, problem.demand_veh_s)
    # What is lost at a change of stage: until those who enter start, less the use of amber.
    lost_s = float(np.maximum(problem.late_s.max(axis=0) - problem.use_of_amber_s, 0.0).sum())
    try:
        cycle_s = round(optimum_cycle_s(float(ratios.sum()), lost_s))
    except OversaturatedError:
        return []
    return [cycle_s] if min(cycles_s) <= cycle_s <= max(cycles_s) else []


def best_sequence(streets: Streets, signal: int, cycles_s: Sequence[int]) -> StageSequence:
    """The stages that the program in force shows, those left out that only cost time.

    A stage may be left out where others serve all its signal groups. The order stays unless another
    is clearly better: road users are used to it.
    """
    site = streets.network.intersections[signal]

    def least(stages: tuple[int, ...], *, improved: bool = True) -> float:
        sequence = sequence_of(site, stages)
        splits = isolated_splits(streets, signal, sequence, cycles_s, improved=improved)
        return min((one.index for one in splits.values()), default=float("inf"))

    shipped = shipped_stages(site)
    covers = _covers(site, shipped)
    if len(covers) > SHORTLIST:
        covers = sorted(covers, key=lambda stages: least(stages, improved=False))[:SHORTLIST]
    chosen, index = shipped, least(shipped) * (1 - CHANGE_GAIN)
    for stages in covers:
        found = least(stages)
        if found < index:
            chosen, index = stages, found
    first, *others = chosen
    if 2 <= len(others) < MOST_PERMUTED:
        index *= 1 - CHANGE_GAIN
        for order in itertools.permutations(others):
            if not _apart((first, *order)):
                continue
            found = least((first, *order))
            if found < index:
                chosen, index = (first, *order), found
    return sequence_of(site, chosen)


def _covers(site: Intersection, shipped: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Ways to leave stages out, all signal groups still served; two stages at least."""
    if len(shipped) > MOST_LEFT_OUT:
        return [shipped]
    return [
        stages
        for size in range(2, len(shipped))
        for stages in itertools.combinations(shipped, size)
        if _serves_all(site, stages, shipped)
    ]


def _serves_all(site: Intersection, stages: Sequence[int], wanted: Sequence[int]) -> bool:
    """Every group green in the stages wanted is green in these too, and no stage follows itself."""
    served = {group for stage in stages for group in site.stages[stage].groups}
    needed = {group for stage in wanted for group in site.stages[stage].groups}
    return served >= needed and _apart(stages)


def _apart(stages: Sequence[int]) -> bool:
    """No stage follows itself."""
    return all(a != b for a, b in zip(stages, (*stages[1:], stages[0]), strict=True))
