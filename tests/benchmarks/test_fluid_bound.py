"""The least delay of a fluid, where it can be worked out by hand."""

from __future__ import annotations

import pytest
from sumolib.net import readNet

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.scenario import resolve
from benchmarks.fluid_bound import Programme, Street, routes_of
from tests.conftest import SmallScenario

EAST, NORTH = ("left0A0", "A0B0"), ("bottom0A0", "A0top0")
LEFT, OPPOSING = ("left0A0", "A0top0"), ("B0A0", "A0left0")


def least_s(small: SmallScenario, *movements: tuple[str, str], lost_share: float) -> list[float]:
    """Two movements, each with a vehicle every 2 s for 600 s that takes 2 s; gaps used, and not."""
    street = Street(
        net=readNet(str(small.net), withPrograms=True),
        routes={movement: [2.0 * n for n in range(300)] for movement in movements},
        begin_s=0.0,
        end_s=2400.0,
        headway_s=dict.fromkeys(movements, 2.0),
    )
    return [
        Programme(street, lost_share=lost_share, gaps_used=used).mean_delay_s()
        for used in (True, False)
    ]


@pytest.mark.parametrize("movements", [(EAST, NORTH), (LEFT, OPPOSING)])
@pytest.mark.parametrize(("lost_share", "expected_s"), [(0.0, 300.0), (0.2, 450.0)])
def test_twice_as_many_come_as_can_pass(
    small: SmallScenario,
    movements: tuple[tuple[str, str], ...],
    lost_share: float,
    expected_s: float,
) -> None:
    # The queue grows for 600 s to 600 less what has passed, and goes as fast as vehicles pass.
    rate = 0.5 * (1.0 - lost_share)
    longest = 600.0 - 600.0 * rate
    by_hand_s = longest * (600.0 + longest / rate) / 2.0 / 600.0
    assert by_hand_s == pytest.approx(expected_s)
    assert least_s(small, *movements, lost_share=lost_share) == pytest.approx(
        [by_hand_s, by_hand_s], abs=1.0
    )


def test_those_in_nobodys_way_do_not_wait(small: SmallScenario) -> None:
    assert least_s(small, EAST, OPPOSING, lost_share=0.0) == pytest.approx([0.0, 0.0], abs=0.01)


def test_flows_have_no_departures_of_their_own(small: SmallScenario) -> None:
    scenario = resolve(str(small.net), routes=[small.routes])
    with pytest.raises(InvalidInputError, match=r"routes of their own; found: flow east"):
        routes_of(scenario)
