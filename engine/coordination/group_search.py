"""One coordinated group: common cycle time, double cycles, splits and offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ampelwerk.engine.coordination.corridor_band import Corridor, CorridorBand
from ampelwerk.engine.coordination.deadline import Deadline
from ampelwerk.engine.coordination.plan_problem import Streets, no_plans
from ampelwerk.engine.coordination.signal_splits import Splits
from ampelwerk.engine.coordination.stage_sequence import StageSequence
from ampelwerk.engine.kernels.performance_index import (
    Flows,
    Plans,
    Problem,
    no_flows,
    performance_index,
)
from ampelwerk.engine.kernels.plan_descent import improve_signal

SHORTEST_S, GRID_S = 30, 5
"""Common cycle times that are tried. [s]"""
SWEEPS = 3
"""Sweeps over the signals until departures have settled."""
PASSES, REFINED = 8, 3
"""Most passes over the signals; cycle times that are looked at closely."""
WORTH = 1e-3
"""A pass is followed by another if the index fell by this share. [-]"""
EACH_UP_TO = 60
"""In groups of at most so many signals every change is judged by the index of all."""


@dataclass(slots=True)
class GroupPlans:
    """Plans of a group with a common cycle."""

    problem: Problem
    plans: Plans
    flows: Flows
    index: float = 0.0
    """Performance index. [veh]"""

    def settle(self) -> None:
        """The index once departures have settled."""
        self.index = float(performance_index(self.problem, self.plans, self.flows, True, SWEEPS))

    def improve(
        self, *, splits: bool, deadline: Deadline, signals: Sequence[int] | None = None
    ) -> bool:
        """One pass over the signals; it is undone, and False returned, if it made things worse.

        Parameters
        ----------
        signals : those that may change; all if not given.
        """
        kept = Plans(*(np.array(part) for part in self.plans))
        before = self.index
        for signal in self._all() if signals is None else signals:
            if deadline.passed():
                break
            improve_signal(self.problem, self.plans, self.flows, signal, True, splits)
        self.settle()
        if self.index > before:
            self._restore(kept)
            return False
        return True

    def improve_each(self, *, splits: bool, deadline: Deadline) -> bool:
        """One pass that keeps every change of a signal which lowers the index of all; True if one did.

        Slower than a plain pass, but what one signal spoils does not undo what others gained.
        """
        started = self.index
        for signal in self._all():
            if deadline.passed():
                break
            kept = Plans(*(np.array(part) for part in self.plans))
            before = self.index
            improve_signal(self.problem, self.plans, self.flows, signal, True, splits)
            self.settle()
            if self.index > before:
                self._restore(kept)
        return self.index < started * (1 - WORTH)

    def _all(self) -> range:
        return range(len(self.plans.offset_s))

    def _restore(self, kept: Plans) -> None:
        for part, old in zip(self.plans, kept, strict=True):
            part[:] = old
        self.settle()


class GroupSearch:
    """Looks for the plans of a group of signals.

    Parameters
    ----------
    sequences, splits : stages and isolated splits of each signal.
    longest_s : longest cycle time. [s]
    corridors : signals along a road, for green bands.
    """

    def __init__(
        self,
        streets: Streets,
        group: Sequence[int],
        sequences: dict[int, StageSequence],
        splits: dict[int, dict[int, Splits]],
        *,
        longest_s: int,
        corridors: Sequence[Sequence[int]] = (),
    ) -> None:
        self._streets, self._group = streets, group
        self._splits = [splits[signal] for signal in group]
        self._problem = streets.problem(group, [sequences[signal] for signal in group])
        self._cycles_s = range(SHORTEST_S, longest_s + 1, GRID_S)
        self.bands = list[CorridorBand]()
        """What became of the corridors within the group."""
        self._corridors = list[Corridor]()
        for signals in corridors:
            if set(signals) <= set(group):
                corridor = Corridor(streets, group, signals)
                if reason := corridor.missing():
                    self.bands.append(CorridorBand(corridor=corridor.signals, reason=reason))
                else:
                    self._corridors.append(corridor)

    def best(
        self, deadline: Deadline, progress: Callable[[float], None] = lambda share: None
    ) -> GroupPlans | None:
        """The plans of least index; None if there is no common cycle."""
        candidates = list[GroupPlans]()
        for k, cycle_s in enumerate(self._cycles_s):
            if candidates and deadline.passed():
                break
            candidate = self._begin(cycle_s)
            if candidate is not None:
                candidate.improve(splits=False, deadline=deadline)
                candidates.append(candidate)
            progress(0.7 * (k + 1) / len(self._cycles_s))
        candidates.sort(key=lambda candidate: candidate.index)
        refined = candidates[:REFINED]
        for k, candidate in enumerate(refined):
            for number in range(PASSES):
                splits = number % 2 == 0
                went_on = candidate.improve(splits=splits, deadline=deadline)
                if len(self._group) <= EACH_UP_TO:
                    went_on = candidate.improve_each(splits=splits, deadline=deadline) or went_on
                if deadline.passed() or not went_on:
                    break
            progress(0.7 + 0.3 * (k + 1) / len(refined))
        best = min(refined, key=lambda candidate: candidate.index, default=None)
        for corridor in self._corridors if best else ():
            assert best is not None
            best = self._with_band(best, corridor, deadline)
        return best

    def _with_band(self, found: GroupPlans, corridor: Corridor, deadline: Deadline) -> GroupPlans:
        """The plans with the widest band along a corridor, if their index is lower."""
        band = corridor.band(found.problem, found.plans)
        plans = Plans(*(np.array(part) for part in found.plans))
        other = GroupPlans(found.problem, plans, no_flows(len(found.problem.lane_signal)))
        numbers = corridor.numbers
        for number, offset_s in zip(numbers, band.offset_s, strict=True):
            cycle_s = int(plans.common_s[0] // plans.repeats[number])
            plans.offset_s[number] = round(offset_s) % cycle_s
        other.settle()
        others = [k for k in range(len(self._group)) if k not in numbers]
        other.improve(splits=False, deadline=deadline, signals=others)
        chosen = other.index < found.index
        self.bands.append(
            CorridorBand(
                corridor=corridor.signals,
                cycle_s=int(plans.common_s[0]),
                out_s=band.out_s,
                in_s=band.in_s,
                chosen=chosen,
            )
        )
        return other if chosen else found

    def _begin(self, cycle_s: int) -> GroupPlans | None:
        """Isolated splits at a common cycle time, all offsets 0; None if a signal cannot have it."""
        problem = self._problem
        plans = no_plans(problem, cycle_s)
        for k, splits in enumerate(self._splits):
            once, twice = splits.get(cycle_s), splits.get(cycle_s // 2)
            if cycle_s % 2 or (once and twice and once.index <= twice.index):
                twice = None
            chosen = twice or once
            if chosen is None:
                return None
            plans.repeats[k] = 2 if twice else 1
            plans.step_s[problem.step_ptr[k] : problem.step_ptr[k + 1]] = chosen.step_s
        found = GroupPlans(problem, plans, no_flows(len(problem.lane_signal)))
        found.settle()
        return found
