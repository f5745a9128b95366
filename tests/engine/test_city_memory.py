"""Ticks of a city leave nothing behind. Compiled only: Python itself allocates for every number."""

from __future__ import annotations

import tracemalloc

from numba.core.runtime import _nrt_python as runtime  # type: ignore[attr-defined]

from ampelwerk.engine.crew import CHUNK
from tests.engine.town import Town


def test_ticks_leave_nothing_behind_and_take_no_array() -> None:
    counts, peaks = [], []
    for size in (CHUNK, 40 * CHUNK):
        town = Town(size, 1)
        for _ in range(10):
            town.tick()
        frames = [town.edges() for _ in range(10)]
        runtime.memsys_enable_stats()
        tracemalloc.start()
        try:
            for k, frame in enumerate(frames):
                if k == 2:
                    base = tracemalloc.get_traced_memory()[0]
                    tracemalloc.reset_peak()
                    taken, freed = runtime.memsys_get_stats_alloc(), runtime.memsys_get_stats_free()
                town.engine.tick(*frame, float(town.second + k))
            peak = tracemalloc.get_traced_memory()[1]
            counts.append(runtime.memsys_get_stats_alloc() - taken)
            assert runtime.memsys_get_stats_free() - freed == counts[-1]
        finally:
            tracemalloc.stop()
            runtime.memsys_disable_stats()
        peaks.append(peak - base)
    # One array of a number for each lane would take 60 kB more in the larger town.
    assert abs(peaks[1] - peaks[0]) < 30_000
    # Each array handed to a kernel takes a note of its owner; nothing grows with the city.
    assert counts[0] == counts[1]
