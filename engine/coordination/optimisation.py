"""Timing plans for a network: every signal for itself, then groups of neighbours together.

Signals whose platoons reach each other form a coordinated group. For each cycle time that suits the
group, splits, offsets and splits again are improved by coordinate descent on the performance index;
a signal may run through the group's cycle twice where that is better for it. The group is
coordinated only if its index is then lower than with every signal at its own best cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import networkx as nx
import numpy as np

from ampelwerk.engine.coordination.plan_problem import Streets, no_plans
from ampelwerk.engine.coordination.signal_splits import Splits, best_sequence, isolated_splits
from ampelwerk.engine.coordination.stage_sequence import StageSequence
from ampelwerk.engine.kernels.performance_index import (
    Flows,
    Plans,
    Problem,
    no_flows,
    performance_index,
)
from ampelwerk.engine.kernels.plan_descent import improve_signal

SHORTEST_S, LONGEST_S, CYCLE_GRID_S = 30, 120, 5
"""Cycle times that are tried. [s]"""
GROUP_GRID_S = 10
"""And for groups. [s]"""
LINKED_S = 60.0
"""Signals further apart than this travel time are not coordinated. [s]"""
LINKED_VEH_H = 50.0
"""Nor those with less traffic between them. [veh/h]"""
SWEEPS, PASSES, REFINED = 3, 4, 2
"""Sweeps until departures settle; passes over the signals; cycle times that are refined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPlan:
    """The plan of one signal."""

    signal: int
    """Index into `Network.intersections`."""
    stages: tuple[int, ...]
    """Indices into its stages, in order."""
    step_s: tuple[int, ...]
    """Length of each step. [s]"""
    offset_s: int
    """Begin of the cycle. [s]"""
    group: int | None
    """Coordinated group; None where it runs for itself."""
    saturation: float
    """Greatest degree of saturation of a lane. [-]"""
    delay_s: float
    """Mean delay the model expects. [s/veh]"""

    @property
    def cycle_s(self) -> int:
        """Cycle time. [s]"""
        return sum(self.step_s)


class Deadline:
    """A moment after which no further improvement is begun."""

    def __init__(self, limit_s: float | None) -> None:
        self._end_s = None if limit_s is None else monotonic() + limit_s

    def passed(self) -> bool:
        """It is over."""
        return self._end_s is not None and monotonic() > self._end_s


def optimise(
    streets: Streets,
    signals: Sequence[int],
    *,
    deadline: Deadline,
    progress: Callable[[float], None] = lambda share: None,
    longest_s: int = LONGEST_S,
) -> list[SignalPlan]:
    """Plans of the signals, in their order."""
    cycles_s = range(SHORTEST_S, longest_s + 1, CYCLE_GRID_S)
    sequences, splits = dict[int, StageSequence](), dict[int, dict[int, Splits]]()
    for k, signal in enumerate(signals):
        sequences[signal] = best_sequence(streets, signal, cycles_s[::3])
        least_s = sum(sequences[signal].least_s)
        chosen = cycles_s if least_s <= longest_s else [least_s]
        splits[signal] = isolated_splits(streets, signal, sequences[signal], chosen)
        progress(0.4 * (k + 1) / len(signals))
    found = dict[int, SignalPlan]()
    groups = coordinated_groups(streets, signals)
    done = 0
    for number, group in enumerate(groups):
        alone = {signal: min(splits[signal].values(), key=lambda s: s.index) for signal in group}
        best = None
        if len(group) > 1:
            best = _Group(streets, group, sequences, splits, longest_s).optimise(
                deadline,
                lambda share, done=done, ahead=len(signals) - done: progress(
                    0.4 + 0.6 * (done + share * ahead) / (done + ahead)
                ),
            )
        done += len(group)
        if best is not None and best.index < sum(one.index for one in alone.values()):
            found.update({plan.signal: plan for plan in best.plans(number)})
        else:
            for signal, one in alone.items():
                found[signal] = _isolated_plan(streets, signal, sequences[signal], one)
        progress(0.4 + 0.6 * done / len(signals))
    return [found[signal] for signal in signals]


def coordinated_groups(streets: Streets, signals: Sequence[int]) -> list[list[int]]:
    """Signals whose platoons reach each other, group by group, in order."""
    graph = nx.Graph()
    graph.add_nodes_from(signals)
    flow: dict[tuple[int, int], float] = {}
    for stream in streets.streams:
        here = streets.network.lanes[stream.source].intersection
        there = streets.network.lanes[stream.lane].intersection
        if here != there and stream.travel_s <= LINKED_S:
            flow[here, there] = flow.get((here, there), 0.0) + stream.veh_h
    wanted = set(signals)
    graph.add_edges_from(
        pair for pair, veh_h in flow.items() if veh_h >= LINKED_VEH_H and set(pair) <= wanted
    )
    return sorted(sorted(part) for part in nx.connected_components(graph))


