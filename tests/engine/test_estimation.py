"""What the estimator believes after vehicles have passed loops in a known way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ampelwerk.engine.kernels.decision import NOT_SHOWN_S
from ampelwerk.engine.kernels.estimation import crossing_veh
from ampelwerk.engine.kernels.saturation_flow import (
    flow_veh_s,
    opposed_flow_veh_s,
    unopposed_flow_veh_s,
)
from ampelwerk.engine.kernels.traffic import NEVER
from ampelwerk.models.intersection import Turn
from tests.engine.conftest import Street

RED, GREEN = 0, 1


def stage_that(street: Street, lane: int, *, serves: bool) -> int:
    """A stage of the lane's signal that serves the lane with right of way, or does not at all."""
    own = street.network.lanes[lane]
    site = street.network.intersections[own.intersection]
    groups = {site.movements[m].group for m in own.movements}
    for number, stage in enumerate(site.stages):
        green = set(stage.groups)
        if stage.selectable and (groups <= green if serves else not groups & green):
            return number
    raise AssertionError("no such stage")


def stage_of(street: Street, entry: int) -> int:
    """The stage of a service entry, within its intersection."""
    stage = int(np.searchsorted(street.city.entry_ptr, entry, side="right")) - 1
    first = street.city.stage_ptr[street.city.lane_intersection[street.city.entry_lane[entry]]]
    return int(stage - first)


def entry_shown(street: Street, lane: int) -> int:
    """Service entry of a lane under the stage that is shown."""
    city, i = street.city, street.network.lanes[lane].intersection
    stage = city.stage_ptr[i] + street.signals.stage[i]
    entries = range(city.entry_ptr[stage], city.entry_ptr[stage + 1])
    return next(entry for entry in entries if city.entry_lane[entry] == lane)


def foes(street: Street, entry: int) -> list[int]:
    """Lanes that an entry gives way to."""
    ptr = street.city.entry_foe_ptr
    return [int(lane) for lane in street.city.entry_foe[ptr[entry] : ptr[entry + 1]]]


def test_vehicles_counted_at_the_advance_loop_queue_at_red(street: Street) -> None:
    lane = 0
    street.show(stage_that(street, lane, serves=False))
    for _ in range(3):
        street.pass_over(street.network.lanes[lane].advance_loops[0])
        street.wait(1)
    street.second((street.network.lanes[lane].stop_loops[0], 0.5, 1))  # the first one stands
    street.wait(10)
    assert street.queue(lane) == 3.0


def test_departures_empty_the_queue(street: Street) -> None:
    lane = 0
    loops = street.network.lanes[lane]
    street.show(stage_that(street, lane, serves=False))
    for _ in range(3):
        street.pass_over(loops.advance_loops[0])
    street.second((loops.stop_loops[0], 0.5, 1))
    street.wait(10)
    street.show(stage_that(street, lane, serves=True))
    street.second((loops.stop_loops[0], 0.9, 0))
    assert street.queue(lane) == 2.0
    street.pass_over(loops.stop_loops[0])
    assert street.queue(lane) == 1.0


def test_free_stop_line_at_green_proves_an_empty_lane(street: Street) -> None:
    lane = 0
    loops = street.network.lanes[lane]
    street.show(stage_that(street, lane, serves=False))
    for _ in range(3):
        street.pass_over(loops.advance_loops[0])
    street.wait(10)
    assert street.queue(lane) == 3.0
    street.show(stage_that(street, lane, serves=True))
    street.wait(8)
    assert street.queue(lane) == 0.0


def test_held_advance_loop_proves_a_full_zone(street: Street) -> None:
    lane = 0
    loops = street.network.lanes[lane]
    street.show(stage_that(street, lane, serves=False))
    street.second((loops.stop_loops[0], 0.5, 1))
    street.second((loops.advance_loops[0], 0.5, 1))
    street.wait(6)
    assert street.queue(lane) >= loops.advance_m / 7.5 - 0.01


def test_vehicle_standing_at_the_line_at_red_is_seen_without_any_count(street: Street) -> None:
    lane = 0
    street.show(stage_that(street, lane, serves=False))
    street.second((street.network.lanes[lane].stop_loops[0], 0.5, 1))
    street.wait(3)
    assert street.queue(lane) >= 1.0


def test_exit_that_is_held_is_full_until_it_moves(street: Street) -> None:
    number = next(k for k, exit_ in enumerate(street.network.exits) if exit_.exit_loops)
    loop = street.network.exits[number].exit_loops[0]
    street.second((loop, 0.5, 1))
    street.wait(5)
    assert street.estimator.traffic.full[number] == 1
    street.second((loop, 0.5, 0))
    street.wait(3)
    assert street.estimator.traffic.full[number] == 0


