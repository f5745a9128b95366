"""The fallback ladder: down at once, up after a minute at the begin of a cycle, and back."""

from __future__ import annotations

from array import array

import pytest

from ampelwerk.controllers.ladder import STABLE_MS, FallbackLadder, Level
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.monitor import ConflictMonitor
from ampelwerk.controllers.site import site_of
from ampelwerk.models.detection import DetectorFrame
from tests.controllers.city import road

CYCLE_DS = 600


class Kerb:
    """A controller whose server and clock a test takes away."""

    def __init__(self) -> None:
        site = site_of(road(), "north")
        self.local = LocalController(site.intersections[0], tick_ds=10, now_ds=0)
        self.ladder = FallbackLadder(site, self.local)
        self.monitor = ConflictMonitor(site.intersections[0].envelope)
        self.now_ds = 0

    def run(self, seconds: int, best: Level, stage: int | None = None, why: str = "why") -> None:
        for _ in range(seconds):
            self.now_ds += 10
            self.ladder.choose(best, why, now_ds=self.now_ds, mono_ms=self.now_ds * 100)
            self.ladder.ask(stage, self.now_ds)
            self.local.tick(self.now_ds)
            assert not self.monitor.observe(self.local.interlock.aspects, self.now_ds)

    def level(self) -> Level:
        return self.ladder.level

    @property
    def levels(self) -> list[Level]:
        return [level for _, level, _ in self.ladder.steps]


def test_the_first_tick_takes_the_best_level_there_is() -> None:
    for best in (Level.ADAPTIVE, Level.COORDINATED, Level.ISOLATED):
        kerb = Kerb()
        kerb.run(1, best)
        assert kerb.ladder.level is best


def test_down_at_once_and_up_after_a_minute_at_the_begin_of_a_cycle() -> None:
    kerb = Kerb()
    kerb.run(100, Level.ADAPTIVE, stage=1, why="")
    assert kerb.local.stage == 1
    kerb.run(1, Level.COORDINATED, why="the lease ran out")
    assert kerb.ladder.level is Level.COORDINATED
    assert kerb.ladder.cause == "the lease ran out"
    kerb.run(4, Level.COORDINATED)
    back_ds = kerb.now_ds
    while kerb.ladder.level is Level.COORDINATED:
        kerb.run(1, Level.ADAPTIVE, stage=1, why="")
    assert kerb.now_ds - back_ds >= STABLE_MS // 100
    assert kerb.now_ds % CYCLE_DS == 0
    kerb.run(30, Level.ADAPTIVE, stage=1, why="")
    assert kerb.local.stage == 1


def test_a_link_that_comes_and_goes_starts_the_minute_anew() -> None:
    kerb = Kerb()
    kerb.run(1, Level.COORDINATED)
    for _ in range(10):
        kerb.run(55, Level.ADAPTIVE)
        kerb.run(1, Level.COORDINATED)
    assert kerb.levels == [Level.COORDINATED]


def test_coordinated_follows_the_plan_of_the_cabinet() -> None:
    kerb = Kerb()
    kerb.run(300, Level.COORDINATED)
    greens = set()
    for _ in range(60):
        kerb.run(1, Level.COORDINATED)
        greens.add((kerb.now_ds % CYCLE_DS // 10, kerb.local.green_mask))
    assert {second for second, mask in greens if mask == 1} == set(range(5, 35))  # intergreen 5 s
    assert {second for second, mask in greens if mask == 2} == set(range(40, 60))


def test_isolated_serves_whoever_calls_and_nobody_else() -> None:
    kerb = Kerb()
    kerb.run(20, Level.ISOLATED)

    def edge(loop: int, on: int) -> None:
        at_s = kerb.now_ds / 10
        kerb.ladder.observe(
            DetectorFrame(
                time_s=at_s, loop=array("q", [loop]), at_s=array("d", [at_s]), on=array("q", [on])
            )
        )

    for loop in (0, 1, 0, 1):
        edge(loop, 1)
        kerb.run(20, Level.ISOLATED)
        assert kerb.local.green_mask == 1 << loop
        edge(loop, 0)
        kerb.run(100, Level.ISOLATED)
        assert kerb.local.green_mask == 1 << loop  # nobody else calls


def test_a_failed_interlock_is_failure_until_somebody_resets_it() -> None:
    kerb = Kerb()
    kerb.run(10, Level.ADAPTIVE, stage=0)
    kerb.local.interlock.fault("a lamp is broken")
    for _ in range(60):
        kerb.now_ds += 10
        kerb.ladder.choose(Level.ADAPTIVE, "", now_ds=kerb.now_ds, mono_ms=kerb.now_ds * 100)
        kerb.ladder.ask(0, kerb.now_ds)
        kerb.local.tick(kerb.now_ds)
    assert kerb.level() is Level.FAILURE
    assert kerb.ladder.cause == "a lamp is broken"
    assert kerb.local.state == "oo"
    kerb.local.interlock.reset()
    for _ in range(60):
        kerb.now_ds += 10
        kerb.ladder.choose(Level.ADAPTIVE, "", now_ds=kerb.now_ds, mono_ms=kerb.now_ds * 100)
        kerb.ladder.ask(0, kerb.now_ds)
        kerb.local.tick(kerb.now_ds)
    assert kerb.level() is Level.ADAPTIVE
    assert kerb.local.green_mask == 1


@pytest.mark.parametrize("level", [Level.ADAPTIVE, Level.COORDINATED, Level.ISOLATED])
def test_a_cold_cabinet_is_red_first(level: Level) -> None:
    site = site_of(road(), "north")
    local = LocalController(site.intersections[0], tick_ds=10, now_ds=0, cold=True)
    ladder = FallbackLadder(site, local)
    assert local.state == "rr"
    shown = []
    for second in range(1, 30):
        ladder.choose(level, "", now_ds=second * 10, mono_ms=second * 1000)
        ladder.ask(0, second * 10)
        local.tick(second * 10)
        shown.append(local.state)
    assert shown[:5] == ["rr"] * 5  # the largest intergreen
    assert "Gr" in shown