def _isolated_plan(
    streets: Streets, signal: int, sequence: StageSequence, splits: Splits
) -> SignalPlan:
    demand = sum(streets.demand_veh_h[lane] for lane in streets.lanes_of[signal]) / 3600.0
    return SignalPlan(
        signal=signal,
        stages=sequence.stages,
        step_s=splits.step_s,
        offset_s=0,
        group=None,
        saturation=splits.saturation,
        delay_s=splits.index / demand if demand > 0 else 0.0,
    )


@dataclass(slots=True)
class _Candidate:
    """Plans of a group at one cycle time."""

    problem: Problem
    plans: Plans
    flows: Flows
    index: float
    group: Sequence[int]
    sequences: Sequence[StageSequence]

    def improve(self, *, splits: bool, deadline: Deadline) -> None:
        """One pass over the signals."""
        for signal in range(len(self.group)):
            if deadline.passed():
                break
            improve_signal(self.problem, self.plans, self.flows, signal, True, splits)
        self.settle()

    def settle(self) -> None:
        """The index once departures have settled."""
        self.index = float(performance_index(self.problem, self.plans, self.flows, True, SWEEPS))

    def plans_(self, number: int) -> list[SignalPlan]:
        found = []
        problem, plans, flows = self.problem, self.plans, self.flows
        for k, signal in enumerate(self.group):
            lanes = slice(problem.lane_ptr[k], problem.lane_ptr[k + 1])
            demand = problem.demand_veh_s[lanes]
            steps = plans.step_s[problem.step_ptr[k] : problem.step_ptr[k + 1]]
            total = float(demand.sum())
            found.append(
                SignalPlan(
                    signal=signal,
                    stages=self.sequences[k].stages,
                    step_s=tuple(int(step) for step in steps),
                    offset_s=int(plans.offset_s[k]),
                    group=number,
                    saturation=float(flows.saturation[lanes].max(initial=0.0)),
                    delay_s=float((flows.delay_s[lanes] * demand).sum()) / total if total else 0.0,
                )
            )
        return found

    plans_of = plans_


@dataclass(slots=True)
class _Best:
    candidate: _Candidate

    @property
    def index(self) -> float:
        return self.candidate.index

    def plans(self, number: int) -> list[SignalPlan]:
        return self.candidate.plans_(number)


class _Group:
    """A coordinated group."""

    def __init__(
        self,
        streets: Streets,
        group: Sequence[int],
        sequences: dict[int, StageSequence],
        splits: dict[int, dict[int, Splits]],
        longest_s: int,
    ) -> None:
        self.group, self.splits = group, [splits[signal] for signal in group]
        self.sequences = [sequences[signal] for signal in group]
        self.problem = streets.problem(group, self.sequences)
        self.longest_s = longest_s

    def optimise(self, deadline: Deadline, progress: Callable[[float], None]) -> _Best | None:
        """The best cycle time with its plans; None if there is no common cycle."""
        candidates = list[_Candidate]()
        cycles_s = range(SHORTEST_S, self.longest_s + 1, GROUP_GRID_S)
        for k, cycle_s in enumerate(cycles_s):
            candidate = self._start(cycle_s)
            if candidate is None:
                continue
            if candidates and deadline.passed():
                break
            candidate.improve(splits=False, deadline=deadline)
            candidates.append(candidate)
            progress(0.7 * (k + 1) / len(cycles_s))
        candidates.sort(key=lambda candidate: candidate.index)
        refined = candidates[:REFINED]
        for candidate in refined:
            for number in range(PASSES):
                before, kept = candidate.index, _copy(candidate.plans)
                candidate.improve(splits=number % 2 == 0, deadline=deadline)
                if candidate.index > before:
                    _restore(candidate.plans, kept)
                    candidate.settle()
                    break
                if deadline.passed():
                    break
        progress(1.0)
        if not refined:
            return None
        return _Best(min(refined, key=lambda candidate: candidate.index))

    def _start(self, cycle_s: int) -> _Candidate | None:
        """Isolated splits at a cycle time, all offsets 0."""
        plans = no_plans(self.problem, cycle_s)
        for k, splits in enumerate(self.splits):
            once, twice = splits.get(cycle_s), splits.get(cycle_s // 2)
            if cycle_s % 2 or twice is None or (once is not None and once.index <= twice.index):
                twice = None
            chosen = twice or once
            if chosen is None:
                return None
            plans.repeats[k] = 2 if twice else 1
            plans.step_s[self.problem.step_ptr[k] : self.problem.step_ptr[k + 1]] = chosen.step_s
        candidate = _Candidate(
            self.problem,
            plans,
            no_flows(len(self.problem.lane_signal)),
            0.0,
            self.group,
            self.sequences,
        )
        candidate.settle()
        return candidate


def _copy(plans: Plans) -> Plans:
    return Plans(*(np.array(part) for part in plans))


def _restore(plans: Plans, kept: Plans) -> None:
    for part, old in zip(plans, kept, strict=True):
        part[:] = old
