"""Rule TIME: at most one tick of credit per call; late calls stretch, never shorten."""

import pytest

from ampelwerk.controllers.interlock import Interlock
from ampelwerk.controllers.modes import Mode
from ampelwerk.models.envelope import Aspect
from tests.reference.junctions import four_groups

RED, RED_AMBER, GREEN, AMBER = Aspect
FIRST_ROAD = 0b0011


def green_since(tick_ds: int) -> tuple[Interlock, int]:
    """The first road green for a minute, and the time."""
    lamps = Interlock.running(four_groups(), tick_ds)
    now_ds = 0
    for now_ds in range(0, 600, tick_ds):
        lamps.tick(FIRST_ROAD, now_ds)
    return lamps, now_ds


@pytest.mark.parametrize("tick_ds", [1, 5, 10])
def test_calls_on_time_raise_no_alarm(tick_ds: int) -> None:
    lamps, _ = green_since(tick_ds)
    assert lamps.time_alarms == 0


def test_early_calls_earn_nothing() -> None:
    lamps, now_ds = green_since(10)
    lamps.tick(0, now_ds + 10)
    assert lamps.aspects[0] == AMBER
    for early_ds in range(10):
        assert not lamps.tick(0, now_ds + 10 + early_ds)
    assert lamps.shown_ticks(0) == 1
    assert lamps.time_alarms == 0


@pytest.mark.parametrize("tick_ds", [1, 5, 10])
def test_a_late_call_earns_one_tick_and_the_next_is_a_whole_one(tick_ds: int) -> None:
    lamps, now_ds = green_since(tick_ds)
    now_ds += tick_ds
    lamps.tick(0, now_ds)
    assert (lamps.aspects[0], lamps.shown_ticks(0)) == (AMBER, 1)
    now_ds += tick_ds + 15
    lamps.tick(0, now_ds)
    assert (lamps.aspects[0], lamps.shown_ticks(0)) == (AMBER, 2) if tick_ds < 10 else (RED, 1)
    before = lamps.shown_ticks(0)
    assert not lamps.tick(0, now_ds + tick_ds - 1)
    assert lamps.shown_ticks(0) == before


@pytest.mark.parametrize(("late_ds", "alarms"), [(3, 0), (4, 1), (20, 1)])
def test_more_than_300_ms_late_is_an_alarm_whatever_the_tick(late_ds: int, alarms: int) -> None:
    for tick_ds in (1, 5, 10):
        lamps, now_ds = green_since(tick_ds)
        lamps.tick(FIRST_ROAD, now_ds + tick_ds + late_ds)
        assert (lamps.time_alarms, lamps.mode) == (alarms, Mode.RUN)


def test_a_step_back_between_early_calls_is_an_alarm_and_begins_a_whole_tick() -> None:
    lamps, now_ds = green_since(5)
    lamps.tick(0, now_ds + 5)
    shown = lamps.shown_ticks(0)
    lamps.tick(0, now_ds + 7)
    lamps.tick(0, now_ds + 6)
    assert lamps.time_alarms == 1
    lamps.tick(0, now_ds + 10)
    assert lamps.shown_ticks(0) == shown
    lamps.tick(0, now_ds + 11)
    assert lamps.shown_ticks(0) == shown + 1


def test_a_clock_that_runs_backwards_is_an_alarm_and_earns_nothing() -> None:
    lamps, now_ds = green_since(1)
    shown = lamps.shown_ticks(0)
    lamps.tick(0, now_ds - 1)
    assert (lamps.time_alarms, lamps.shown_ticks(0), lamps.aspects[0]) == (1, shown, GREEN)
    lamps.tick(0, now_ds)
    assert lamps.aspects[0] == AMBER


def test_three_alarms_in_a_minute_isolate_until_rejoined() -> None:
    lamps, now_ds = green_since(1)
    for alarm in range(3):
        assert not lamps.isolated, alarm
        now_ds += 200
        lamps.tick(FIRST_ROAD, now_ds - 190)
        for later_ds in range(now_ds - 189, now_ds + 1):
            lamps.tick(FIRST_ROAD, later_ds)
    assert lamps.isolated
    for later_ds in range(now_ds + 1, now_ds + 2000):
        lamps.tick(FIRST_ROAD, later_ds)
    assert lamps.isolated
    lamps.rejoin()
    assert not lamps.isolated


def test_three_alarms_in_more_than_a_minute_do_not_isolate() -> None:
    lamps, now_ds = green_since(1)
    for _ in range(6):
        now_ds += 10
        lamps.tick(FIRST_ROAD, now_ds)
        for _ in range(301):
            now_ds += 1
            lamps.tick(FIRST_ROAD, now_ds)
    assert lamps.time_alarms == 6
    assert not lamps.isolated


@pytest.mark.parametrize("gap_ds", [31, 36_000, -21])
def test_a_gap_of_more_than_two_seconds_clears_and_starts_from_red(gap_ds: int) -> None:
    lamps, now_ds = green_since(10)
    now_ds += gap_ds
    assert lamps.tick(FIRST_ROAD, now_ds)
    assert lamps.mode.name == "CLEARING"
    modes, shown = [], []
    while lamps.mode != Mode.RUN:
        now_ds += 10
        lamps.tick(FIRST_ROAD, now_ds)
        modes.append(lamps.mode)
        shown.append(lamps.aspects[0])
    reds = [aspect for aspect in shown if aspect == RED]
    assert Mode.START in modes
    assert len(reds) >= 4  # the largest intergreen
    while lamps.green_mask != FIRST_ROAD:
        now_ds += 10
        lamps.tick(FIRST_ROAD, now_ds)


def test_idle_ticks_are_skipped_only_on_time() -> None:
    lamps, now_ds = green_since(10)
    shown = lamps.shown_ticks(0)
    assert not lamps.tick(FIRST_ROAD, now_ds + 10)
    assert lamps.shown_ticks(0) == shown + 1
    assert not lamps.tick(FIRST_ROAD, now_ds + 15)
    assert lamps.shown_ticks(0) == shown + 1
    lamps.tick(FIRST_ROAD, now_ds + 20 + 4)
    assert lamps.shown_ticks(0) == shown + 2
    assert lamps.time_alarms == 1
