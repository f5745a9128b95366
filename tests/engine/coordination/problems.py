"""Made-up problems: signals in a ring, each with some lanes that the one before feeds."""

from __future__ import annotations

import itertools

import numpy as np

from ampelwerk.engine.coordination.lane_flows import following_order
from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.engine.kernels.performance_index import Plans, Problem
from ampelwerk.engine.rows import Rows, ints


def problem_of(signals: int, lanes: int, steps: int, seed: int) -> Problem:
    """Signals in a ring; lane k of each is green in step k modulo steps.

    Some lanes give way to others that are green in the same step.
    """
    rng = np.random.default_rng(seed)
    total = signals * lanes
    flow = np.zeros((total, steps))
    for lane in range(total):
        flow[lane, lane % steps] = rng.uniform(0.3, 0.6)
        if rng.random() < 0.2:
            flow[lane, (lane + 1) % steps] = rng.uniform(0.1, 0.4)
    demand = rng.uniform(0.0, 0.12, total)
    source_ptr, source_lane, share, earliest, factor = [0], list[int](), [], [], []
    for lane in range(total):
        before = (lane // lanes - 1) % signals
        for k in range(2):
            source_lane.append(before * lanes + (lane + k) % lanes)
            share.append(rng.uniform(0.05, 0.5))
            earliest.append(rng.integers(5, 40))
            factor.append(rng.uniform(0.1, 1.0))
        source_ptr.append(len(source_lane))
    problem = Problem(
        lane_ptr=np.arange(signals + 1, dtype=np.int64) * lanes,
        step_ptr=np.arange(signals + 1, dtype=np.int64) * steps,
        least_s=np.full(signals * steps, 7, dtype=np.int64),
        flow_veh_s=flow,
        opposed_veh_s=flow * rng.uniform(0.0, 1.0, flow.shape),
        mean_veh_s=flow,
        foe_ptr=ints([]),
        foe_lane=ints([]),
        visit_ptr=ints([]),
        visit_lane=ints([]),
        visit_counts=ints([]),
        late_s=np.where(flow > 0, rng.uniform(2, 6, flow.shape), 0.0),
        demand_veh_s=demand,
        weight=np.ones(total),
        storage_veh=rng.uniform(4, 20, total),
        source_ptr=np.array(source_ptr, dtype=np.int64),
        source_lane=np.array(source_lane, dtype=np.int64),
        source_share=np.array(share),
        source_s=np.array(earliest, dtype=np.int64),
        source_factor=np.array(factor),
        sink_ptr=np.arange(signals + 1, dtype=np.int64) * lanes,
        sink_lane=np.array(
            [((i + 1) % signals) * lanes + k for i in range(signals) for k in range(lanes)],
            dtype=np.int64,
        ),
        lane_signal=np.repeat(np.arange(signals, dtype=np.int64), lanes),
        use_of_amber_s=1.0,
        period_h=1.0,
        stop_s=4.0,
        spill=2.0,
    )
    return with_foes(problem, _foes(flow, lanes, rng))


def with_foes(problem: Problem, foes: list[list[list[int]]]) -> Problem:
    """The problem with others to whom each lane gives way in each step."""
    foe_rows, visit_rows, counts = Rows(), Rows(), list[int]()
    for lane_foes in foes:
        for step_foes in lane_foes:
            foe_rows.add(step_foes)
    for first, last in itertools.pairwise(problem.lane_ptr):
        own = range(first, last)
        order = following_order({lane: {f for step in foes[lane] for f in step} for lane in own})
        visit_rows.add(lane for lane, _ in order)
        counts += [int(counted) for _, counted in order]
    return problem._replace(
        foe_ptr=ints(foe_rows.ptr),
        foe_lane=ints(foe_rows.value),
        visit_ptr=ints(visit_rows.ptr),
        visit_lane=ints(visit_rows.value),
        visit_counts=ints(counts),
    )


def _foes(flow: FloatArray, lanes: int, rng: np.random.Generator) -> list[list[list[int]]]:
    """Whom each lane gives way to in each step: lanes of its signal that are green in it."""
    return [
        [
            [
                foe
                for foe in range(lane // lanes * lanes, (lane // lanes + 1) * lanes)
                if gives_way and foe != lane and flow[foe, step] > 0 and rng.random() < 0.7
            ]
            if flow[lane, step] > 0
            else []
            for step in range(flow.shape[1])
        ]
        for lane, gives_way in enumerate(rng.random(len(flow)) < 0.4)
    ]


def plans_of(problem: Problem, common_s: int, seed: int) -> Plans:
    """Random plans with a common cycle; some signals run through it twice."""
    rng = np.random.default_rng(seed)
    signals = len(problem.lane_ptr) - 1
    steps = len(problem.least_s) // signals
    repeats = rng.integers(1, 3, signals) if common_s % 2 == 0 else np.ones(signals, np.int64)
    step_s = np.zeros(signals * steps, dtype=np.int64)
    for i in range(signals):
        cycle_s = common_s // repeats[i]
        cuts = np.sort(rng.choice(np.arange(1, cycle_s), steps - 1, replace=False))
        step_s[i * steps : (i + 1) * steps] = np.diff([0, *cuts, cycle_s])
    return Plans(
        common_s=np.array([common_s], dtype=np.int64),
        repeats=repeats.astype(np.int64),
        offset_s=rng.integers(0, common_s, signals).astype(np.int64),
        step_s=step_s,
    )
