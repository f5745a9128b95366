"""Lease, validity and clock of a controller, to the millisecond, on its own clocks."""

from __future__ import annotations

import pytest

from ampelwerk.controllers.ladder import Level
from ampelwerk.controllers.roadside import Roadside
from ampelwerk.proto.v1 import common_pb2, controller_pb2
from tests.controllers.test_plans_believed import NOW_MS, SIGNER, controller, plan, pushed


class TwoClocks:
    """A wall clock that may be set, and a monotonic one."""

    def __init__(self) -> None:
        self.wall_ms, self.passed_ms = NOW_MS, 1_000

    def unix_ms(self) -> int:
        return self.wall_ms

    def mono_ms(self) -> int:
        return self.passed_ms

    def pass_ms(self, time_ms: int) -> None:
        self.wall_ms += time_ms
        self.passed_ms += time_ms


def leased(clock: TwoClocks, *, answer_after_ms: int = 0, server_ahead_ms: int = 0) -> Roadside:
    """A controller with a schedule and an answered heartbeat."""
    device = controller(clock)
    pushed(device, SIGNER.signed(plan()))
    answer(device, clock, answer_after_ms=answer_after_ms, server_ahead_ms=server_ahead_ms)
    return device


def answer(
    device: Roadside, clock: TwoClocks, *, answer_after_ms: int = 0, server_ahead_ms: int = 0
) -> None:
    """A heartbeat, and its answer after a while."""
    device.outbox.clear()
    clock.pass_ms(5_000)
    device.beat()
    beat = device.outbox.pop().heartbeat
    there_ms = clock.wall_ms + answer_after_ms // 2 + server_ahead_ms
    clock.pass_ms(answer_after_ms)
    reply = controller_pb2.HeartbeatReply(
        seq=beat.seq,
        received_unix_ms=there_ms,
        sent_unix_ms=there_ms,
        lease_ms=20_000,
        epoch=3,
    )
    device.receive(controller_pb2.ServerMessage(heartbeat_reply=reply))


def best(device: Roadside) -> Level:
    return device._best()[0]


def status(device: Roadside) -> common_pb2.ClockStatus:
    return device.registration().clock


@pytest.mark.parametrize("answer_after_ms", [0, 400, 8_000])
def test_the_lease_counts_from_when_the_answered_heartbeat_was_sent(answer_after_ms: int) -> None:
    clock = TwoClocks()
    device = leased(clock, answer_after_ms=answer_after_ms)
    clock.pass_ms(20_000 - answer_after_ms - 1)
    assert best(device) is Level.ADAPTIVE
    clock.pass_ms(1)
    assert best(device) is Level.COORDINATED


@pytest.mark.parametrize(
    ("ahead_ms", "level"),
    [(0, Level.ADAPTIVE), (500, Level.ADAPTIVE), (-500, Level.ADAPTIVE),
     (501, Level.COORDINATED), (-60_000, Level.COORDINATED)],
)  # fmt: skip
def test_a_clock_half_a_second_off_is_the_limit(ahead_ms: int, level: Level) -> None:
    clock = TwoClocks()
    device = leased(clock, answer_after_ms=200, server_ahead_ms=-ahead_ms)
    assert status(device).offset_ms == ahead_ms
    assert best(device) is level


@pytest.mark.parametrize("step_ms", [2_001, -2_001, 86_400_000])
def test_a_clock_that_was_set_isolates_until_the_server_confirms_it(step_ms: int) -> None:
    clock = TwoClocks()
    device = leased(clock)
    clock.wall_ms += step_ms
    device.prepare(clock.wall_ms // 100)
    assert device.ladder.level is Level.ISOLATED
    assert status(device).stepped
    answer(device, clock)
    assert best(device) is Level.ADAPTIVE


def test_a_small_step_does_not() -> None:
    clock = TwoClocks()
    device = leased(clock)
    clock.wall_ms += 1_999
    device.prepare(clock.wall_ms // 100)
    assert device.ladder.level is not Level.ISOLATED


def test_the_wall_clock_cannot_prolong_a_schedule() -> None:
    clock = TwoClocks()
    device = leased(clock)
    for _ in range(10):
        clock.pass_ms(5_000)
        clock.wall_ms -= 190  # slewed backwards all the time
        device.prepare(clock.wall_ms // 100)
        assert device.schedule is not None
    clock.pass_ms(5_000)
    device.prepare(clock.wall_ms // 100)
    assert device.schedule is None


def test_a_clock_true_within_six_hours_still_coordinates() -> None:
    clock = TwoClocks()
    device = leased(clock)
    clock.pass_ms(6 * 3600 * 1000)
    assert best(device) is Level.COORDINATED
    clock.pass_ms(1)
    assert best(device) is Level.ISOLATED


def test_a_clock_nobody_sets_is_not_believed_before_the_server_confirms_it() -> None:
    clock = TwoClocks()
    device = controller(clock, common_pb2.CLOCK_SOURCE_RTC)
    pushed(device, SIGNER.signed(plan()))
    assert best(device) is Level.ISOLATED
    answer(device, clock)
    assert best(device) is Level.ADAPTIVE
