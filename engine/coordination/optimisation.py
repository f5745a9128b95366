"""Timing plans for a network: every signal for itself, then groups of neighbours together.

Signals whose platoons reach each other form a coordinated group. For each cycle time that suits the
group, splits, offsets and splits again are improved by coordinate descent on the performance index;
a signal may run through the group's cycle twice where that is better for it. The group is
coordinated only if its index is then lower than with every signal at its own best cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from ampelwerk.engine.coordination.corridor_band import CorridorBand
from ampelwerk.engine.coordination.deadline import Deadline
from ampelwerk.engine.coordination.group_search import GroupPlans, GroupSearch
from ampelwerk.engine.coordination.plan_problem import Streets
from ampelwerk.engine.coordination.signal_splits import (
    Splits,
    best_sequence,
    isolated_splits,
    mean_delay_s,
)
from ampelwerk.engine.coordination.stage_sequence import StageSequence, sequence_of, shipped_stages

SHORTEST_S, LONGEST_S, CYCLE_GRID_S = 30, 120, 5
"""Cycle times that are tried for a signal by itself. [s]"""
LINKED_S = 60.0
"""Signals further apart than this travel time are not coordinated. [s]"""
LINKED_VEH_H = 50.0
"""Nor those with less traffic between them. [veh/h]"""
NO_SPARE: Mapping[int, int] = {}
"""Every step may be as short as its greens and intergreens allow."""


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
    plan_id: str = ""
    """Name of the plan it belongs to."""

    @property
    def cycle_s(self) -> int:
        """Cycle time. [s]"""
        return sum(self.step_s)


def optimise(
    streets: Streets,
    signals: Sequence[int],
    *,
    deadline: Deadline,
    progress: Callable[[float], None] = lambda share: None,
    longest_s: int = LONGEST_S,
    corridors: Sequence[Sequence[int]] = (),
    spare_s: Mapping[int, int] = NO_SPARE,
) -> tuple[list[SignalPlan], list[CorridorBand]]:
    """Plans of the signals, in their order, and what became of the corridors.

    Parameters
    ----------
    deadline : what is found by then is taken.
    progress : told the share of the work done, 0 to 1.
    longest_s : longest cycle time. [s]
    corridors : signals along a road; a green band along it competes with the offsets found.
    spare_s : signal -> time that each of its steps has beyond the shortest. [s]
    """
    cycles_s = range(SHORTEST_S, longest_s + 1, CYCLE_GRID_S)
    sequences, splits = dict[int, StageSequence](), dict[int, dict[int, Splits]]()
    for k, signal in enumerate(signals):
        site = streets.network.intersections[signal]
        if deadline.passed():
            sequences[signal] = sequence_of(site, shipped_stages(site))
        else:
            sequences[signal] = best_sequence(streets, signal, cycles_s[::3])
        sequences[signal] = sequences[signal].longer(spare_s.get(signal, 0))
        least_s = sum(sequences[signal].least_s)
        chosen = cycles_s if least_s <= longest_s else [least_s]
        splits[signal] = isolated_splits(streets, signal, sequences[signal], chosen)
        progress(0.4 * (k + 1) / len(signals))
    found, bands = dict[int, SignalPlan](), list[CorridorBand]()
    groups = coordinated_groups(streets, signals)
    done = 0
    for number, group in enumerate(groups):
        alone = {signal: min(splits[signal].values(), key=lambda s: s.index) for signal in group}
        best = None
        if len(group) > 1:
            search = GroupSearch(
                streets, group, sequences, splits, longest_s=longest_s, corridors=corridors
            )
            best = search.best(deadline, _part_of(progress, done, len(group), len(signals)))
            bands += search.bands
        done += len(group)
        if best is not None and best.index < sum(one.index for one in alone.values()):
            found.update(
                {
                    signal: _plan(best, k, signal, sequences[signal], number)
                    for k, signal in enumerate(group)
                }
            )
        else:
            for signal, one in alone.items():
                found[signal] = _isolated_plan(signal, sequences[signal], one)
        progress(0.4 + 0.6 * done / len(signals))
    known = {band.corridor for band in bands}
    bands += [
        CorridorBand(corridor=tuple(corridor), reason="its signals are not all in one group.")
        for corridor in corridors
        if tuple(corridor) not in known
    ]
    return [found[signal] for signal in signals], bands


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


def _isolated_plan(signal: int, sequence: StageSequence, splits: Splits) -> SignalPlan:
    return SignalPlan(
        signal=signal,
        stages=sequence.stages,
        step_s=splits.step_s,
        offset_s=0,
        group=None,
        saturation=splits.saturation,
        delay_s=splits.delay_s,
    )


def _part_of(
    progress: Callable[[float], None], done: int, size: int, signals: int
) -> Callable[[float], None]:
    """Progress of one group as progress of the whole."""
    return lambda share: progress(0.4 + 0.6 * (done + share * size) / signals)


def _plan(best: GroupPlans, k: int, signal: int, sequence: StageSequence, group: int) -> SignalPlan:
    """Plan of the k-th signal of a group."""
    problem, plans, flows = best.problem, best.plans, best.flows
    lanes = slice(problem.lane_ptr[k], problem.lane_ptr[k + 1])
    steps = plans.step_s[problem.step_ptr[k] : problem.step_ptr[k + 1]]
    return SignalPlan(
        signal=signal,
        stages=sequence.stages,
        step_s=tuple(int(step) for step in steps),
        offset_s=int(plans.offset_s[k]),
        group=group,
        saturation=float(flows.saturation[lanes].max(initial=0.0)),
        delay_s=mean_delay_s(problem, flows, k),
    )
