"""The engine of a whole city: any number of threads gives the same."""

from __future__ import annotations

import numpy as np
import pytest

from ampelwerk.engine.crew import CHUNK, Crew
from ampelwerk.engine.kernels.decision import BY_PLAN
from ampelwerk.models.errors import InvalidInputError
from tests.engine.conftest import COMPILED
from tests.engine.town import Town

SIZE, TICKS = (5 * CHUNK + 3, 60) if COMPILED else (3, 15)


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
    for tick in range(2 * TICKS):
        choice = town.tick()
        if tick >= TICKS and (choice.stage >= 0).any():
            break  # in some seconds every signal of a few is in a transition or a minimum green
    assert (choice.reason[choice.stage >= 0] == BY_PLAN).any()
    wished = choice.stage.copy()
    wishes = town.engine.strategy.decide(float(town.second))
    assert {wish.intersection: wish.stage for wish in wishes}.items() <= {
        i: int(stage) for i, stage in enumerate(wished)
    }.items()


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
