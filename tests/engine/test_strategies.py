"""What the strategies choose in situations with one right answer."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
import pytest

from ampelwerk.engine.estimation import Estimator, no_traffic
from ampelwerk.engine.strategies.max_pressure import MaxPressure
from ampelwerk.engine.strategies.priority_index import PriorityIndex
from ampelwerk.engine.strategies.rolling_horizon import RollingHorizon
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame
from tests.engine.conftest import Street


def strategies(street: Street) -> list[MaxPressure | PriorityIndex | RollingHorizon]:
    traffic = street.estimator.traffic
    return [
        MaxPressure(street.city, traffic, street.signals, 1.0),
        PriorityIndex(street.city, traffic, street.signals),
        RollingHorizon(street.city, traffic, street.signals),
    ]


EVERY = pytest.mark.parametrize(
    "which", [0, 1, 2], ids=["max-pressure", "priority-index", "rolling-horizon"]
)


LOOKING_AHEAD = pytest.mark.parametrize("which", [1, 2], ids=["priority-index", "rolling-horizon"])


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


def one_waits_beside_long_queues(street: Street) -> int:
    """A lane at red with one vehicle, while those at green have many."""
    street.show(0)
    street.wait(5)
    lane = next(k for k in lanes_of(street, 0) if k not in served(street, 0, 0))
    for other in served(street, 0, 0):
        street.estimator.traffic.queue_veh[other] = 12.0
    street.estimator.traffic.queue_veh[lane] = 1.0
    return lane


def wish_of(wishes: Sequence[Wish], intersection: int) -> Wish | None:
    return next((wish for wish in wishes if wish.intersection == intersection), None)


@EVERY
def test_nobody_waits_and_nothing_changes(street: Street, which: int) -> None:
    street.show(0)
    street.wait(5)
    assert list(strategies(street)[which].decide(street.now_s)) == []


@EVERY
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


@EVERY
def test_no_decision_before_it_may_be_taken(street: Street, which: int) -> None:
    street.show(0)
    street.wait(5)
    street.estimator.traffic.queue_veh[:] = 5.0
    street.signals.decidable_s[:] = street.now_s + 1.0
    assert list(strategies(street)[which].decide(street.now_s)) == []


@LOOKING_AHEAD
def test_long_wait_overrules(street: Street, which: int) -> None:
    traffic, lane = street.estimator.traffic, one_waits_beside_long_queues(street)
    index = strategies(street)[which]
    assert wish_of(index.decide(street.now_s), 0) is None
    traffic.departed_s[lane] = traffic.red_since_s[lane] = street.now_s - 91.0
    wish = wish_of(index.decide(street.now_s), 0)
    assert wish is not None
    assert lane in served(street, 0, wish.stage)
    assert wish.reason == "a lane has waited too long"
    assert wish.binding == "longest wait of a lane"


@LOOKING_AHEAD
def test_who_was_served_in_vain_does_not_call_again_at_once(street: Street, which: int) -> None:
    """Two lanes before full exits would else take turns, each for a minimum green."""
    traffic, lane = street.estimator.traffic, one_waits_beside_long_queues(street)
    traffic.departed_s[lane] = street.now_s - 300.0
    index = strategies(street)[which]
    traffic.red_since_s[lane] = street.now_s - 10.0
    assert wish_of(index.decide(street.now_s), 0) is None
    traffic.red_since_s[lane] = street.now_s - 91.0
    wish = wish_of(index.decide(street.now_s), 0)
    assert wish is not None
    assert lane in served(street, 0, wish.stage)


@LOOKING_AHEAD
@pytest.mark.parametrize("reach_veh, early", [(2.0, True), (27.0, False)])
def test_only_a_road_that_is_short_up_to_the_signal_behind_is_emptied_early(
    street: Street, which: int, reach_veh: float, early: bool
) -> None:
    """A lane that starts a few metres before the line, where roads merge, is none."""
    traffic, lane = street.estimator.traffic, one_waits_beside_long_queues(street)
    traffic.departed_s[lane] = traffic.red_since_s[lane] = street.now_s - 11.0
    street.city.lane_storage_veh[lane] = 1.5
    street.city.lane_reach_veh[lane] = reach_veh
    wish = wish_of(strategies(street)[which].decide(street.now_s), 0)
    assert (wish is not None) == early


@LOOKING_AHEAD
def test_full_exit_is_not_fed(street: Street, which: int) -> None:
    street.show(0)
    street.wait(5)
    traffic = street.estimator.traffic
    lane = next(k for k in lanes_of(street, 0) if k not in served(street, 0, 0))
    traffic.queue_veh[lane] = 6.0
    index = strategies(street)[which]
    assert wish_of(index.decide(street.now_s), 0) is not None
    traffic.full[:] = 1
    assert wish_of(index.decide(street.now_s), 0) is None


def test_a_head_that_stood_on_is_not_served_by_the_same_stage_again(street: Street) -> None:
    street.show(0)
    street.wait(5)
    traffic, city = street.estimator.traffic, street.city
    lane = next(k for k in lanes_of(street, 0) if k not in served(street, 0, 0))
    traffic.queue_veh[lane] = 6.0
    plan = RollingHorizon(city, traffic, street.signals)
    wish = wish_of(plan.decide(street.now_s), 0)
    assert wish is not None
    stage = city.stage_ptr[0] + wish.stage
    entries = range(city.entry_ptr[stage], city.entry_ptr[stage + 1])
    traffic.stuck_s[next(e for e in entries if city.entry_lane[e] == lane)] = street.now_s
    other = wish_of(plan.decide(street.now_s), 0)
    assert other is None or other.stage != wish.stage


def test_a_platoon_about_to_arrive_is_waited_for(street: Street) -> None:
    """One vehicle waits elsewhere; six are two seconds from the line that is green."""
    street.show(0)
    street.wait(5)
    traffic = street.estimator.traffic
    main = min(served(street, 0, 0))
    side = next(k for k in lanes_of(street, 0) if k not in served(street, 0, 0))
    traffic.queue_veh[side] = 1.0
    plan = RollingHorizon(street.city, traffic, street.signals)
    assert wish_of(plan.decide(street.now_s), 0) is not None
    traffic.coming[main] = 6
    traffic.coming_s[main, :6] = street.now_s + np.array([2.5, 4.0, 5.5, 7.0, 8.5, 10.0])
    assert wish_of(plan.decide(street.now_s), 0) is None


def test_max_pressure_in_one_go_equals_estimation_and_decision(street: Street) -> None:
    """Beliefs and wishes, while a vehicle a second stops at one loop after the other."""
    street.show(0)
    city, signals = street.city, street.signals
    estimator = Estimator(city, 0.0, 1.0)
    apart = MaxPressure(city, estimator.traffic, signals, 1.0)
    at_once = MaxPressure(city, no_traffic(city, 0.0), signals, 1.0)
    wished = 0
    for second in range(len(street.network.loops)):
        frame = DetectorFrame(
            time_s=second + 1.0,
            loop=array("q", [second]),
            at_s=array("d", [second + 0.5]),
            on=array("q", [1]),
        )
        estimator.update(frame, signals)
        wishes = apart.decide(frame.time_s)
        assert at_once.tick(frame) == wishes
        wished += len(wishes)
        for kept, alike in zip(estimator.traffic, at_once.traffic, strict=True):
            np.testing.assert_array_equal(alike, kept)
    assert wished
