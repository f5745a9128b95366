"""What cannot be true does not pass the frame border; what can be passes untouched."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.controllers.frame_border import (
    AHEAD_S,
    OLDEST_S,
    STALE_S,
    FrameBorder,
    Refusal,
    reason_to_refuse,
)
from ampelwerk.models.detection import DetectorFrame

LOOPS, NOW_S = 12, 25300.0
Edge = tuple[int, float, int]


def frame(*edges: Edge, time_s: float = NOW_S) -> DetectorFrame:
    return DetectorFrame(
        time_s=time_s,
        loop=array("q", [edge[0] for edge in edges]),
        at_s=array("d", [edge[1] for edge in edges]),
        on=array("q", [edge[2] for edge in edges]),
    )


true_edge = st.tuples(
    st.integers(0, LOOPS - 1), st.floats(NOW_S - STALE_S, NOW_S), st.integers(0, 1)
)
never = st.one_of(
    st.just(math.nan),
    st.floats(max_value=NOW_S - OLDEST_S, exclude_max=True),
    st.floats(min_value=NOW_S + AHEAD_S, exclude_min=True),
)
unknown = st.one_of(st.integers(-(2**63), -1), st.integers(LOOPS, 2**63 - 1))
neither = st.one_of(st.integers(-(2**63), -1), st.integers(2, 2**63 - 1))
false_edge = st.one_of(
    st.tuples(st.integers(0, LOOPS - 1), never, st.integers(0, 1)),
    st.tuples(unknown, st.just(NOW_S), st.integers(0, 1)),
    st.tuples(st.integers(0, LOOPS - 1), st.just(NOW_S), neither),
)


@given(st.lists(true_edge, max_size=20))
def test_frame_that_can_be_true_passes_as_it_is(edges: list[Edge]) -> None:
    given_frame = frame(*edges)
    border = FrameBorder(LOOPS)
    assert border.passed(given_frame, NOW_S) is given_frame
    assert not border.refused
    assert border.stale_edges == 0


@given(st.lists(true_edge, max_size=10), false_edge, st.lists(true_edge, max_size=10))
def test_one_impossible_edge_refuses_the_whole_frame(
    before: list[Edge], edge: Edge, after: list[Edge]
) -> None:
    border = FrameBorder(LOOPS)
    passed = border.passed(frame(*before, edge, *after), NOW_S)
    assert (passed.time_s, len(passed.loop), len(passed.at_s), len(passed.on)) == (NOW_S, 0, 0, 0)
    assert border.refused.total() == 1


@pytest.mark.parametrize(
    ("edge", "reason"),
    [
        ((0, math.nan, 1), Refusal.NOT_FINITE),
        ((0, math.inf, 1), Refusal.NOT_FINITE),
        ((0, NOW_S - 3600.0, 1), Refusal.TIME),
        ((0, NOW_S + 3600.0, 1), Refusal.TIME),
        ((LOOPS, NOW_S, 1), Refusal.LOOP),
        ((-1, NOW_S, 1), Refusal.LOOP),
        ((0, NOW_S, 2), Refusal.EDGE),
    ],
)
def test_refusal_has_its_reason(edge: Edge, reason: Refusal) -> None:
    assert reason_to_refuse(frame((1, NOW_S, 1), edge), LOOPS, NOW_S) is reason


@pytest.mark.parametrize("time_s", [math.nan, math.inf, NOW_S - 3600, NOW_S + 3600, -1.0])
def test_frame_of_another_time_is_refused(time_s: float) -> None:
    border = FrameBorder(LOOPS)
    assert border.passed(frame(time_s=time_s), NOW_S).time_s == NOW_S
    assert border.refused == {Refusal.FRAME_TIME: 1}


def test_ragged_frame_is_refused() -> None:
    ragged = DetectorFrame(
        time_s=NOW_S, loop=array("q", [1, 2]), at_s=array("d", [NOW_S]), on=array("q", [1, 0])
    )
    assert reason_to_refuse(ragged, LOOPS, NOW_S) is Refusal.RAGGED


def test_stale_edges_are_left_out_one_by_one() -> None:
    border = FrameBorder(LOOPS)
    passed = border.passed(
        frame((3, NOW_S - 0.5, 1), (4, NOW_S - STALE_S - 1, 1), (5, NOW_S, 0)), NOW_S
    )
    assert list(passed.loop) == [3, 5]
    assert list(passed.at_s) == [NOW_S - 0.5, NOW_S]
    assert list(passed.on) == [1, 0]
    assert border.stale_edges == 1
    assert not border.refused
