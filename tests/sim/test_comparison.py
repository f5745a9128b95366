"""Means, intervals and paired differences against values worked out by hand."""

from __future__ import annotations

import pytest

from ampelwerk.sim.comparison import Comparison, estimate


def test_interval_of_student_1908_sleep_data() -> None:
    # Extra sleep under drug 2 minus drug 1, ten patients (Student 1908, table 1).
    found = estimate([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    assert found is not None and found.low is not None and found.high is not None
    assert found.mean == pytest.approx(1.58)
    assert found.low == pytest.approx(0.70, abs=0.005)
    assert found.high == pytest.approx(2.46, abs=0.005)
    assert found.is_clear


def test_single_seed_has_no_interval() -> None:
    found = estimate([3.0])
    assert found is not None
    assert found.low is None
    assert not found.is_clear


def comparison(**delays: list[float]) -> Comparison:
    return Comparison(
        controls=tuple(delays),
        seeds=(1, 2, 3),
        runs=tuple(
            {"control": control, "seed": seed, "delay_s": delay}
            for control, values in delays.items()
            for seed, delay in enumerate(values, start=1)
        ),
    )


def test_differences_are_paired_by_seed() -> None:
    result = comparison(a=[10.0, 50.0, 90.0], b=[12.0, 52.0, 92.0])
    difference = result.difference("b", "delay_s")
    assert difference is not None
    assert (difference.mean, difference.low, difference.high) == (2.0, 2.0, 2.0)
    assert difference.is_clear


def test_interval_that_covers_zero_is_not_clear() -> None:
    difference = comparison(a=[10.0, 20.0, 30.0], b=[20.0, 20.0, 20.0]).difference("b", "delay_s")
    assert difference is not None
    assert difference.mean == 0.0
    assert not difference.is_clear
