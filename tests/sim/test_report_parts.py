"""Parts of the report on made-up signals and vehicles: bands, trajectories, records, numbers."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from ampelwerk.models.envelope import Aspect
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.report.road import Road, RoadEdge, RoadSignal
from ampelwerk.sim.report.signal_record import Shown, StateChanges, read_signals, shown
from ampelwerk.sim.report.tables import number
from ampelwerk.sim.report.time_space import GreenBand, green_bands
from ampelwerk.sim.report.trajectories import Journey, trajectories


def two_signals() -> Road:
    """Two stop lines 100 m apart, at 10 m/s."""
    return Road(
        edges=(
            RoadEdge("a", 0, 50, 10, 1, True),
            RoadEdge("b", 50, 150, 10, 1, True),
            RoadEdge("c", 150, 200, 10, 1, False),
        ),
        signals=(RoadSignal("A", 50, (0,), True), RoadSignal("B", 150, (0,), True)),
    )


def test_green_band_is_what_meets_green_at_both_signals() -> None:
    first = [Shown(0, 30, Aspect.GREEN), Shown(30, 33, Aspect.AMBER), Shown(33, 60, Aspect.RED)]
    second = [Shown(0, 20, Aspect.RED), Shown(20, 60, Aspect.GREEN)]
    # 10 s of driving: the second green serves departures from 10 s to 50 s.
    assert green_bands(two_signals(), [first, second]) == [GreenBand(10, 30)]
    assert green_bands(two_signals(), [first, []]) == []


def test_vehicle_that_waits_stands_before_the_stop_line() -> None:
    journey = Journey("v", ("a", "b", "c"), 0.0, (5.0, 40.0, 45.0), True)
    ((line,),) = trajectories(two_signals(), [journey], 100.0)
    assert line[0] == (0.0, 0)
    assert (40.0, 150) in line
    standing = [(p, q) for p, q in itertools.pairwise(line) if p[1] == q[1] and q[0] > p[0]]
    (((from_s, place_m), (until_s, _)),) = standing
    assert place_m == pytest.approx(149)
    assert until_s - from_s == pytest.approx(40 - 5 - 10)


def test_neighbouring_states_of_one_aspect_become_one() -> None:
    changes = StateChanges([0.0, 10.0, 20.0, 23.0], ["gr", "Gr", "yr", "rG"])
    assert shown(changes, [0], 5, 30) == [
        Shown(5, 20, Aspect.GREEN),
        Shown(20, 23, Aspect.AMBER),
        Shown(23, 30, Aspect.RED),
    ]


def test_signal_record_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "signals.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="no signal record"):
        read_signals(path)


def test_numbers_for_readers() -> None:
    assert number(1234.56, 1) == "1\N{NARROW NO-BREAK SPACE}234.6"
    assert number(-0.04, 1, signed=True) == "0.0"
    assert number(-2.5, 1, signed=True) == "−2.5"
    assert number(2.5, 1, signed=True) == "+2.5"
    assert number(None, 1) == "–"
