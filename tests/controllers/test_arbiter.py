"""Who has the say, second by second, at a real local controller under a real conflict monitor."""

from __future__ import annotations

import pytest

from ampelwerk.controllers.arbiter import Arbiter, Say
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.modes import Display, Mode
from ampelwerk.controllers.monitor import ConflictMonitor
from ampelwerk.controllers.steering import Lease, lead_ds, resolve_target
from ampelwerk.models.envelope import Aspect
from ampelwerk.models.errors import OverrideRefusedError, RefusalCode
from ampelwerk.models.override import PRECEDENCE, EndCause, OverrideAction
from tests.controllers.junction import STAGES, junction

MAIN, SIDE, WALK = 0, 1, 2


class Street:
    """One junction under an arbiter, watched by the conflict monitor."""

    def __init__(self) -> None:
        self.site = junction()
        self.controller = LocalController(self.site, tick_ds=10, now_ds=0)
        self.arbiter = Arbiter(self.controller)
        self.monitor = ConflictMonitor(self.site.envelope)
        self.now_ds = 0
        self.shown: list[tuple[int, tuple[int, ...]]] = []

    def say(self) -> Say:
        return self.arbiter.say

    def mode(self) -> Mode:
        return self.controller.mode

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.now_ds += 10
            self.arbiter.tick(self.now_ds)
            lit = self.controller.display is Display.ASPECTS
            assert not self.monitor.observe(self.controller.aspects if lit else None, self.now_ds)
            self.shown.append((self.now_ds, self.controller.aspects))

    def lease(
        self,
        action: OverrideAction,
        target: str = "",
        *,
        name: str = "",
        ttl_s: float = 60,
        eta_s: float = 0,
        max_green_s: float = 0,
        after_s: float = 0,
    ) -> Lease:
        return Lease(
            override_id=name or action.value,
            action=action,
            precedence=PRECEDENCE[action],
            target=resolve_target(self.site, action, target),
            eta_ds=round(eta_s * 10),
            max_green_ds=round(max_green_s * 10),
            effective_ds=self.now_ds + round(after_s * 10),
            expiry_ds=self.now_ds + round((after_s + ttl_s) * 10),
        )

    def set(self, action: OverrideAction, target: str = "", **more: object) -> None:
        self.arbiter.set(self.lease(action, target, **more), self.now_ds)  # type: ignore[arg-type]

    def green_s(self, group: int) -> list[int]:
        """Lengths of the greens of a group that ended. [s]"""
        found, since = [], None
        for now_ds, aspects in self.shown:
            if aspects[group] == Aspect.GREEN and since is None:
                since = now_ds
            elif aspects[group] != Aspect.GREEN and since is not None:
                found.append((now_ds - since) // 10)
                since = None
        return found


def test_without_overrides_the_arbiter_changes_nothing() -> None:
    bare, street = LocalController(junction(), tick_ds=10, now_ds=0), Street()
    for now_ds in range(10, 3000, 10):
        if now_ds % 370 == 0:
            for actor in (bare, street.arbiter):
                actor.want(now_ds // 370 % 3, now_ds + 250)
        if now_ds % 500 == 0:
            for actor in (bare, street.arbiter):
                if not actor.on_plan:
                    actor.renew(now_ds + 200)
        assert bare.tick(now_ds) == street.arbiter.tick(now_ds)
        assert (bare.state, bare.stage) == (street.controller.state, street.controller.stage)


def test_stage_is_shown_and_control_returns_by_itself() -> None:
    street = Street()
    street.set(OverrideAction.STAGE, "walk", ttl_s=100)
    street.run(99)
    assert street.controller.stage == WALK
    assert street.controller.green_mask == 0b110000
    assert street.say() is Say.OVERRIDE
    street.run(1)
    assert street.say() is Say.PLAN
    assert street.arbiter.leases == ()
    causes = [(report.active, report.cause) for report in street.arbiter.reports()]
    assert causes == [(True, None), (False, EndCause.EXPIRED)]
    street.run(120)
    assert {stage for stage in (street.controller.stage,)} <= {MAIN, SIDE, WALK}
    assert len(street.green_s(0)) >= 1


def test_hold_stays_in_what_is_shown() -> None:
    street = Street()
    street.run(25)
    held = street.controller.stage
    street.set(OverrideAction.HOLD, ttl_s=300)
    for _ in range(299):
        street.run(1)
        assert street.controller.stage == held


def test_hold_of_a_named_stage_waits_until_it_is_shown() -> None:
    street = Street()
    street.run(5)
    assert street.controller.stage == MAIN
    street.set(OverrideAction.HOLD, "walk", ttl_s=200)
    street.run(2)
    assert street.say() is Say.PLAN
    street.run(150)
    assert street.controller.stage == WALK
    assert street.say() is Say.OVERRIDE


def test_plan_runs_the_plan_named() -> None:
    street = Street()
    street.set(OverrideAction.PLAN, "night", ttl_s=400)
    street.run(200)
    street.shown.clear()
    street.run(190)
    assert street.green_s(4) == []  # no pedestrians at night
    lengths = street.green_s(0)
    assert len(lengths) >= 4
    assert len(set(lengths)) == 1


@pytest.mark.parametrize(
    ("action", "display"),
    [
        (OverrideAction.ALL_RED, Display.ALL_RED),
        (OverrideAction.FLASH, Display.FLASH),
        (OverrideAction.DARK, Display.DARK),
    ],
)
def test_displays_are_reached_and_left_by_way_of_red(
    action: OverrideAction, display: Display
) -> None:
    street = Street()
    street.run(3)
    street.set(action, ttl_s=60)
    street.run(30)
    assert street.controller.display is display
    assert street.mode() is Mode.OFF
    assert set(street.controller.state) == {{"flash": "o", "dark": "O"}.get(display, "r")}
    street.run(31)
    assert street.mode() is Mode.START
    assert set(street.controller.state) == {"r"}
    street.run(30)
    assert street.mode() is Mode.RUN
    assert street.controller.green_mask


def test_cancel_during_the_transition_to_flash() -> None:
    street = Street()
    street.run(3)
    street.set(OverrideAction.FLASH, ttl_s=300)
    street.run(2)
    assert street.mode() is Mode.CLEARING
    street.arbiter.end("flash", EndCause.RELEASED, street.now_ds)
    street.run(40)
    assert street.mode() is Mode.RUN
    assert street.controller.display is Display.ASPECTS
    assert street.say() is Say.PLAN


def test_cancel_during_the_transition_to_a_stage_keeps_minimum_green() -> None:
    street = Street()
    street.run(4)
    for k in range(40):  # there and back, second by second
        street.set(OverrideAction.STAGE, "side" if k % 2 else "walk", name=f"o{k}")
        street.run(k % 4)
        street.arbiter.end(f"o{k}", EndCause.RELEASED, street.now_ds)
        street.run(1)
    for group, times in enumerate(street.site.envelope.groups):
        assert all(length * 10 >= times.min_green_ds for length in street.green_s(group))


def test_green_wave_has_green_when_the_vehicle_arrives_and_gives_back() -> None:
    street = Street()
    street.run(1)
    street.set(OverrideAction.STAGE, "walk", name="operator", ttl_s=300)
    street.set(OverrideAction.GREEN_WAVE, "K2", eta_s=90, ttl_s=150)
    street.run(40)
    assert street.arbiter.holder == "operator"  # too early for the vehicle
    street.run(49)
    assert street.now_ds == 900
    assert street.controller.green_mask >> 2 & 1
    assert street.arbiter.holder == "green-wave"
    street.run(30)
    assert street.arbiter.holder == "operator"
    assert street.controller.stage == WALK
    ends = [report.cause for report in street.arbiter.reports() if not report.active]
    assert ends == [EndCause.SERVED]


def test_lead_is_enough_from_every_stage() -> None:
    for start in STAGES:
        for group in (0, 2, 4):
            street = Street()
            street.set(OverrideAction.STAGE, start, ttl_s=1000)
            street.run(30)
            lead_s = lead_ds(street.site, group) / 10
            name = str(street.site.envelope.groups[group].group_id)
            eta_s = street.now_ds / 10 + lead_s + 16
            street.set(OverrideAction.GREEN_WAVE, name, eta_s=eta_s, ttl_s=100)
            street.run(lead_s + 2)
            assert street.controller.green_mask >> group & 1, (start, group)


def test_priority_waits_beneath_everything_else() -> None:
    street = Street()
    street.set(OverrideAction.PLAN, "night", ttl_s=300)
    street.set(OverrideAction.PRIORITY, "F4", eta_s=60, ttl_s=100)
    street.run(80)
    assert street.arbiter.holder == "plan"
    street.arbiter.end("plan", EndCause.RELEASED, street.now_ds)
    street.set(OverrideAction.PRIORITY, "F4", name="again", eta_s=110, ttl_s=100)
    street.run(30)
    assert street.controller.green_mask >> 4 & 1
    assert street.arbiter.holder == "again"


def test_gating_limits_each_green_and_the_strategy_goes_on() -> None:
    street = Street()
    street.set(OverrideAction.GATING, "K0", max_green_s=6, ttl_s=300)
    for _ in range(290):
        if street.now_ds % 200 == 0:
            street.arbiter.want(MAIN, street.now_ds + 600)  # it would stay for ever
        street.run(1)
    lengths = street.green_s(0)[1:]
    assert len(lengths) > 5
    assert max(lengths) <= 7  # seen green at one tick, asked to end at the next
    assert max(street.green_s(2), default=0) > 0


def test_higher_outranks_lower_and_lower_comes_back() -> None:
    street = Street()
    street.set(OverrideAction.PLAN, "day", name="a", ttl_s=500)
    street.run(5)
    street.set(OverrideAction.STAGE, "side", name="b", ttl_s=100)
    street.run(50)
    assert street.arbiter.holder == "b"
    street.run(60)
    assert street.arbiter.holder == "a"


def test_newer_lease_of_equal_precedence_ends_the_older() -> None:
    street = Street()
    street.set(OverrideAction.STAGE, "side", name="a")
    street.set(OverrideAction.STAGE, "walk", name="b")
    assert [lease.override_id for lease in street.arbiter.leases] == ["b"]
    assert street.arbiter.reports()[0].cause is EndCause.SUPERSEDED


def test_renewed_lease_lasts_and_repeated_lease_changes_nothing() -> None:
    street = Street()
    street.run(25)
    street.set(OverrideAction.HOLD, ttl_s=20)
    street.run(15)
    held = street.controller.stage
    street.set(OverrideAction.HOLD, ttl_s=60)
    street.run(50)
    assert street.controller.stage == held
    street.run(11)
    assert street.arbiter.leases == ()


def test_strategy_goes_on_from_what_is_shown_when_the_override_is_over() -> None:
    street = Street()
    street.arbiter.want(SIDE, 5000)
    street.run(30)
    assert street.say() is Say.STRATEGY
    street.set(OverrideAction.STAGE, "walk", ttl_s=40)
    street.run(20)
    street.arbiter.want(MAIN, 5000)  # has no say now
    street.run(19)
    assert street.controller.stage == WALK
    street.run(5)
    assert street.say() is Say.STRATEGY
    assert street.controller.stage == WALK
    street.arbiter.want(MAIN, 5000)
    street.run(20)
    assert street.controller.stage == MAIN


def test_cabinet_ends_every_override_and_refuses_new_ones() -> None:
    street = Street()
    street.set(OverrideAction.FLASH, ttl_s=600)
    street.run(30)
    street.arbiter.take_local(street.now_ds)
    with pytest.raises(OverrideRefusedError) as refused:
        street.set(OverrideAction.HOLD)
    assert refused.value.code is RefusalCode.LOCAL
    street.run(40)
    assert street.mode() is Mode.RUN
    assert street.say() is Say.LOCAL
    assert street.arbiter.reports()[-1].cause is EndCause.LOCAL
    street.arbiter.give_back()
    street.run(1)
    assert street.say() is Say.PLAN


def test_lease_that_is_over_before_it_arrives_has_no_effect() -> None:
    street = Street()
    street.run(10)
    late = street.lease(OverrideAction.DARK, ttl_s=-5)
    street.arbiter.set(late, street.now_ds)
    street.run(20)
    assert street.mode() is Mode.RUN
    assert street.arbiter.reports()[0].cause is EndCause.EXPIRED


@pytest.mark.parametrize(
    ("action", "target"),
    [
        (OverrideAction.STAGE, "nowhere"),
        (OverrideAction.PLAN, "dusk"),
        (OverrideAction.GREEN_WAVE, "K9"),
    ],
)
def test_unknown_targets_are_refused_with_those_that_are_known(
    action: OverrideAction, target: str
) -> None:
    with pytest.raises(OverrideRefusedError) as refused:
        resolve_target(junction(), action, target)
    assert refused.value.code is RefusalCode.UNKNOWN_ID
    assert refused.value.limit


def test_late_renewal_brings_nothing_back_to_life() -> None:
    street = Street()
    street.set(OverrideAction.STAGE, "walk", ttl_s=100)
    street.run(5)
    street.arbiter.take_local(street.now_ds)
    street.arbiter.give_back()
    street.arbiter.reports()
    street.set(OverrideAction.STAGE, "walk", ttl_s=100)
    assert street.arbiter.leases == ()
    assert [report.cause for report in street.arbiter.reports()] == [EndCause.LOCAL]


def test_flash_comes_back_after_a_gap_of_the_clock() -> None:
    street = Street()
    street.set(OverrideAction.FLASH, ttl_s=300)
    street.run(30)
    assert street.mode() is Mode.OFF
    street.controller.switch(None)  # as if the interlock had started anew by itself
    street.run(20)
    assert street.mode() is Mode.CLEARING or street.controller.display is Display.FLASH
    street.run(30)
    assert street.controller.display is Display.FLASH
