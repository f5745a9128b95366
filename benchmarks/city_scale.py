"""One tick of a whole city: time, memory, depth.

    python -m benchmarks.city_scale                     # 100, 1,000 and 10,000 intersections
    python -m benchmarks.city_scale --sizes 1000 --threads 1

A tick takes the detector edges of a second as arrays and gives wishes as arrays. The city and its
traffic are made up (`tests/engine/synthetic_city.py`), by a seed; the signals do what is wished.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass

import numpy as np

from ampelwerk.engine.city_engine import CityEngine
from ampelwerk.engine.kernels.decision import BY_PLAN, BY_SUPERVISOR
from tests.engine.synthetic_city import Edges, Obedience, city_of, play, street_of

SATURATION, SEED = 0.8, 1
WARM_UP = 100
"""Ticks until queues have grown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run of ticks showed."""

    tick_s: list[float]
    cpu_s: list[float]
    """Processor time of all threads: what the tick would take on one free core."""
    edges: float
    deciding: float
    """Share of intersections that may decide in a tick."""
    deep: float
    """Share of those decided with the whole search."""
    queue_veh: float
    """Mean queue of a lane."""
    threads: int


def run(intersections: int, ticks: int, threads: int | None, pin: bool) -> Result:
    """Play a city and time its ticks."""
    city = city_of(intersections, SEED)
    engine = CityEngine(city, 0.0, 1.0, threads=threads, pin=pin)
    street = street_of(city, SATURATION, SEED)
    signals = Obedience(city, engine.signals)
    rng = np.random.default_rng(SEED)
    room = 9 * city.lanes
    edges = Edges(np.zeros(room, np.int64), np.zeros(room), np.zeros(room, np.int64))
    times, cpu, counts, may, deep, queue = list[float](), list[float](), 0, 0, 0, 0.0
    for second in range(WARM_UP + ticks):
        count = play(street, engine.signals.green, second, rng.random(city.lanes), edges)
        order = np.argsort(edges.at_s[:count], kind="stable")
        loop, at_s, on = edges.loop[order], edges.at_s[order], edges.on[order]
        now_s = second + 1.0
        begin, busy = time.perf_counter(), time.process_time()
        choice = engine.tick(loop, at_s, on, now_s)
        busy, spent = time.process_time() - busy, time.perf_counter() - begin
        if second >= WARM_UP:
            times.append(spent)
            cpu.append(busy)
            free = engine.signals.decidable_s <= now_s
            whole = (choice.reason == BY_PLAN) | (choice.reason == BY_SUPERVISOR)
            counts += count
            may += int(free.sum())
            deep += int((free & (choice.stage >= 0) & whole).sum())
            queue += float(street.queue.mean())
        signals.obey(choice, now_s)
    return Result(
        tick_s=times,
        cpu_s=cpu,
        edges=counts / ticks,
        deciding=may / ticks / intersections,
        deep=deep / may,
        queue_veh=queue / ticks,
        threads=engine.threads,
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--ticks", type=int, default=100)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--pin", action="store_true", help="a processor of its own for each thread")
    words = parser.parse_args()
    run(100, 5, words.threads, words.pin)  # compiles
    print(
        "| intersections | threads | edges a tick | deciding | whole search | p50 ms | p99 ms "
        "| CPU ms | CPU µs per intersection | queue veh | peak MB |\n" + "|---" * 11 + "|"
    )
    for size in words.sizes:
        result = run(size, words.ticks, words.threads, words.pin)
        p50, p99 = np.percentile(result.tick_s, [50, 99]) * 1e3
        cpu_ms = np.percentile(result.cpu_s, 50) * 1e3
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"| {size:,} | {result.threads} | {result.edges:,.0f} | {result.deciding:.0%} "
            f"| {result.deep:.1%} | {p50:.1f} | {p99:.1f} | {cpu_ms:.1f} "
            f"| {cpu_ms / size * 1e3:.1f} | {result.queue_veh:.1f} | {peak_mb:,.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
