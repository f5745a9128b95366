"""Which intervals share a plan, and when plans change."""

from __future__ import annotations

import numpy as np

from ampelwerk.engine.coordination.day_plans import Stretch, calendar_of, stretches
from ampelwerk.engine.kernels.city import FloatArray


def day(*levels: float) -> FloatArray:
    """An hour at each level, in quarters, on three lanes."""
    flow: FloatArray = np.repeat(np.array(levels), 4)[:, None] * np.array([1.0, 0.5, 2.0])
    return flow


def test_two_peaks_alike_share_a_plan() -> None:
    found = stretches(day(100, 100, 400, 100, 100, 400, 100), 900, 3)
    assert [(s.first, s.end, s.plan) for s in found] == [
        (0, 8, 0), (8, 12, 1), (12, 20, 0), (20, 24, 1), (24, 28, 0),
    ]  # fmt: skip


def test_even_demand_has_one_plan() -> None:
    assert stretches(day(200, 200, 200), 900, 4) == [Stretch(0, 12, 0)]


def test_noise_is_no_reason_for_another_plan() -> None:
    noise = np.random.default_rng(1).normal(200, 10, (48, 20))
    assert len({s.plan for s in stretches(noise, 900, 6)}) == 1


def test_no_more_plans_than_allowed_and_no_stretch_too_short() -> None:
    found = stretches(day(100, 300, 600, 900, 50), 300, 2)
    assert len({s.plan for s in found}) <= 2
    assert all((s.end - s.first) * 300 >= 1800 for s in found)
    assert found[0].first == 0 and found[-1].end == 20


def test_gaps_do_not_matter() -> None:
    flow = day(100, 400)
    flow[2, 1] = np.nan
    assert [s.first for s in stretches(flow, 900, 2)] == [0, 4]


def test_the_calendar_names_the_switches_of_every_day() -> None:
    entries = calendar_of([Stretch(0, 4, 0), Stretch(4, 8, 1)], 7 * 3600, 900, ["day", "peak"])
    assert [(entry.at_s, entry.plan_id) for entry in entries] == [(25_200, "day"), (28_800, "peak")]
    assert all(len(entry.days) == 7 for entry in entries)
    assert calendar_of([Stretch(0, 8, 0)], 0, 900, ["day"]) == ()
