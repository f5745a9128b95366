"""Webster's cycle time."""

from __future__ import annotations

import numpy as np
import pytest

from ampelwerk.engine.coordination.webster import optimum_cycle_s, stage_flow_ratios
from ampelwerk.models.errors import OversaturatedError


def test_webster_1958_two_stage_example() -> None:
    # North 600 and south 450 veh/h at 2400 veh/h, west 900 and east 750 at 3000: flow ratios 0.25
    # and 0.30; 10 s lost: (1.5 * 10 + 5) / (1 - 0.55) = 44.4 s.
    flow = np.array([[2400, 0], [2400, 0], [0, 3000], [0, 3000]]) / 3600
    ratios = stage_flow_ratios(flow, np.array([600, 450, 900, 750]) / 3600)
    assert ratios == pytest.approx([0.25, 0.30])
    assert optimum_cycle_s(float(ratios.sum()), 10.0) == pytest.approx(44.4, abs=0.05)


def test_a_lane_green_in_two_stages_counts_once() -> None:
    # The second lane runs on from the first stage into the next: both together serve it.
    flow = np.array([[0.5, 0.0], [0.5, 0.5]])
    ratios = stage_flow_ratios(flow, np.array([0.1, 0.2]))
    assert ratios.sum() == pytest.approx(0.4)


def test_oversaturation_is_said_out_loud() -> None:
    with pytest.raises(OversaturatedError, match=r"1\.20"):
        optimum_cycle_s(1.2, 10.0)


def test_nobody_needs_no_green() -> None:
    assert stage_flow_ratios(np.array([[0.5, 0.0]]), np.array([0.0])).sum() == 0.0
