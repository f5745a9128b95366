"""The loss curve against values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ampelwerk.sim.loss_curve import LossCurves, curves_of
from ampelwerk.sim.report.loss_plot import loss_picture


def runs(*delays_s: float) -> dict[int, dict[str, Any]]:
    return {
        seed: {"seed": seed, "delay_s": delay_s, "gridlock": delay_s > 100, "valid": True}
        for seed, delay_s in enumerate(delays_s, start=1)
    }


def curves(fixed: tuple[float, ...]) -> LossCurves:
    return curves_of(
        "actuated",
        ["drop"],
        {
            ("fixed", 0.0): runs(*fixed),
            ("actuated", 0.0): runs(20.0, 30.0),
            ("drop", 0.5): runs(40.0, 170.0),
            ("drop", 0.25): runs(24.0, 36.0),
        },
    )


def test_loss_is_paired_and_scaled_by_the_gain_over_fixed_time() -> None:
    found = curves((40.0, 50.0))
    assert found.has_loss
    _, quarter, half = found.curves["drop"]
    assert (quarter.share, half.share) == (0.25, 0.5)
    assert quarter.delay_s is not None and quarter.delay_s.mean == 30.0
    assert quarter.loss is not None and quarter.loss.mean == pytest.approx(5 / 20)
    assert quarter.loss.high is not None and quarter.change_s is not None
    assert quarter.change_s.high is not None
    # Student's t at 95 % with one degree of freedom is 12.706; differences 4 and 6 s.
    assert quarter.change_s.high == pytest.approx(5 + 12.706, abs=0.001)
    assert quarter.loss.high == pytest.approx((5 + 12.706) / 20, abs=0.001)
    assert half.count("gridlock") == 1
    assert found.fixed.loss is not None and found.fixed.loss.mean == 1.0
    assert found.area("drop") == pytest.approx((0.25 * 0.25 / 2 + 0.25 * (0.25 + 4) / 2) / 0.5)


def test_loss_says_nothing_where_fixed_time_is_no_worse() -> None:
    found = curves((20.0, 30.0))
    assert not found.has_loss
    assert found.curves["drop"][1].loss is None
    assert found.area("drop") is None
    assert found.curves["drop"][1].delay_s is not None
    assert "loss L" in loss_picture(curves((40.0, 50.0)))
    assert "loss L" not in loss_picture(found)