def test_head_that_stands_on_at_green_is_remembered(street: Street) -> None:
    lane = 0
    street.show(stage_that(street, lane, serves=False))
    street.second((street.network.lanes[lane].stop_loops[0], 0.5, 1))
    street.wait(5)
    street.show(stage_that(street, lane, serves=True))
    street.wait(6)
    assert street.now_s - street.estimator.traffic.stuck_s[entry_shown(street, lane)] <= 1.0


def test_head_is_looked_at_anew_under_every_stage(street: Street) -> None:
    lane, traffic = 0, street.estimator.traffic
    street.show(stage_that(street, lane, serves=True))
    street.second((street.network.lanes[lane].stop_loops[0], 0.5, 1))
    street.wait(20)
    entry = entry_shown(street, lane)
    traffic.stuck_s[entry] = NEVER
    street.signals.decidable_s[:] = 2 * NOT_SHOWN_S  # on the way to a stage that serves it, too
    street.wait(10)
    assert traffic.stuck_s[entry] == NEVER
    street.show(stage_that(street, lane, serves=True))
    street.wait(3)
    assert traffic.stuck_s[entry] == NEVER
    street.wait(3)
    assert street.now_s - traffic.stuck_s[entry] <= 1.0


def test_only_vehicles_that_turn_across_others_give_way(street: Street) -> None:
    city, network = street.city, street.network
    some = False
    for entry in range(len(city.entry_lane)):
        lane = network.lanes[city.entry_lane[entry]]
        site = network.intersections[lane.intersection]
        stage = site.stages[stage_of(street, entry)]
        for foe in foes(street, entry):
            some = True
            other = network.lanes[foe]
            assert other.intersection == lane.intersection and other.approach != lane.approach
            assert {site.movements[m].group for m in other.movements} & set(stage.groups)
        turns = {site.movements[m].turn for m in lane.movements}
        if Turn.LEFT not in turns and Turn.U_TURN not in turns:
            assert not foes(street, entry)
    assert some


def test_saturation_flow_is_learnt_apart_while_others_come_and_while_nobody_does(
    street: Street,
) -> None:
    city, traffic = street.city, street.estimator.traffic
    entry = next(e for e in range(len(city.entry_lane)) if foes(street, e))
    lane, foe = int(city.entry_lane[entry]), foes(street, entry)[0]
    own, other = (street.network.lanes[n].stop_loops[0] for n in (lane, foe))
    opposed = opposed_flow_veh_s(city, traffic, entry)
    unopposed = unopposed_flow_veh_s(city, traffic, entry)
    assert opposed < flow_veh_s(city, traffic, entry) < unopposed
    street.show(stage_of(street, entry))
    street.second((own, 0.5, 1))
    for _ in range(30):  # a vehicle waits while others pass, second by second
        street.second((other, 0.2, 1), (other, 0.8, 0))
    assert opposed_flow_veh_s(city, traffic, entry) < 0.8 * opposed
    assert unopposed_flow_veh_s(city, traffic, entry) == pytest.approx(unopposed)
    street.wait(3)
    for _ in range(30):  # and then vehicles follow one another every other second
        traffic.queue_veh[lane] = 5.0
        street.second((own, 0.2, 0), (own, 0.8, 1))
        street.second()
    assert unopposed_flow_veh_s(city, traffic, entry) > 1.05 * unopposed
    assert opposed_flow_veh_s(city, traffic, entry) < 0.8 * opposed


def test_head_held_at_green_is_still_a_queue(street: Street) -> None:
    lane = 0
    street.show(stage_that(street, lane, serves=True))
    street.wait(10)
    street.second((street.network.lanes[lane].stop_loops[0], 0.5, 1))
    street.wait(4)
    assert street.queue(lane) >= 1.0


def stream_of(street: Street, lane: int) -> tuple[int, int]:
    """A stream of the lane's approach and its entry for the lane."""
    city = street.city
    a = city.lane_approach[lane]
    place = lane - city.approach_lane[city.approach_lane_ptr[a]]
    u = city.approach_stream_ptr[a]
    assert u < city.approach_stream_ptr[a + 1]
    return int(u), int(city.stream_lane_ptr[u] + place)


def test_a_stream_learns_where_its_vehicles_go_and_how_long_they_take(street: Street) -> None:
    lane = 0
    u, entry = stream_of(street, lane)
    street.show(stage_that(street, lane, serves=True))
    advance, upstream = street.network.lanes[lane].advance_loops[0], int(street.city.stream_loop[u])
    expected_s = float(street.city.stream_s[u])
    for _ in range(60):
        street.pass_over(upstream)
        street.wait(round(expected_s) + 1)  # a second or two later than at the speed limit
        street.pass_over(advance)
        street.wait(6)
    traffic = street.estimator.traffic
    assert traffic.share[entry] > 0.9
    assert traffic.cover[entry] > 0.9
    assert expected_s + 0.5 < traffic.stream_s[u] < expected_s + 3.0


