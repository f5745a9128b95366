"""Whatever is asked of the interlock, and whatever its clock does, the lamps keep the rules."""

from typing import Any

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

from ampelwerk.controllers.interlock import Interlock
from ampelwerk.controllers.modes import Display, Mode
from ampelwerk.controllers.monitor import Broken, ConflictMonitor, Violation
from ampelwerk.models.envelope import Aspect, Envelope
from tests.reference.envelopes import envelopes
from tests.reference.trace_oracle import TraceOracle

EXAMPLES = 1_000
"""Machines per change, of 50 steps each; the nightly profile asks for more."""
MALFORMED = st.one_of(
    st.integers(max_value=-1),
    st.integers(min_value=2**64),
    st.none(),
    st.booleans(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=3),
)
FAULT_ONLY = {Broken.MIN_GREEN, Broken.SEQUENCE, Broken.RED_AMBER}
"""Rules that clearing a fault may break, as the mode table says."""


class HostileStreet(RuleBasedStateMachine):
    """Requests, orders, faults and clocks at random; true time is kept apart from the clock."""

    @initialize(
        envelope=envelopes(), tick_ds=st.sampled_from([1, 5, 10]), in_operation=st.booleans()
    )
    def build(self, envelope: Envelope, tick_ds: int, in_operation: bool) -> None:
        self.envelope, self.tick_ds = envelope, tick_ds
        make = Interlock.running if in_operation else Interlock
        self.interlock = make(envelope, tick_ds)
        self.true_ds = self.clock_ds = 0
        self.credit_from_ds = 0
        past_ds = -(10**9) if in_operation else 0
        self.oracle = TraceOracle(envelope, tick_ds, red_since_ds=past_ds)
        self.monitor = ConflictMonitor(envelope)
        self.request: Any = 0
        self.faulty = False

    def call(self, request: Any, *, true_ds: int, clock_ds: int) -> None:
        """One call of the interlock after some true time and some time of its clock."""
        self.true_ds += true_ds
        self.clock_ds += clock_ds
        credited = self.clock_ds >= self.credit_from_ds
        if credited or clock_ds < 0:
            self.credit_from_ds = self.clock_ds + self.tick_ds
        lamps = self.interlock
        was_off = lamps.display is not Display.ASPECTS
        before, settled, mode = lamps.aspects, lamps.settled, lamps.mode
        changed = lamps.tick(request, self.clock_ds)
        if (before, settled) != (lamps.aspects, lamps.settled):
            assert changed
        valid = type(request) is int and 0 <= request < 1 << self.envelope.size
        if lamps.display is not Display.ASPECTS:
            if not was_off and mode is Mode.CLEARING:
                assert set(before) == {Aspect.RED}
            self.oracle.blank(self.true_ds)
            self.monitor.observe(None, self.true_ds)
            return
        self.oracle.see(
            lamps.aspects,
            self.true_ds,
            requested=request if valid and lamps.mode is Mode.RUN else 0,
            credited=credited,
            fault=self.faulty and lamps.mode is Mode.CLEARING,
        )
        for seen in self.monitor.observe(lamps.aspects, self.true_ds):
            self.judge(seen)
        assert not self.monitor.tripped

    def judge(self, seen: Violation) -> None:
        """The conflict monitor reports nothing but what a fault or a late call explains."""
        late = seen.found_ds is not None and seen.limit_ds is not None
        if late and (seen.found_ds or 0) > (seen.limit_ds or 0):
            return
        assert self.faulty and seen.rule in FAULT_ONLY, seen

    @rule(mask=st.integers(0, 2**6 - 1), ticks=st.integers(1, 40))
    def ask(self, mask: int, ticks: int) -> None:
        self.request = mask & ((1 << self.envelope.size) - 1)
        self.go_on(ticks)

    @rule(pause=st.integers(1, 6), group=st.integers(0, 5))
    def pause_then_ask(self, pause: int, group: int) -> None:
        self.request = 0
        self.go_on(pause)
        self.ask_for_one(group, 8)

    @rule(group=st.integers(0, 5), ticks=st.integers(1, 120))
    def ask_for_one(self, group: int, ticks: int) -> None:
        self.request = 1 << group % self.envelope.size
        self.go_on(ticks)

    @rule(ticks=st.integers(1, 20))
    def go_on(self, ticks: int) -> None:
        for _ in range(ticks):
            self.call(self.request, true_ds=self.tick_ds, clock_ds=self.tick_ds)

    @rule(masks=st.lists(st.integers(0, 2**6 - 1), min_size=1, max_size=30))
    def flicker(self, masks: list[int]) -> None:
        for mask in masks:
            self.call(
                mask & ((1 << self.envelope.size) - 1),
                true_ds=self.tick_ds,
                clock_ds=self.tick_ds,
            )

    @rule(request=MALFORMED, ticks=st.integers(1, 10))
    def ask_nonsense(self, request: Any, ticks: int) -> None:
        for _ in range(ticks):
            self.call(request, true_ds=self.tick_ds, clock_ds=self.tick_ds)

    @rule(unknown=st.integers(0, 3))
    def ask_for_unknown_group(self, unknown: int) -> None:
        request = 1 << (self.envelope.size + unknown) | 1
        self.call(request, true_ds=self.tick_ds, clock_ds=self.tick_ds)

    @rule(late_ds=st.integers(1, 60))
    def come_late(self, late_ds: int) -> None:
        gap_ds = self.tick_ds + late_ds
        self.call(self.request, true_ds=gap_ds, clock_ds=gap_ds)

    @rule(calls=st.integers(1, 5), gap_ds=st.integers(0, 9))
    def come_early(self, calls: int, gap_ds: int) -> None:
        for _ in range(calls):
            early_ds = min(gap_ds, self.tick_ds - 1)
            self.call(self.request, true_ds=early_ds, clock_ds=early_ds)

    @rule(back_ds=st.integers(1, 100), true_ds=st.integers(0, 10))
    def set_clock_back(self, back_ds: int, true_ds: int) -> None:
        self.call(self.request, true_ds=true_ds, clock_ds=-back_ds)

    @rule(jump_ds=st.integers(1, 10**6))
    def set_clock_forward(self, jump_ds: int) -> None:
        self.call(self.request, true_ds=self.tick_ds, clock_ds=self.tick_ds + jump_ds)

    @rule(display=st.sampled_from([Display.FLASH, Display.DARK, Display.ALL_RED]))
    def order_off(self, display: Display) -> None:
        self.interlock.switch_off(display)

    @rule()
    def order_on(self) -> None:
        self.interlock.switch_on()

    @rule()
    def fault(self) -> None:
        self.interlock.fault("test")
        self.faulty = True

    @precondition(lambda self: self.faulty)
    @rule()
    def reset(self) -> None:
        was_failed = self.interlock.mode is Mode.FAILED
        self.interlock.reset()
        if was_failed:
            assert self.interlock.mode is Mode.INIT
            self.faulty = False

    @rule()
    def trip(self) -> None:
        self.interlock.trip("test")
        self.faulty = True
        assert self.interlock.display is Display.FLASH
        self.oracle.blank(self.true_ds)
        self.monitor.observe(None, self.true_ds)

    @invariant()
    def output_is_consistent(self) -> None:
        lamps = getattr(self, "interlock", None)
        if lamps is None:
            return
        green = sum(1 << i for i, aspect in enumerate(lamps.aspects) if aspect == Aspect.GREEN)
        assert lamps.green_mask == green
        assert (lamps.display is not Display.ASPECTS) == (lamps.mode in (Mode.OFF, Mode.FAILED))
        assert bool(lamps.failure) == self.faulty
        if lamps.settled:
            assert lamps.mode is Mode.RUN
            assert set(lamps.aspects) <= {Aspect.RED, Aspect.GREEN}
        for refusal in lamps.refusals():
            assert refusal.group is None or 0 <= refusal.group < self.envelope.size
            assert refusal.earliest_tick is None or refusal.earliest_tick >= lamps.next_tick


def test_hostile_street_never_breaks_a_rule() -> None:
    examples = max(EXAMPLES, settings().max_examples)
    run_state_machine_as_test(
        HostileStreet,
        settings=settings(max_examples=examples, stateful_step_count=50, deadline=None),
    )
