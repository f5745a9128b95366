"""What the strategies choose in situations with one right answer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ampelwerk.engine.strategies.max_pressure import MaxPressure
from ampelwerk.engine.strategies.priority_index import PriorityIndex
from ampelwerk.engine.strategies.strategy import Wish
from tests.engine.conftest import Street


def strategies(street: Street) -> list[MaxPressure | PriorityIndex]:
    traffic = street.estimator.traffic
    return [
        MaxPressure(street.city, traffic, street.signals, 1.0),
        PriorityIndex(street.city, traffic, street.signals),
    ]


def lanes_of(street: Street, intersection: int) -> list[int]:
    return [k for k, lane in enumerate(street.network.lanes) if lane.intersection == intersection]


def served(street: Street, intersection: int, stage: int) -> set[int]:
    """Lanes that a stage releases."""
    site = street.network.intersections[intersection]
    green = set(site.stages[stage].groups)
    return {
        lane
        for lane in lanes_of(street, intersection)
        if {site.movements[m].group for m in street.network.lanes[lane].movements} & green
    }


def wish_of(wishes: Sequence[Wish], intersection: int) -> Wish | None:
    return next((wish for wish in wishes if wish.intersection == intersection), None)


@pytest.mark.parametrize("which", [0, 1], ids=["max-pressure", "priority-index"])
def test_nobody_waits_and_nothing_changes(street: Street, which: int) -> None:
    street.show(0)
    street.wait(5)
    assert list(strategies(street)[which].decide(street.now_s)) == []


@pytest.mark.parametrize("which", [0, 1], ids=["max-pressure", "priority-index"])
def test_the_only_queue_is_served_next(street: Street, which: int) -> None:
    street.show(0)
    street.wait(5)
    lane = next(k for k in lanes_of(street, 0) if k not in served(street, 0, 0))
    street.estimator.traffic.queue_veh[lane] = 6.0
    wish = wish_of(strategies(street)[which].decide(street.now_s), 0)
    assert wish is not None
    assert lane in served(street, 0, wish.stage)
    assert wish.reason
    assert wish_of(strategies(street)[which].decide(street.now_s), 1) is None


@pytest.mark.parametrize("which", [0, 1], ids=["max-pressure", "priority-index"])
def test_no_decision_before_it_may_be_taken(street: Street, which: int) -> None:
    street.show(0)
    street.wait(5)
    street.estimator.traffic.queue_veh[:] = 5.0
    street.signals.decidable_s[:] = street.now_s + 1.0
    assert list(strategies(street)[which].decide(street.now_s)) == []


def test_long_wait_overrules_the_index(street: Street) -> None:
    street.show(0)
    street.wait(5)
    traffic = street.estimator.traffic
    lane = next(k for k in lanes_of(street, 0) if k not in served(street, 0, 0))
    for other in served(street, 0, 0):
        traffic.queue_veh[other] = 12.0
    traffic.queue_veh[lane] = 1.0
    index = PriorityIndex(street.city, traffic, street.signals)
    assert wish_of(index.decide(street.now_s), 0) is None
    traffic.departed_s[lane] = traffic.red_since_s[lane] = street.now_s - 91.0
    wish = wish_of(index.decide(street.now_s), 0)
    assert wish is not None
    assert lane in served(street, 0, wish.stage)
    assert wish.reason == "a lane has waited too long"


def test_full_exit_is_not_fed(street: Street) -> None:
    street.show(0)
    street.wait(5)
    traffic = street.estimator.traffic
    lane = next(k for k in lanes_of(street, 0) if k not in served(street, 0, 0))
    traffic.queue_veh[lane] = 6.0
    index = PriorityIndex(street.city, traffic, street.signals)
    assert wish_of(index.decide(street.now_s), 0) is not None
    traffic.full[:] = 1
    assert wish_of(index.decide(street.now_s), 0) is None
