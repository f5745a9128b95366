"""The performance index of compiled kernels beside the same in plain NumPy.

    pytest benchmarks/bench_performance_index.py --benchmark-only

The kernel must be at least 50 times as fast; `test_kernel_is_fifty_times_as_fast` measures that.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest

from ampelwerk.engine.kernels.performance_index import no_flows, performance_index
from tests.engine.coordination.problems import plans_of, problem_of
from tests.reference import cyclic_model

SIGNALS, LANES, STEPS, CYCLE_S, SWEEPS = 20, 12, 4, 90, 3


def test_kernel(benchmark: Any) -> None:
    problem = problem_of(SIGNALS, LANES, STEPS, 1)
    plans, flows = plans_of(problem, CYCLE_S, 1), no_flows(SIGNALS * LANES)
    benchmark(performance_index, problem, plans, flows, True, SWEEPS)


def test_plain_numpy(benchmark: Any) -> None:
    problem = problem_of(SIGNALS, LANES, STEPS, 1)
    plans = plans_of(problem, CYCLE_S, 1)
    benchmark.pedantic(
        cyclic_model.index, (problem, plans), {"linked": True, "sweeps": SWEEPS}, rounds=3
    )


def test_kernel_is_fifty_times_as_fast(benchmark: Any) -> None:
    problem = problem_of(SIGNALS, LANES, STEPS, 1)
    plans, flows = plans_of(problem, CYCLE_S, 1), no_flows(SIGNALS * LANES)
    found = performance_index(problem, plans, flows, True, SWEEPS)
    started = perf_counter()
    wanted = cyclic_model.index(problem, plans, linked=True, sweeps=SWEEPS)
    plain_s = perf_counter() - started
    benchmark(performance_index, problem, plans, flows, True, SWEEPS)
    assert found == pytest.approx(wanted)
    benchmark.extra_info["times as fast"] = round(plain_s / benchmark.stats.stats.median, 1)
    assert plain_s >= 50 * benchmark.stats.stats.median
