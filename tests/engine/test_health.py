"""Faults of loops with one right answer each, on a small street, and what stands in for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ampelwerk.engine.health import JUDGE_EVERY_S
from ampelwerk.engine.kernels.loops import CHATTER, SOUND, STUCK_OFF, STUCK_ON, SUSPECT
from ampelwerk.engine.strategies.fixed import Fixed
from ampelwerk.engine.strategies.plan_where_blind import REASON, PlanWhereBlind
from tests.engine.conftest import Street
from tests.engine.test_estimation import stage_that

LANE = 0


class Lane:
    """The first lane of the street, with traffic through greens."""

    def __init__(self, street: Street) -> None:
        self.street, own = street, street.network.lanes[LANE]
        self.line, self.advance = own.stop_loops[0], own.advance_loops[0]
        self.green = stage_that(street, LANE, serves=True)
        self.red = stage_that(street, LANE, serves=False)
        street.show(self.green)

    def vehicles(self, number: int, *dead: int) -> None:
        """At green they pass the advance loop and the stop line, each after the other."""
        for _ in range(number):
            for loop in (self.advance, self.line):
                if loop in dead:
                    self.street.wait(1)
                else:
                    self.street.pass_over(loop)
                self.street.wait(3)

    def fault(self, loop: int) -> int:
        return int(self.street.health.state.fault[loop])

    def quality(self, loop: int) -> float:
        return float(self.street.health.state.quality[loop])


@pytest.fixture
def lane(street: Street) -> Lane:
    lane = Lane(street)
    lane.vehicles(20)
    assert street.health.state.quality.min() == 1.0
    return lane


def test_silent_stop_line_is_doubted_then_stuck_off(lane: Lane) -> None:
    lane.vehicles(6, lane.line)
    assert (lane.fault(lane.line), lane.quality(lane.line)) == (SUSPECT, 0.5)
    lane.vehicles(14, lane.line)
    assert (lane.fault(lane.line), lane.quality(lane.line)) == (STUCK_OFF, 0.0)
    assert lane.fault(lane.advance) == SOUND


def test_silent_advance_loop_makes_a_lane_without_one(lane: Lane) -> None:
    lane.vehicles(20, lane.advance)
    assert lane.fault(lane.advance) == STUCK_OFF
    assert lane.street.estimator.city.lane_advance_loop[LANE] == -1
    assert lane.fault(lane.line) == SOUND


def test_stop_line_that_shows_a_vehicle_while_others_pass_is_stuck_on(lane: Lane) -> None:
    lane.street.second((lane.line, 0.5, 1))
    lane.vehicles(30, lane.line)
    assert lane.fault(lane.line) == STUCK_ON


def test_advance_loop_held_through_greens_with_a_free_line_is_stuck_on(lane: Lane) -> None:
    lane.street.second((lane.advance, 0.5, 1))
    for _ in range(4):
        lane.street.show(lane.red)
        lane.street.wait(20)
        lane.street.show(lane.green)
        lane.street.wait(10)
    assert lane.fault(lane.advance) == STUCK_ON


def test_short_pulses_are_chatter_within_seconds(lane: Lane) -> None:
    for _ in range(3):
        lane.street.second((lane.line, 0.50, 1), (lane.line, 0.53, 0))
    pulsed_s = lane.street.now_s
    lane.street.wait(int(JUDGE_EVERY_S))
    assert (lane.fault(lane.line), lane.quality(lane.line)) == (CHATTER, 0.0)
    alarm = lane.street.health.alarms[-1]
    assert (alarm.loop, alarm.fault) == (lane.line, "chatter")
    assert pulsed_s <= alarm.time_s <= pulsed_s + JUDGE_EVERY_S


def test_doubt_ends_with_the_next_vehicle_loss_after_ten_clean_minutes(lane: Lane) -> None:
    lane.vehicles(6, lane.line)
    assert lane.fault(lane.line) == SUSPECT
    lane.street.pass_over(lane.line)
    assert lane.quality(lane.line) == 1.0
    lane.vehicles(20, lane.line)
    assert lane.quality(lane.line) == 0.0
    lane.vehicles(60)
    assert lane.quality(lane.line) == 0.0
    lane.vehicles(30)
    assert lane.quality(lane.line) == 1.0
    assert [a.fault for a in lane.street.health.alarms] == ["stuck-off", "sound"]


def test_night_is_no_fault(lane: Lane) -> None:
    for _ in range(30):
        lane.street.show(lane.red)
        lane.street.wait(60)
        lane.street.show(lane.green)
        lane.street.wait(60)
    assert (lane.street.health.state.quality == 1.0).all()


def test_blocked_lane_is_no_fault(lane: Lane) -> None:
    for loop in (lane.line, lane.advance):
        lane.street.second((loop, 0.5, 1))
    for number in range(len(lane.street.network.exits)):
        for loop in lane.street.network.exits[number].exit_loops:
            lane.street.second((loop, 0.5, 1))
    lane.street.wait(75)
    quality = lane.street.health.state.quality
    assert quality[lane.line] == quality[lane.advance] == 1.0


def test_lane_without_working_loops_keeps_calling_at_its_usual_rate(lane: Lane) -> None:
    for loop in (lane.line, lane.advance):
        for _ in range(3):
            lane.street.second((loop, 0.50, 1), (loop, 0.53, 0))
    lane.street.show(lane.green)
    lane.street.wait(60)
    lane.street.show(lane.red)
    before = lane.street.queue(LANE)
    lane.street.wait(60)
    assert 60 / 8 * 0.5 < lane.street.queue(LANE) - before < 60 / 8 * 2


def test_lost_stop_line_teaches_no_saturation_flow(lane: Lane) -> None:
    for _ in range(3):
        lane.street.second((lane.line, 0.50, 1), (lane.line, 0.53, 0))
    before = lane.street.estimator.traffic.served_s.copy()
    for _ in range(10):
        lane.street.pass_over(lane.advance)
        lane.street.wait(3)
    assert (lane.street.estimator.traffic.served_s == before).all()


def test_free_advance_loop_bounds_the_queue_before_a_lost_stop_line(lane: Lane) -> None:
    for _ in range(3):
        lane.street.second((lane.line, 0.50, 1), (lane.line, 0.53, 0))
    lane.street.estimator.traffic.queue_veh[LANE] = 15.0
    lane.street.show(lane.red)
    lane.street.wait(10)
    assert lane.street.queue(LANE) <= lane.street.network.lanes[LANE].advance_m / 7.5


def test_silent_lane_is_tried_where_another_loop_of_the_signal_is_lost(street: Street) -> None:
    site = street.network.lanes[LANE].intersection
    other = next(
        lane
        for number, lane in enumerate(street.network.lanes)
        if number != LANE and lane.intersection == site and lane.stop_loops
    )
    street.show(stage_that(street, LANE, serves=False))
    street.wait(200)
    assert street.queue(LANE) == 0.0
    for _ in range(3):
        street.second((other.stop_loops[0], 0.50, 1), (other.stop_loops[0], 0.53, 0))
    street.wait(2)
    assert street.queue(LANE) >= 0.5
    assert street.now_s - street.estimator.traffic.departed_s[LANE] > 90.0


def test_a_lane_that_never_showed_a_vehicle_is_unused_and_tried_now_and_then(
    street: Street,
) -> None:
    lane = Lane(street)
    site = street.network.lanes[LANE].intersection
    others = [
        other
        for number, other in enumerate(street.network.lanes)
        if number != LANE and other.intersection == site and other.stop_loops
    ]
    quality = street.health.state.quality
    for _ in range(8):
        for stage in (lane.red, lane.green):
            street.show(stage)
            for _ in range(3):
                for other in others:
                    for loop in (*other.advance_loops[:1], other.stop_loops[0]):
                        street.pass_over(loop)
                        street.wait(3)
    assert quality[lane.line] == quality[lane.advance] == 1.0
    street.show(lane.red)
    street.wait(250)
    assert street.queue(LANE) == 0.0
    street.wait(60)
    assert street.queue(LANE) >= 0.5


def test_a_lane_that_is_red_for_long_is_tried_though_its_loops_see_nobody(street: Street) -> None:
    """A bicycle beside the loop waits at red like anybody."""
    lane = Lane(street)
    for _ in range(3):
        street.show(lane.red)
        street.wait(5)
        street.show(lane.green)
        for loop in (lane.advance, lane.line):
            street.pass_over(loop)
            street.wait(3)
    street.show(lane.red)
    street.wait(290)
    assert street.health.state.quality[lane.line] == 1.0
    assert street.queue(LANE) == 0.0
    street.wait(20)
    assert street.queue(LANE) >= 0.5
    departed_s = street.estimator.traffic.departed_s
    assert street.now_s - departed_s[LANE] < 30.0  # when it suits the others
    street.wait(85)
    assert street.now_s - departed_s[LANE] > 90.0  # and next, if it never does
    street.show(lane.green)
    street.wait(10)
    assert street.queue(LANE) == 0.0


def test_exit_of_a_lost_loop_is_open(street: Street) -> None:
    number = next(k for k, exit_ in enumerate(street.network.exits) if exit_.exit_loops)
    loop = street.network.exits[number].exit_loops[0]
    street.second((loop, 0.5, 1))
    street.wait(5)
    assert street.estimator.traffic.full[number] == 1
    street.wait(90)
    assert street.estimator.traffic.full[number] == 0


def test_blind_intersection_follows_its_plan(street: Street) -> None:
    blind = street.health.state.blind
    strategy = PlanWhereBlind(Fixed(), street.network, street.signals, blind)
    assert not list(strategy.decide(0.0))
    blind[0] = 1
    plan = street.network.intersections[0].plans[0]
    for now_s in range(int(plan.cycle_ds / 10)):
        wanted = plan.stage_at(now_s * 10)
        wishes = list(strategy.decide(float(now_s)))
        if wanted == street.signals.stage[0]:
            assert not wishes
        else:
            assert [(w.intersection, w.stage, w.reason) for w in wishes] == [(0, wanted, REASON)]
            street.signals.stage[0] = wanted


def test_signal_that_falls_silent_is_blind_until_it_is_heard(street: Street) -> None:
    lane = Lane(street)
    lane.vehicles(30)
    i = street.network.lanes[LANE].intersection
    assert street.health.state.blind[i] == 0
    street.wait(600)
    assert street.health.state.blind[i] == 1
    lane.vehicles(1)
    assert street.health.state.blind[i] == 0


def test_signal_that_was_always_quiet_is_not_blind_when_nobody_comes(street: Street) -> None:
    """At night a vehicle passes now and then on one of its lanes, and none on the others."""
    lane = Lane(street)
    i = street.network.lanes[LANE].intersection
    for _ in range(6):
        street.wait(100)
        lane.vehicles(1)
    street.wait(300)
    assert street.health.state.blind[i] == 0


@pytest.mark.parametrize("late_s", [6.0, 20.0, 59.0])
def test_upstream_vehicle_heard_of_too_late_is_not_expected(street: Street, late_s: float) -> None:
    street.show(0)
    street.wait(100)
    u = 0
    loop = int(street.city.stream_loop[u])
    due_s = street.now_s + 1 - late_s + street.city.stream_s[u]
    street.second((loop, 1.0 - late_s, 1), (loop, 1.2 - late_s, 0))
    expected = street.estimator.traffic.ahead[u]
    assert expected == (1 if due_s > street.now_s - 3.0 else 0)
    if expected:
        assert street.estimator.traffic.ahead_s[u, 0] == pytest.approx(due_s, abs=1e-6)


def test_advance_vehicle_heard_of_after_the_next_green_does_not_queue(lane: Lane) -> None:
    lane.street.show(lane.red)
    lane.street.wait(5)
    lane.street.second((lane.advance, 0.5 - 40.0, 1), (lane.advance, 0.8 - 40.0, 0))
    assert lane.street.queue(LANE) == 0.0


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_edges_leave_qualities_and_beliefs_in_bounds(
    street: Street, data: st.DataObject
) -> None:
    loops = st.integers(0, len(street.network.loops) - 1)
    edge = st.tuples(loops, st.floats(-60.0, 1.0), st.integers(0, 1))
    for edges in data.draw(st.lists(st.lists(edge, max_size=12), min_size=1, max_size=30)):
        street.show(data.draw(st.sampled_from([0, 1])))
        street.second(*edges)
        street.wait(data.draw(st.sampled_from([0, 0, 5, 90])))
    health, traffic = street.health.state, street.estimator.traffic
    assert set(np.unique(health.quality)) <= {0.0, 0.5, 1.0}
    for field in (*health, *traffic):
        assert np.isfinite(field).all()
    for field in (traffic.queue_veh, traffic.behind_veh, traffic.lane_rate_veh_s, traffic.cover):
        assert (field >= 0.0).all()
