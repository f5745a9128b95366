"""The performance index of compiled kernels beside the same in plain NumPy.

    python -m benchmarks.performance_index

Both compute the index of the same made-up signals in turn, over and over; the least time of each
counts, since a busy machine only ever adds. Ends with 1 if the kernel is not 50 times as fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter

from ampelwerk.engine.kernels.performance_index import no_flows, performance_index
from tests.engine.coordination.problems import plans_of, problem_of
from tests.reference import cyclic_model

LANES, STEPS, CYCLE_S, SWEEPS, ROUNDS = 12, 4, 90, 3, 5
TIMES_AS_FAST = 50


def least_s(work: Callable[[], float], rounds: int) -> float:
    """Least time of some rounds. [s]"""
    times = []
    for _ in range(rounds):
        started = perf_counter()
        work()
        times.append(perf_counter() - started)
    return min(times)


def main() -> int:
    """Print a row for each size."""
    print("| signals | plain NumPy [ms] | kernel [ms] | times as fast |")
    print("|---|---|---|---|")
    slowest = float("inf")
    for signals in (1, 20, 200):
        problem = problem_of(signals, LANES, STEPS, 1)
        plans, flows = plans_of(problem, CYCLE_S, 1), no_flows(signals * LANES)
        found = performance_index(problem, plans, flows, True, SWEEPS)
        wanted = cyclic_model.index(problem, plans, linked=True, sweeps=SWEEPS)
        assert abs(found - wanted) <= 1e-9 * abs(wanted), (found, wanted)
        plain_s = least_s(
            lambda p=problem, q=plans: cyclic_model.index(p, q, linked=True, sweeps=SWEEPS),  # type: ignore[misc]
            2,
        )
        kernel_s = least_s(
            lambda p=problem, q=plans, f=flows: performance_index(p, q, f, True, SWEEPS),  # type: ignore[misc]
            ROUNDS,
        )
        slowest = min(slowest, plain_s / kernel_s)
        print(
            f"| {signals} | {1e3 * plain_s:.1f} | {1e3 * kernel_s:.3f} | {plain_s / kernel_s:.0f} |",
            flush=True,
        )
    return 0 if slowest >= TIMES_AS_FAST else 1


if __name__ == "__main__":
    sys.exit(main())
