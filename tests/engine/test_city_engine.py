"""The engine of a whole city: any number of threads gives the same, and ticks leave nothing behind."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numba.core.runtime import _nrt_python as runtime  # type: ignore[attr-defined]

from ampelwerk.engine.city_engine import CityEngine
from ampelwerk.engine.crew import CHUNK, Crew
from ampelwerk.engine.kernels.decision import BY_PLAN, Choice
from ampelwerk.models.errors import InvalidInputError
from tests.engine.conftest import COMPILED
from tests.engine.synthetic_city import Edges, Obedience, city_of, play, street_of

SIZE, TICKS = (5 * CHUNK + 3, 60) if COMPILED else (3, 15)


class Town:
    """A made-up city that runs."""

    def __init__(self, size: int, threads: int) -> None:
        self.city = city_of(size, seed=4)
        self.engine = CityEngine(self.city, 0.0, 1.0, threads=threads)
        self._street = street_of(self.city, 0.9, seed=4)
        self._signals = Obedience(self.city, self.engine.signals)
        self._rng = np.random.default_rng(4)
        room = 9 * self.city.lanes
        self._edges = Edges(np.zeros(room, np.int64), np.zeros(room), np.zeros(room, np.int64))
        self.second = 0

    def edges(self) -> Edges:
        """What the loops report of the next second."""
        green, chance = self.engine.signals.green, self._rng.random(self.city.lanes)
        count = play(self._street, green, self.second, chance, self._edges)
        self.second += 1
        order = np.argsort(self._edges.at_s[:count], kind="stable")
        edges = self._edges
        return Edges(edges.loop[order], edges.at_s[order], edges.on[order])

    def tick(self) -> Choice:
        """One second."""
        choice = self.engine.tick(*self.edges(), float(self.second))
        self._signals.obey(choice, float(self.second))
        return choice


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same(threads: int) -> None:
    alone, together = Town(SIZE, 1), Town(SIZE, threads)
    changes = 0
    for _ in range(TICKS):
        before = alone.engine.signals.stage.copy()
        for one, other in zip(alone.tick(), together.tick(), strict=True):
            assert one.tobytes() == other.tobytes()
        changes += int((before != alone.engine.signals.stage).sum())
    for name, one in alone.engine.estimator.traffic._asdict().items():
        assert one.tobytes() == together.engine.estimator.traffic._asdict()[name].tobytes(), name
    assert changes > SIZE / 2


def test_city_decides_as_its_intersections_would_alone() -> None:
    town = Town(SIZE, 2)
    for _ in range(TICKS):
        choice = town.tick()
    assert (choice.reason[choice.stage >= 0] == BY_PLAN).any()
    wished = choice.stage.copy()
    wishes = town.engine.strategy.decide(float(town.second))
    assert {wish.intersection: wish.stage for wish in wishes}.items() <= {
        i: int(stage) for i, stage in enumerate(wished)
    }.items()


@pytest.mark.skipif(not COMPILED, reason="Python allocates for every number")
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


def test_edge_of_an_unknown_loop_is_refused_whole() -> None:
    town = Town(2, 1)
    before = town.engine.estimator.traffic.occupied.copy()
    loops = np.array([0, len(town.city.loop_role)])
    with pytest.raises(InvalidInputError, match="loop that is not there"):
        town.engine.tick(loops, np.zeros(2), np.ones(2, dtype=np.int64), 1.0)
    with pytest.raises(InvalidInputError, match="each"):
        town.engine.tick(loops[:1], np.zeros(2), np.ones(2, dtype=np.int64), 1.0)
    assert (town.engine.estimator.traffic.occupied == before).all()


def test_every_item_is_done_once_and_errors_come_out() -> None:
    crew, size = Crew(3), 1_000
    times = np.zeros(size, dtype=np.int64)

    def count(first: int, last: int, worker: int) -> None:
        assert 0 <= worker < 3
        times[first:last] += 1

    crew.share(count, size)
    assert (times == 1).all()

    def fail(first: int, last: int, worker: int) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        crew.share(fail, size)
    crew.share(count, size)
    assert (times == 2).all()
