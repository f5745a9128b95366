"""Vehicles late in leaving the junction, and the greens that wait for them."""

from __future__ import annotations

import pytest

from ampelwerk.engine.kernels.decision import NOT_SHOWN_S
from ampelwerk.engine.strategies.priority_index import PriorityIndex
from ampelwerk.engine.strategies.rolling_horizon import RollingHorizon
from ampelwerk.models.detection import LoopRole
from tests.engine.conftest import Street


def exit_loop(street: Street) -> int:
    """An exit loop of the first signal."""
    return next(
        loop
        for lane in street.network.exits
        if lane.intersection == 0
        for loop in lane.exit_loops
        if street.network.loops[loop].role is LoopRole.EXIT
    )


def late_veh(street: Street) -> float:
    return float(street.estimator.traffic.late_veh[0])


def cross(street: Street, vehicles: int) -> None:
    """Vehicles leave the first stop line, one a second."""
    street.show(0)
    for _ in range(vehicles):
        street.pass_over(street.network.lanes[0].stop_loops[0])


def test_who_came_in_and_did_not_leave_is_late(street: Street) -> None:
    cross(street, 4)
    assert late_veh(street) == 0.0  # they may still be on their way
    street.wait(5)
    assert late_veh(street) == 4.0
    street.pass_over(exit_loop(street))
    assert late_veh(street) == 3.0


def test_who_leaves_in_time_is_not_late(street: Street) -> None:
    cross(street, 1)
    street.wait(3)
    street.pass_over(exit_loop(street))
    for _ in range(40):
        street.wait(1)
        assert late_veh(street) <= 0.0


def test_old_counts_are_forgotten(street: Street) -> None:
    cross(street, 4)
    street.wait(40)
    assert late_veh(street) == 0.0


def test_what_is_usual_keeps_nothing_back(street: Street) -> None:
    for _ in range(300):  # one exit has no loop that works: somebody always seems to be inside
        street.pass_over(street.network.lanes[0].stop_loops[0])
        street.wait(4)
    street.signals.decidable_s[:] = 10 * NOT_SHOWN_S
    wishes = RollingHorizon(street.city, street.estimator.traffic, street.signals).decide(
        street.now_s
    )
    assert late_veh(street) >= 3.0
    assert list(wishes) == []


@pytest.mark.parametrize("strategy", [PriorityIndex, RollingHorizon])
@pytest.mark.parametrize("vehicles", [2, 3])
def test_greens_of_a_transition_wait_for_three(
    street: Street, strategy: type[PriorityIndex | RollingHorizon], vehicles: int
) -> None:
    cross(street, vehicles + 1)
    street.wait(4)
    street.pass_over(exit_loop(street))
    decide = strategy(street.city, street.estimator.traffic, street.signals).decide
    street.signals.decidable_s[:] = street.now_s + 3  # shown in full, minimum green runs
    assert list(decide(street.now_s)) == []
    street.signals.decidable_s[:] = 10 * NOT_SHOWN_S  # a transition runs
    wishes = decide(street.now_s)
    assert [(wish.intersection, wish.hold) for wish in wishes] == [(0, True)] * (vehicles >= 3)
