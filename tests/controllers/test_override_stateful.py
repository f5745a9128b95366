"""Whatever operators, controllers, links and clocks do: no override outlives its lease, none is an orphan.

The book of the control room is real, the arbiters and local controllers are real, and so is the conflict
monitor that watches the lamps. Between them lies a link that may be cut: then neither side hears
the other, and a controller has nothing but its own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ampelwerk.controllers.arbiter import Arbiter, Report, Say
from ampelwerk.controllers.lease_of import lease_of
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.modes import Display, Mode
from ampelwerk.controllers.monitor import ConflictMonitor
from ampelwerk.controllers.override_book import ENDING_MS, OverrideBook
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError, OverrideRefusedError
from ampelwerk.models.override import (
    EndCause,
    Override,
    OverrideAction,
    OverrideId,
    OverrideLeg,
    OverrideRequest,
    OverrideState,
    Role,
)
from tests.controllers.junction import STAGES, junction

EXAMPLES = 120
"""Sequences per change; the nightly profile asks for ten thousand."""
PLACES = tuple(IntersectionId(name) for name in ("J1", "J2"))
TARGETS = {
    OverrideAction.STAGE: sorted(STAGES),
    OverrideAction.HOLD: ["", *sorted(STAGES)],
    OverrideAction.PLAN: ["day", "night"],
}
PEOPLE = (
    ("ada", Role.OPERATOR), ("bob", Role.OPERATOR), ("eve", Role.SUPERVISOR),
    ("J1", Role.CONTROLLER),
)  # fmt: skip
ALLOWED = {
    OverrideState.AWAITING_APPROVAL: {OverrideState.GRANTED, OverrideState.ENDED},
    OverrideState.GRANTED: {
        OverrideState.DELIVERED, OverrideState.ACTIVE, OverrideState.ENDING, OverrideState.ENDED,
    },
    OverrideState.DELIVERED: {OverrideState.ACTIVE, OverrideState.ENDING, OverrideState.ENDED},
    OverrideState.ACTIVE: {OverrideState.ENDING, OverrideState.ENDED},
    OverrideState.ENDING: {OverrideState.ENDED},
}  # fmt: skip


class ControlRoomAndStreet(RuleBasedStateMachine):
    """A control room, two junctions, and a link to each."""

    @initialize()
    def build(self) -> None:
        self.sites = {place: junction(str(place)) for place in PLACES}
        self.book = OverrideBook(self.sites)
        self.now_ds = 0
        self.number = 0
        self.linked = dict.fromkeys(PLACES, True)
        self.waiting: dict[IntersectionId, list[Override]] = {place: [] for place in PLACES}
        self.states: dict[OverrideId, OverrideState] = {}
        self.known: dict[OverrideId, Override] = {}
        self.expiries: dict[OverrideId, int] = {}
        self.arbiters = {place: self.start(place) for place in PLACES}
        self.monitors = {place: ConflictMonitor(self.sites[place].envelope) for place in PLACES}

    def start(self, place: IntersectionId) -> Arbiter:
        return Arbiter(LocalController(self.sites[place], tick_ds=10, now_ds=self.now_ds))

    @property
    def now_ms(self) -> int:
        return self.now_ds * 100

    def change(self, decide: Callable[[], Sequence[Override]]) -> None:
        """Decide, make it so, and send it out, as the desk and the service do."""
        before = self.book.all()
        try:
            changed = decide()
        except (OverrideRefusedError, InvalidInputError):
            assert self.book.all() == before
            return
        assert self.book.all() == before  # deciding changes nothing
        self.book.take(changed)
        for override in changed:
            was = self.states.get(override.override_id)
            if was is not None and was is not override.state:
                assert override.state in ALLOWED[was]
            self.states[override.override_id] = override.state
            self.known[override.override_id] = override
            for leg in override.request.legs:
                self.push(override, leg)

    def push(self, override: Override, leg: OverrideLeg) -> None:
        place = leg.intersection_id
        if place in override.gone:
            return
        if not self.linked[place]:
            return  # commands are never stored for an absent controller
        arbiter = self.arbiters[place]
        if override.live:
            lease = lease_of(override, leg, self.sites[place], zero_unix_ms=0)
            try:
                arbiter.set(lease, self.now_ds)
            except OverrideRefusedError:
                self.change(
                    lambda: self.book.reported(
                        override.override_id, place, self.now_ms, ended=EndCause.LOCAL
                    )
                )
                return
            name = override.override_id
            self.expiries[name] = max(self.expiries.get(name, 0), lease.expiry_ds)
            if place not in override.delivered:
                self.change(lambda: self.book.reported(name, place, self.now_ms))
        elif override.cause is not None:
            arbiter.end(str(override.override_id), override.cause, self.now_ds)

    @rule(
        action=st.sampled_from(OverrideAction),
        who=st.sampled_from(PEOPLE),
        ttl_s=st.integers(1, 90),
        both=st.booleans(),
        place=st.sampled_from(PLACES),
        pick=st.integers(0, 99),
        later_s=st.sampled_from([0, 0, 5, 40]),
        supersede=st.booleans(),
    )
    def request(
        self,
        action: OverrideAction,
        who: tuple[str, Role],
        ttl_s: int,
        both: bool,
        place: IntersectionId,
        pick: int,
        later_s: int,
        supersede: bool,
    ) -> None:
        self.number += 1
        displays = (OverrideAction.FLASH, OverrideAction.DARK, OverrideAction.ALL_RED)
        targets = [""] if action in displays else TARGETS.get(action, ["K0", "K2", "F4"])
        timed = action in (OverrideAction.GREEN_WAVE, OverrideAction.PRIORITY)
        legs = tuple(
            OverrideLeg(
                intersection_id=where,
                target=targets[pick % len(targets)],
                eta_unix_ms=self.now_ms + 1 + (later_s + pick % ttl_s) * 1000 if timed else 0,
            )
            for where in (PLACES if both else (place,))
        )
        request = OverrideRequest(
            key=f"k{self.number}",
            action=action,
            legs=legs,
            requester=who[0],
            role=who[1],
            reason="drawn at random",
            ttl_ms=ttl_s * 1000,
            not_before_unix_ms=self.now_ms + later_s * 1000 if later_s else 0,
            max_green_ms=5000 if action is OverrideAction.GATING else 0,
            supersede=supersede,
        )
        self.change(lambda: self.book.request(request, self.now_ms))

    def any_id(self, pick: int) -> OverrideId:
        names = sorted(self.known)
        return names[pick % len(names)] if names else OverrideId("o0")

    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE))
    def approve(self, pick: int, who: tuple[str, Role]) -> None:
        self.change(lambda: self.book.approve(self.any_id(pick), *who, self.now_ms))

    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE), ttl_s=st.integers(0, 90))
    def renew(self, pick: int, who: tuple[str, Role], ttl_s: int) -> None:
        self.change(lambda: self.book.renew(self.any_id(pick), ttl_s * 1000, *who, self.now_ms))

    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE))
    def release(self, pick: int, who: tuple[str, Role]) -> None:
        self.change(lambda: self.book.release(self.any_id(pick), *who, self.now_ms))

    @rule(place=st.sampled_from(PLACES))
    def cut_or_mend_the_link(self, place: IntersectionId) -> None:
        self.linked[place] = not self.linked[place]
        self.meet(place)

    def meet(self, place: IntersectionId) -> None:
        """Server and controller find out what the other has."""
        if not self.linked[place]:
            return
        arbiter = self.arbiters[place]
        held = [OverrideId(lease.override_id) for lease in arbiter.leases]
        for name in self.book.strays(place, held):
            arbiter.end(str(name), EndCause.RELEASED, self.now_ds)
        for override in self.book.due(place):
            leg = override.leg(place)
            if leg is not None:
                self.push(override, leg)

    @rule(place=st.sampled_from(PLACES))
    def restart_a_controller(self, place: IntersectionId) -> None:
        self.arbiters[place] = self.start(place)
        self.monitors[place] = ConflictMonitor(self.sites[place].envelope)
        self.meet(place)

    @rule(place=st.sampled_from(PLACES))
    def cabinet(self, place: IntersectionId) -> None:
        arbiter = self.arbiters[place]
        if arbiter.local:
            arbiter.give_back()
        else:
            arbiter.take_local(self.now_ds)

    @precondition(lambda self: self.number > 0)
    @rule(place=st.sampled_from(PLACES), stage=st.integers(0, 3))
    def strategy(self, place: IntersectionId, stage: int) -> None:
        self.arbiters[place].want(stage, self.now_ds + 300)

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_ds += 10
            self.change(lambda: self.book.passed(self.now_ms))
            for place, arbiter in self.arbiters.items():
                arbiter.tick(self.now_ds)
                lit = arbiter.controller.display is Display.ASPECTS
                seen = self.monitors[place].observe(
                    arbiter.controller.aspects if lit else None, self.now_ds
                )
                assert not seen
                assert all(lease.over_ds > self.now_ds for lease in arbiter.leases)
                for report in arbiter.reports() if self.linked[place] else ():
                    self.change(self.reported(place, report))

    def reported(self, place: IntersectionId, report: Report) -> Callable[[], Sequence[Override]]:
        name = OverrideId(report.override_id)
        return lambda: self.book.reported(
            name, place, self.now_ms, active=report.active, ended=report.cause
        )

    @invariant()
    def no_lease_outlives_its_expiry(self) -> None:
        for place, arbiter in getattr(self, "arbiters", {}).items():
            for lease in arbiter.leases:
                name = OverrideId(lease.override_id)
                assert name in self.known
                assert lease.expiry_ds <= self.expiries[name]
                if self.linked[place]:
                    assert self.known[name].live
            if arbiter.say is Say.OVERRIDE:
                assert arbiter.controller.mode is not Mode.FAILED

    @invariant()
    def an_intersection_holds_one_of_each_precedence(self) -> None:
        if not hasattr(self, "book"):
            return
        for place in PLACES:
            held = [o.request.precedence for o in self.book.all() if o.live and o.leg(place)]
            assert len(set(held)) == len(held)
            kept = [lease.precedence for lease in self.arbiters[place].leases]
            assert len(set(kept)) == len(kept)

    @invariant()
    def everything_that_is_not_over_has_an_end(self) -> None:
        for override in self.book.all() if hasattr(self, "book") else ():
            if override.state is OverrideState.ENDING:
                assert self.now_ms - override.ending_unix_ms < ENDING_MS + 30_000
            else:
                assert override.expiry_unix_ms <= self.now_ms + 40_000 + 90_000

    def teardown(self) -> None:
        """After the longest lease and the longest way back nothing is left, whatever was cut."""
        if not hasattr(self, "book"):
            return
        for arbiter in self.arbiters.values():
            arbiter.give_back()
        self.time_passes((40 + 90) + ENDING_MS // 1000 + 1)
        assert self.book.all() == []
        for arbiter in self.arbiters.values():
            assert arbiter.leases == ()
            assert arbiter.say in (Say.PLAN, Say.STRATEGY)
            assert arbiter.holder == ""
            assert arbiter.controller.mode is Mode.RUN
            assert arbiter.controller.green_mask or arbiter.controller.aspects


def test_no_orphan_whatever_happens() -> None:
    nightly = settings.get_current_profile_name() == "nightly"
    run_state_machine_as_test(
        ControlRoomAndStreet,
        settings=settings(
            max_examples=10_000 if nightly else EXAMPLES, stateful_step_count=40, deadline=None
        ),
    )
