"""Measures of trips whose values are known by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim import measures

TRIP = (
    '<tripinfo id="{id}" depart="{depart}" departLane="a_0" departDelay="{wait}" '
    'arrival="{arrival}" duration="{duration}" waitingTime="{stood}" waitingCount="1" '
    'timeLoss="{loss}" vType="car"/>'
)


def write_trips(path: Path, *trips: dict[str, object]) -> Path:
    body = "\n".join(TRIP.format(**trip) for trip in trips)
    path.write_text(f"<tripinfos>\n{body}\n</tripinfos>\n", encoding="utf-8")
    return path


def trip(**values: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "id": "x", "depart": "10.00", "wait": "0.00", "arrival": "100.00", "duration": "90.00",
        "stood": "5.00", "loss": "20.00",
    }  # fmt: skip
    return {**usual, **values}


def test_delay_counts_the_unfinished_and_the_never_inserted(tmp_path: Path) -> None:
    path = write_trips(
        tmp_path / "tripinfo.xml",
        trip(),
        trip(wait="7.00"),
        trip(arrival="-1.00", loss="120.00"),
        trip(depart="-1", wait="300.00", arrival="-1", duration="-1", loss="-1", stood="-1"),
    )
    trips = measures.read_trips(path)
    assert trips.delay_s.tolist() == [20.0, 27.0, 120.0, 300.0]
    assert trips.inserted.tolist() == [True, True, True, False]
    assert trips.finished.tolist() == [True, True, False, False]
    assert trips.due_s[:2].tolist() == [10.0, 3.0]


def summary(path: Path, rows: list[tuple[int, int, int]]) -> Path:
    body = "\n".join(
        f'<step time="{time}.00" running="{running}" arrived="{arrived}"/>'
        for time, running, arrived in rows
    )
    path.write_text(f"<summary>\n{body}\n</summary>\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("quiet_s", "running", "expected"), [(299, 20, False), (300, 20, True), (300, 19, False)]
)
def test_gridlock_is_a_long_time_without_arrival_on_a_full_road(
    tmp_path: Path, quiet_s: int, running: int, expected: bool
) -> None:
    rows = [(t, running, 5) for t in range(quiet_s + 1)] + [(quiet_s + 1, running, 6)]
    trips = measures.read_trips(write_trips(tmp_path / "tripinfo.xml", trip()))
    assert measures.is_gridlocked(trips, summary(tmp_path / "summary.xml", rows)) is expected


@pytest.mark.parametrize(("stuck", "expected"), [(4, False), (5, True)])
def test_gridlock_is_five_endless_waits(tmp_path: Path, stuck: int, expected: bool) -> None:
    waiting = [trip(arrival="-1.00", stood="901.00") for _ in range(stuck)]
    trips = measures.read_trips(write_trips(tmp_path / "tripinfo.xml", trip(), *waiting))
    quiet = summary(tmp_path / "summary.xml", [(t, 1, t) for t in range(10)])
    assert measures.is_gridlocked(trips, quiet) is expected


def test_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = write_trips(tmp_path / "tripinfo.xml", trip(), trip())
    path.write_text(path.read_text(encoding="utf-8")[:-30], encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"tripinfo\.xml"):
        measures.read_trips(path)