def test_a_stream_whose_vehicles_turn_off_is_no_longer_believed(street: Street) -> None:
    lane = 0
    u, entry = stream_of(street, lane)
    street.show(stage_that(street, lane, serves=True))
    for _ in range(80):
        street.pass_over(int(street.city.stream_loop[u]))
        street.wait(14)
    assert street.estimator.traffic.share[entry] < 0.1
    assert street.estimator.traffic.ahead[u] == 0


@pytest.mark.parametrize(("seconds", "queued"), [(8, 0.0), (9, 1.0)])
def test_who_is_late_at_the_advance_loop_is_slow_or_was_held_up(
    street: Street, seconds: int, queued: float
) -> None:
    """1.4 s late: on its way, undelayed. 2.4 s: has stood, and would long be at the line."""
    lane = 0
    u, _ = stream_of(street, lane)
    traffic = street.estimator.traffic
    traffic.stream_s[u], traffic.advance_s[lane] = 7.6, 3.5
    street.show(stage_that(street, lane, serves=False))
    street.pass_over(int(street.city.stream_loop[u]))
    street.wait(seconds)
    street.pass_over(street.network.lanes[lane].advance_loops[0])
    street.wait(1)
    assert street.queue(lane) == queued
    assert traffic.coming[lane] == 1 - queued
    street.wait(2)
    assert street.queue(lane) == 1.0


def test_first_vehicles_of_a_stream_weigh_more_than_later_ones(street: Street) -> None:
    lane = 0
    u, entry = stream_of(street, lane)
    traffic = street.estimator.traffic
    before = float(traffic.share[entry])
    street.show(stage_that(street, lane, serves=True))
    steps = []
    for _ in range(40):
        street.pass_over(int(street.city.stream_loop[u]))
        street.wait(14)
        steps.append(1.0 - float(traffic.share[entry]) / before)
        before = float(traffic.share[entry])
    assert steps[0] == pytest.approx(1 / 11)
    assert steps[1] == pytest.approx(1 / 12)
    assert steps[-1] == pytest.approx(0.03)


def test_who_rolls_over_the_stop_line_at_green_need_not_be_waited_for(street: Street) -> None:
    lane = 0
    loop = street.network.lanes[lane].stop_loops[0]

    def crossing() -> float:
        return float(crossing_veh(street.city, street.estimator.traffic, lane, street.now_s))

    street.show(stage_that(street, lane, serves=False))
    street.second((loop, 0.5, 1))
    assert crossing() == 0.0  # stands at red
    street.show(stage_that(street, lane, serves=True))
    street.wait(1)
    assert crossing() == 0.0  # stood there before: may want something else than what is green
    street.second((loop, 0.5, 0))
    street.second((loop, 0.5, 1))
    assert crossing() == 1.0
    street.wait(2)
    assert crossing() == 0.0  # has stopped on the loop


def test_queue_beyond_the_advance_loop_stays_until_there_is_a_gap(street: Street) -> None:
    lane = 0
    u, _ = stream_of(street, lane)
    loops, traffic = street.network.lanes[lane], street.estimator.traffic
    street.show(stage_that(street, lane, serves=False))
    street.second((loops.stop_loops[0], 0.5, 1))
    street.second((loops.advance_loops[0], 0.5, 1))
    street.wait(4)
    for _ in range(3):
        street.pass_over(int(street.city.stream_loop[u]))
        street.wait(1)
    street.wait(12)
    assert traffic.behind_veh[lane] > 1.0
    street.second((loops.advance_loops[0], 0.2, 0), (loops.advance_loops[0], 0.9, 1))
    assert traffic.behind_veh[lane] > 0.5
    street.second((loops.advance_loops[0], 0.5, 0))
    street.wait(5)
    assert traffic.behind_veh[lane] == 0.0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_edges_leave_beliefs_finite_and_bounded(street: Street, data: st.DataObject) -> None:
    loops = st.integers(0, len(street.network.loops) - 1)
    edge = st.tuples(loops, st.floats(0.0, 1.0), st.integers(0, 1))
    for edges in data.draw(st.lists(st.lists(edge, max_size=8), min_size=1, max_size=25)):
        street.show(data.draw(st.sampled_from([RED, GREEN])))
        street.second(*edges)
    traffic, city = street.estimator.traffic, street.estimator.city
    for field in traffic:
        assert np.isfinite(field).all()
    assert (traffic.queue_veh >= 0.0).all()
    cars = city.lane_is_crossing == 0
    assert (traffic.queue_veh[cars] <= city.lane_reach_veh[cars] + 1e-9).all()
    assert (traffic.share >= 0.0).all()
    assert (traffic.share <= 1.0).all()
    for u in range(len(city.stream_s)):
        assert (np.diff(traffic.ahead_s[u, : traffic.ahead[u]]) >= -10.0).all()
    for lane in range(city.lanes):
        assert (np.diff(traffic.coming_s[lane, : traffic.coming[lane]]) >= 0.0).all()
