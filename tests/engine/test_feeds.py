"""Vehicles that leave a signal are expected at the next one, until they are seen there or overdue."""

from __future__ import annotations

import numpy as np
import pytest

from ampelwerk.engine.kernels.arrivals import predict
from ampelwerk.engine.kernels.feeds import GONE_S
from ampelwerk.engine.kernels.traffic import FED
from ampelwerk.engine.stream_layout import FREE_SHARE, Feeds
from tests.engine.conftest import Street

HORIZON_S = 60


class Way:
    """From an exit loop of the first signal to an approach of the second."""

    def __init__(self, street: Street) -> None:
        city = street.city
        self.street, self.traffic = street, street.estimator.traffic
        self.feed = next(f for f, a in enumerate(city.feed_approach) if self.site(int(a)) == 1)
        self.approach = int(city.feed_approach[self.feed])
        x = int(np.searchsorted(city.exit_feed_ptr, self.feed, side="right")) - 1
        self.exit_loop = int(city.exit_loop[city.exit_loop_ptr[x]])
        self.streams = range(
            city.approach_stream_ptr[self.approach], city.approach_stream_ptr[self.approach + 1]
        )
        self.share = self.traffic.feed_share[
            city.feed_stream_ptr[self.feed] : city.feed_stream_ptr[self.feed + 1]
        ]

    def site(self, approach: int) -> int:
        lanes = self.street.network.approaches[approach].lanes
        return self.street.network.lanes[lanes[0]].intersection

    def arrivals(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Arrivals expected in each second, over all lanes of the approach. [veh]"""
        city, total = self.street.city, np.zeros(HORIZON_S)
        for j in range(
            city.approach_lane_ptr[self.approach], city.approach_lane_ptr[self.approach + 1]
        ):
            came = np.zeros(HORIZON_S)
            predict(city, self.traffic, int(city.approach_lane[j]), self.street.now_s, came)
            total += np.diff(came, prepend=0.0)
        return total


@pytest.fixture
def way(street: Street) -> Way:
    street.show(0)
    street.wait(5)
    return Way(street)


def test_every_feed_leads_from_one_signal_to_the_other(street: Street) -> None:
    network, feeds = street.network, Feeds(street.network)
    assert len(feeds.approach) == 4  # two lanes each way
    for x, exit_ in enumerate(network.exits):
        for f in range(feeds.ptr[x], feeds.ptr[x + 1]):
            approach = network.approaches[feeds.approach[f]]
            site = network.lanes[approach.lanes[0]].intersection
            assert site != exit_.intersection
            ahead_m = exit_.length_m - 12.0 - approach.upstream_m[0]
            speed_mps = network.lanes[approach.lanes[0]].speed_mps
            assert feeds.time_s[f] == pytest.approx(ahead_m / (FREE_SHARE * speed_mps), rel=0.02)


def test_who_left_is_expected_at_the_next_stop_line(way: Way) -> None:
    assert way.arrivals().sum() == 0.0
    way.street.pass_over(way.exit_loop)
    arrivals, traffic = way.arrivals(), way.traffic
    lane = way.street.network.approaches[way.approach].lanes[0]
    u = way.streams[0]
    due_s = traffic.feed_s[way.feed] + traffic.stream_s[u] + traffic.advance_s[lane]
    assert arrivals.sum() == pytest.approx(way.share.sum(), rel=0.01)
    assert np.flatnonzero(arrivals).mean() == pytest.approx(due_s, abs=1.5)


def test_who_is_seen_upstream_is_not_expected_twice(way: Way) -> None:
    way.street.pass_over(way.exit_loop)
    way.street.wait(int(way.traffic.feed_s[way.feed]))
    way.street.pass_over(int(way.street.city.stream_loop[way.streams[0]]))
    assert way.traffic.fed[way.approach] == 0
    assert way.arrivals().sum() <= 1.0 + 1e-6


def test_who_turned_off_makes_the_shares_smaller(way: Way) -> None:
    before = way.share.copy()
    way.street.pass_over(way.exit_loop)
    way.street.wait(int(way.traffic.feed_s[way.feed] + GONE_S) + 2)
    assert way.traffic.fed[way.approach] == 0
    assert (way.share < before).all()
    assert way.arrivals().sum() == 0.0


def test_shares_and_travel_time_are_learnt(way: Way) -> None:
    late_s, first_s = 2.0, float(way.traffic.feed_s[way.feed])
    for _ in range(80):
        way.street.pass_over(way.exit_loop)
        way.street.wait(round(first_s + late_s) - 1)
        way.street.pass_over(int(way.street.city.stream_loop[way.streams[1]]))
        way.street.wait(3)
    assert way.share[0] < 0.1
    assert way.share[1] > 0.9
    assert way.traffic.feed_s[way.feed] == pytest.approx(first_s + late_s, abs=0.6)
    assert way.traffic.fed_cover[way.streams[1]] > 0.95


def test_vehicles_nobody_announced_make_the_cover_smaller(way: Way) -> None:
    u = way.streams[0]
    for _ in range(40):
        way.street.pass_over(int(way.street.city.stream_loop[u]))
        way.street.wait(3)
    assert way.traffic.fed_cover[u] < 0.4


@pytest.mark.parametrize("late_s, expected", [(6.0, 1), (59.0, 0)])
def test_who_is_heard_of_too_late_has_gone_by(way: Way, late_s: float, expected: int) -> None:
    way.street.second((way.exit_loop, 1.0 - late_s, 1), (way.exit_loop, 1.2 - late_s, 0))
    assert way.traffic.fed[way.approach] == expected


def test_no_more_are_remembered_than_there_is_room_for(way: Way) -> None:
    edges = [(way.exit_loop, k / 50, k % 2) for k in range(2, 48)]
    for _ in range(4):
        way.street.second(*edges)
    assert 0 < way.traffic.fed[way.approach] <= FED
    due_s = way.traffic.fed_s[way.approach, : way.traffic.fed[way.approach]]
    assert (np.diff(due_s) >= 0.0).all()
