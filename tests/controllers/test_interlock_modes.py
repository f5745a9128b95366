"""Operating modes of the interlock: start, ordered off, faults, reset, restart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ampelwerk.controllers.interlock import Interlock
from ampelwerk.controllers.latch import FileLatch
from ampelwerk.controllers.modes import Display, Mode
from ampelwerk.controllers.self_test import envelope_sha256
from ampelwerk.engine.transition import Rules, State, step
from ampelwerk.models.envelope import Aspect
from tests.reference.junctions import four_groups, three_groups

RED, RED_AMBER, GREEN, AMBER = Aspect
TICK_DS = 10
FIRST_ROAD = 0b0011
SECOND_ROAD = 0b1100


class Street:
    """An interlock and its clock, one second a tick."""

    def __init__(self, lamps: Interlock) -> None:
        self.lamps, self.now_ds = lamps, 0

    def run(self, request: int, ticks: int) -> list[tuple[int, ...]]:
        """Aspects of each tick."""
        shown = []
        for _ in range(ticks):
            self.now_ds += TICK_DS
            self.lamps.tick(request, self.now_ds)
            shown.append(self.lamps.aspects)
        return shown

    def until(self, reached: Callable[[], bool], request: int = 0) -> int:
        """Ticks until something is so."""
        for tick in range(100):
            if reached():
                return tick
            self.run(request, 1)
        raise AssertionError("never")


@pytest.fixture
def green_street() -> Street:
    """The first road green, its minimum long past."""
    street = Street(Interlock.running(four_groups(), TICK_DS))
    street.run(FIRST_ROAD, 10)
    assert street.lamps.green_mask == FIRST_ROAD
    return street


def test_start_shows_red_for_the_largest_intergreen_whatever_is_asked() -> None:
    street = Street(Interlock(four_groups(), TICK_DS))
    assert street.lamps.mode.name == "INIT"
    shown = street.run(FIRST_ROAD, 8)
    # One tick of self-test, then 4 s, the largest intergreen, counted from the first red.
    assert shown[:4] == [(RED,) * 4] * 4
    assert shown[4] == (RED_AMBER, RED_AMBER, RED, RED)
    assert shown[5] == (GREEN, GREEN, RED, RED)
    assert street.lamps.mode == Mode.RUN


def test_simulation_begins_in_operation() -> None:
    street = Street(Interlock.running(four_groups(), TICK_DS))
    assert street.lamps.mode == Mode.RUN
    assert street.run(FIRST_ROAD, 1) == [(RED_AMBER, RED_AMBER, RED, RED)]


def test_self_test_refuses_another_envelope() -> None:
    right = envelope_sha256(four_groups())
    assert right != envelope_sha256(three_groups())
    street = Street(Interlock(four_groups(), TICK_DS, expected_sha256=right))
    street.run(0, 6)
    assert street.lamps.mode == Mode.RUN
    street = Street(Interlock(three_groups(), TICK_DS, expected_sha256=right))
    street.run(0, 1)
    assert street.lamps.mode == Mode.FAILED
    assert "signed" in street.lamps.failure


def test_ordered_off_keeps_minimum_green_and_amber_and_ends_in_the_ordered_display() -> None:
    street = Street(Interlock.running(four_groups(), TICK_DS))
    street.run(FIRST_ROAD, 2)
    street.lamps.switch_off(Display.DARK)
    first = [aspects[0] for aspects in street.run(FIRST_ROAD, 9)]
    assert first == [GREEN, AMBER, AMBER, RED, RED, RED, RED, RED, RED]
    assert street.lamps.mode == Mode.OFF
    assert street.lamps.display is Display.DARK


def test_switching_on_again_starts_from_red(green_street: Street) -> None:
    lamps = green_street.lamps
    lamps.switch_off()
    green_street.until(lambda: lamps.mode == Mode.OFF)
    green_street.run(FIRST_ROAD, 50)
    lamps.switch_on()
    shown = green_street.run(FIRST_ROAD, 5)
    assert shown == [(RED,) * 4] * 4 + [(RED_AMBER, RED_AMBER, RED, RED)]
    assert lamps.display is Display.ASPECTS


def test_switching_on_while_clearing_goes_on_to_start(green_street: Street) -> None:
    lamps = green_street.lamps
    lamps.switch_off()
    green_street.run(FIRST_ROAD, 1)
    lamps.switch_on()
    green_street.until(lambda: lamps.mode == Mode.RUN)
    assert green_street.until(lambda: lamps.green_mask == FIRST_ROAD, FIRST_ROAD) > 0


def test_fault_waives_minimum_green_but_not_amber_then_fails() -> None:
    street = Street(Interlock.running(four_groups(), TICK_DS))
    street.run(FIRST_ROAD, 2)
    street.lamps.fault("lamp current")
    assert street.lamps.mode == Mode.CLEARING
    first = [aspects[0] for aspects in street.run(FIRST_ROAD, 3)]
    assert first == [AMBER, AMBER, RED]
    assert street.until(lambda: street.lamps.mode == Mode.FAILED, FIRST_ROAD) == 4
    assert street.lamps.display is Display.FLASH
    assert street.lamps.failure == "lamp current"


def test_red_amber_is_withdrawn_in_a_fault() -> None:
    street = Street(Interlock.running(four_groups(), TICK_DS))
    street.run(FIRST_ROAD, 1)
    street.lamps.fault("test")
    assert street.run(FIRST_ROAD, 1) == [(RED,) * 4]


def test_fault_outranks_an_ordered_off_and_not_the_other_way(green_street: Street) -> None:
    lamps = green_street.lamps
    lamps.switch_off()
    lamps.fault("test")
    lamps.switch_off()
    lamps.switch_on()
    green_street.until(lambda: lamps.mode != Mode.CLEARING)
    assert lamps.mode == Mode.FAILED


def test_trip_fails_at_once_without_amber(green_street: Street) -> None:
    green_street.lamps.trip("conflict on the lamps")
    assert green_street.lamps.mode == Mode.FAILED
    assert green_street.lamps.display is Display.FLASH
    assert green_street.lamps.green_mask == 0
    assert green_street.lamps.tick(FIRST_ROAD, green_street.now_ds + TICK_DS)


def test_only_the_local_reset_leaves_the_failure(green_street: Street) -> None:
    lamps = green_street.lamps
    lamps.trip("first")
    lamps.trip("second")
    lamps.switch_off()
    lamps.switch_on()
    green_street.run(FIRST_ROAD, 1000)
    assert (lamps.mode, lamps.failure) == (Mode.FAILED, "first")
    lamps.reset()
    assert (lamps.mode, lamps.failure) == (Mode.INIT, "")
    assert green_street.run(FIRST_ROAD, 4) == [(RED,) * 4] * 4
    assert green_street.until(lambda: lamps.green_mask == FIRST_ROAD, FIRST_ROAD) <= 2


def test_reset_does_nothing_outside_a_failure(green_street: Street) -> None:
    green_street.lamps.reset()
    assert green_street.lamps.mode == Mode.RUN


def test_off_ordered_before_the_self_test_still_runs_the_self_test() -> None:
    street = Street(Interlock(four_groups(), TICK_DS, expected_sha256="other"))
    street.lamps.switch_off()
    street.run(0, 10)
    assert street.lamps.mode == Mode.FAILED
    street = Street(Interlock(four_groups(), TICK_DS))
    street.lamps.switch_off()
    street.run(FIRST_ROAD, 10)
    assert street.lamps.mode == Mode.OFF


def test_failure_outlives_the_process(tmp_path: Path) -> None:
    latch = FileLatch(tmp_path / "failure")
    Interlock.running(four_groups(), TICK_DS).trip("not latched")
    assert latch.read() == ""
    lamps = Interlock(four_groups(), TICK_DS, latch=latch)
    lamps.fault("lamp current")
    lamps.fault("later")
    again = Interlock(four_groups(), TICK_DS, latch=FileLatch(tmp_path / "failure"))
    assert (again.mode, again.failure) == (Mode.FAILED, "lamp current")
    again.reset()
    assert Interlock(four_groups(), TICK_DS, latch=latch).mode == Mode.INIT


def test_an_unreadable_or_empty_latch_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "failure"
    path.touch()
    assert FileLatch(path).read()
    path.unlink()
    path.mkdir()
    assert FileLatch(path).read()


def test_a_latch_that_cannot_be_written_does_not_prevent_the_failure(tmp_path: Path) -> None:
    lamps = Interlock(four_groups(), TICK_DS, latch=FileLatch(tmp_path / "none" / "failure"))
    lamps.trip("conflict")
    assert lamps.mode == Mode.FAILED
    assert "not latched" in lamps.failure


def test_a_conflict_in_its_own_output_is_never_shown(
    green_street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamps = green_street.lamps

    def broken(rules: Rules, state: State, requested: int, clear: bool = False) -> State:
        after = step(rules, state, requested, clear)
        return after if clear else after._replace(aspect=(GREEN,) * 4)

    monkeypatch.setattr("ampelwerk.controllers.interlock.step", broken)
    assert green_street.run(SECOND_ROAD, 1) == [(GREEN, GREEN, RED, RED)]
    assert lamps.mode == Mode.CLEARING
    assert green_street.run(SECOND_ROAD, 1) == [(AMBER, AMBER, RED, RED)]
    green_street.until(lambda: lamps.mode == Mode.FAILED)
    assert "conflicting" in lamps.failure


def test_a_conflict_while_clearing_fails_at_once(
    green_street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rules: Rules, state: State, requested: int, clear: bool = False) -> State:
        return state._replace(aspect=(GREEN,) * 4)

    monkeypatch.setattr("ampelwerk.controllers.interlock.step", broken)
    shown = green_street.run(SECOND_ROAD, 2)
    assert shown == [(GREEN, GREEN, RED, RED), (RED,) * 4]
    assert green_street.lamps.mode == Mode.FAILED
    assert green_street.lamps.display is Display.FLASH


def test_maximum_red_is_an_alarm_and_not_a_failure() -> None:
    envelope = four_groups()
    for group in envelope.groups:
        object.__setattr__(group, "max_red_ds", 100)
    street = Street(Interlock(envelope, TICK_DS))
    street.until(lambda: street.lamps.green_mask == FIRST_ROAD, FIRST_ROAD)
    street.run(FIRST_ROAD, 5)
    assert street.lamps.overdue_groups() == (2, 3)
    assert street.lamps.mode == Mode.RUN
