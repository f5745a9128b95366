"""Green bands: worked cases with a known optimum, and an exhaustive search beside the programme."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.engine.coordination.bandwidth import BandSignal, green_band
from ampelwerk.models.errors import InvalidInputError


def signal(green_s: float, travel_s: float, cycle_s: float = 60.0) -> BandSignal:
    """A signal that is green both ways at once."""
    return BandSignal(
        cycle_s=cycle_s,
        out_start_s=0.0,
        out_green_s=green_s,
        in_start_s=0.0,
        in_green_s=green_s,
        out_travel_s=travel_s,
        in_travel_s=travel_s,
    )


def test_maxband_alternate_system_gives_the_whole_green_both_ways() -> None:
    # Signals half a cycle of travel apart: the alternate system, bands as wide as the green.
    band = green_band([signal(24, 0), *[signal(24, 30)] * 4], cycle_s=60)
    assert (band.out_s, band.in_s) == pytest.approx((24, 24))
    assert [round(offset) % 60 for offset in band.offset_s] == [0, 30, 0, 30, 0]


def test_maxband_a_quarter_cycle_apart_halves_the_two_way_band() -> None:
    # Half-integer synchronisation (Morgan & Little 1964): with equal greens of g and travel of a
    # quarter of the cycle the centres miss each other by a quarter, so b + b' = 2 (g - C / 4).
    band = green_band([signal(30, 0), signal(30, 15)], cycle_s=60, in_weight=1.0)
    assert band.out_s + band.in_s == pytest.approx(2 * (30 - 15))


def test_one_way_road_has_a_band_as_wide_as_the_shortest_green() -> None:
    signals = [signal(30, 0), signal(20, 13), signal(25, 41)]
    band = green_band(signals, cycle_s=60, in_weight=0.0)
    assert band.out_s == pytest.approx(20)


def test_a_single_signal_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        green_band([signal(30, 0)], cycle_s=60)


def widest_by_search(signals: Sequence[BandSignal], cycle_s: int) -> float:
    """Sum of both bands over all whole-second offsets."""
    best = 0.0
    for others in itertools.product(range(cycle_s), repeat=len(signals) - 1):
        total = 0.0
        for outbound in (True, False):
            travel_s, seconds = 0.0, set(range(cycle_s))
            for one, offset_s in zip(signals, (0, *others), strict=True):
                travel_s += one.out_travel_s if outbound else -one.in_travel_s
                start_s = offset_s + (one.out_start_s if outbound else one.in_start_s) - travel_s
                green_s = one.out_green_s if outbound else one.in_green_s
                seconds &= {int(start_s + t) % cycle_s for t in range(int(green_s))}
            total += longest_run(seconds, cycle_s)
        best = max(best, total)
    return best


def longest_run(seconds: set[int], cycle_s: int) -> int:
    """Longest stretch of seconds that follow each other around the cycle."""
    longest = 0
    for start in seconds:
        length = 0
        while length < cycle_s and (start + length) % cycle_s in seconds:
            length += 1
        longest = max(longest, length)
    return longest


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 11), st.integers(3, 9), st.integers(0, 11), st.integers(3, 9),
            st.integers(0, 20), st.integers(0, 20),
        ),
        min_size=2,
        max_size=3,
    )
)  # fmt: skip
def test_band_is_as_wide_as_any_offsets_give(
    rows: list[tuple[int, int, int, int, int, int]],
) -> None:
    signals = [
        BandSignal(
            cycle_s=12, out_start_s=a, out_green_s=b, in_start_s=c, in_green_s=d,
            out_travel_s=0 if k == 0 else e, in_travel_s=0 if k == 0 else f,
        )
        for k, (a, b, c, d, e, f) in enumerate(rows)
    ]  # fmt: skip
    band = green_band(signals, cycle_s=12)
    assert band.out_s + band.in_s == pytest.approx(widest_by_search(signals, 12), abs=1e-5)
