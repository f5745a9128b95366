"""The interlock: the only writer of lamp states of one intersection (gate G2).

It wraps the transition function and adds what is not a switch: operating modes, the time of the
calls, refusals, and a look at its own output after each step. Whatever is asked, whenever, the
aspects keep the rules of the envelope; a request that cannot be met waits. Green is never resumed
after a start: every group is red for the largest intergreen first.

A tick in which nothing can change, because all that is asked is shown, is only counted.
"""

from __future__ import annotations

from ampelwerk.controllers.latch import Latch
from ampelwerk.controllers.modes import Display, Mode
from ampelwerk.controllers.refusals import Refusal, Rule, refusals_of
from ampelwerk.controllers.self_test import self_test
from ampelwerk.controllers.tick_clock import TickClock
from ampelwerk.engine.transition import (
    AMBER,
    GREEN,
    RED,
    RED_AMBER,
    SATURATED,
    State,
    all_red,
    compile_rules,
    just_red,
    step,
    unchanged,
)
from ampelwerk.models.envelope import Envelope

NOTHING = 0
"""The request for no group."""


class Interlock:
    """Signal groups under the rules of their envelope; begins in INIT.

    Parameters
    ----------
    tick_ds : time between two calls of `tick`. [ds]
    failure_display : what the lamps show in FAILED.
    latch : keeps a failure beyond the life of the process.
    expected_sha256 : hash of the envelope signed for this place, None to accept any.
    """

    def __init__(
        self,
        envelope: Envelope,
        tick_ds: int,
        *,
        failure_display: Display = Display.FLASH,
        latch: Latch | None = None,
        expected_sha256: str | None = None,
    ) -> None:
        self._envelope, self._tick_ds = envelope, tick_ds
        self._rules = compile_rules(envelope, tick_ds)
        self._size = envelope.size
        self._foe_masks = [
            sum(1 << j for j, foe in enumerate(row) if foe) for row in envelope.conflict
        ]
        self._red_ticks = max(max(row) for row in self._rules.intergreen)
        self._failure_display, self._latch = failure_display, latch
        self._expected_sha256 = expected_sha256
        self._clock = TickClock(tick_ds)
        self._state = just_red(self._rules)
        self._next_tick = 0
        self._idle_ticks = 0
        self._settled_request: int | None = None
        self._request: int | None = NOTHING
        self._target = Mode.START
        self._off_display = Display.FLASH
        self._turned = False
        self.mode = Mode.INIT
        """Operating mode."""
        self.display = Display.ASPECTS
        """What the lamps show."""
        self.aspects = self._state.aspect
        """(n,) aspects; red while the lamps show no aspects."""
        self.green_mask = 0
        """Groups at green, group i at bit i."""
        self.lit_mask = 0
        """Groups not at red, alike."""
        self.settled = False
        """All that is asked is shown, and nothing else."""
        self.failure = latch.read() if latch else ""
        """Reason of the failure, empty without one."""
        self.waiting_requests = 0
        """New requests that were not shown at once."""
        self.illegal_requests = 0
        """New requests that can never be met: unknown groups, or conflicting ones together."""
        if self.failure:
            self._enter(Mode.FAILED)

    @classmethod
    def running(cls, envelope: Envelope, tick_ds: int) -> Interlock:
        """An interlock in operation, everything red since long ago (for the simulation)."""
        interlock = cls(envelope, tick_ds)
        interlock.mode = Mode.RUN
        interlock._state = all_red(interlock._rules)
        return interlock

    @property
    def isolated(self) -> bool:
        """The clock failed too often: ignore the control room."""
        return self._clock.isolated

    @property
    def time_alarms(self) -> int:
        """Late calls and steps back of the clock so far."""
        return self._clock.alarms

    @property
    def next_tick(self) -> int:
        """Number of the next tick."""
        return self._next_tick + self._idle_ticks

    def shown_ticks(self, group: int) -> int:
        """Ticks the group has shown its aspect."""
        return min(self._state.shown[group] + self._idle_ticks, SATURATED)

    def overdue_groups(self) -> tuple[int, ...]:
        """Groups that have been red for longer than their maximum (an alarm, never a trip)."""
        return tuple(
            i
            for i, group in enumerate(self._envelope.groups)
            if group.max_red_ds is not None
            and self.aspects[i] == RED
            and self.shown_ticks(i) * self._tick_ds > group.max_red_ds
        )

    def refusals(self) -> tuple[Refusal, ...]:
        """Why the present request is not, or not yet, shown."""
        if self.mode is not Mode.RUN:
            return ()
        if self._request is None:
            return (Refusal(rule=Rule.REQUEST, group=None),)
        return refusals_of(self._rules, self._caught_up(), self._request, self._next_tick)

    def tick(self, requested: int, now_ds: int) -> bool:
        """One tick; True if an aspect, the display or `settled` changed.

        Parameters
        ----------
        requested : bit mask of the groups that shall be green. A mask with unknown groups, or
            anything that is no mask, is no request.
        now_ds : present time. [ds]
        """
        clock = self._clock
        if now_ds == clock.due_ds:
            clock.due_ds = now_ds + self._tick_ds
            if requested.__class__ is int and requested == self._settled_request:
                self._idle_ticks += 1
                return False
        elif not self._may_go_on(now_ds):
            turned, self._turned = self._turned, False
            return turned
        known = requested.__class__ is int and not requested >> self._size
        request = requested if known else NOTHING
        if self._idle_ticks:
            self._caught_up()
        before, turned, self._turned = self.settled, self._turned, False
        if self.mode is Mode.RUN:
            changed = self._show(step(self._rules, self._state, request), request)
        else:
            changed = self._tick_in_mode(request)
        self._next_tick += 1
        if self.mode is Mode.RUN and (request if known else None) != self._request:
            self._take_note(request if known else None)
        return changed or turned or self._turned or self.settled != before

    def switch_off(self, display: Display = Display.FLASH) -> None:
        """Ordered off: every minimum is kept on the way."""
        self._off_display = display
        self._clear_to(Mode.OFF)

    def switch_on(self) -> None:
        """End an ordered off."""
        if self.mode is Mode.OFF:
            self._enter(Mode.START)
        elif self._target is Mode.OFF:
            self._target = Mode.START

    def fault(self, reason: str) -> None:
        """An internal fault: minimum green is waived, amber is kept, then the failure display."""
        self._keep(reason)
        self._clear_to(Mode.FAILED)

    def trip(self, reason: str) -> None:
        """The conflict monitor tripped: the failure display at once."""
        self._keep(reason)
        self._enter(Mode.FAILED)

    def reset(self) -> None:
        """Local reset, for somebody who stands at the cabinet."""
        if self.mode is Mode.FAILED:
            if self._latch:
                self._latch.clear()
            self.failure = ""
            self._clock.rejoin()
            self._enter(Mode.INIT)

    def rejoin(self) -> None:
        """End the isolation that time alarms brought about."""
        self._clock.rejoin()

    def _may_go_on(self, now_ds: int) -> bool:
        """Rule TIME for a call that is not on time; a long gap restarts from red."""
        credit = self._clock.credit(now_ds)
        if self._clock.lost:
            self._clear_to(Mode.START)
        return credit

    def _show(self, after: State, request: int) -> bool:
        """Put a step on the lamps, unless it shows a conflict; True if an aspect changed."""
        aspects = after.aspect
        changed = aspects != self.aspects
        if changed:
            lit = green = 0
            for i, aspect in enumerate(aspects):
                if aspect != RED:
                    lit |= 1 << i
                    if aspect == GREEN:
                        green |= 1 << i
            if self._conflicts(lit):
                self._refuse_output()
                return True
            self.aspects, self.green_mask, self.lit_mask = aspects, green, lit
        self._state = after
        self.settled = (
            request == self.green_mask and AMBER not in aspects and RED_AMBER not in aspects
        )
        self._settled_request = request if self.settled else None
        return changed

    def _conflicts(self, lit: int) -> bool:
        """Whether a conflicting pair is lit, by the envelope's own matrix."""
        return any(lit >> i & 1 and lit & foes for i, foes in enumerate(self._foe_masks))

    def _refuse_output(self) -> None:
        """A step would have shown a conflict: the lamps stay, then clear; twice is a failure."""
        reason = "the transition function asked for conflicting groups"
        if self.mode is Mode.CLEARING and self._target is Mode.FAILED:
            self.trip(reason)
        else:
            self.fault(reason)

    def _tick_in_mode(self, request: int) -> bool:
        """One tick outside RUN; True if an aspect changed."""
        mode = self.mode
        if mode in (Mode.OFF, Mode.FAILED):
            return False
        if mode is Mode.INIT:
            wrong = self_test(self._envelope, self._rules, self._tick_ds, self._expected_sha256)
            if wrong:
                self.trip(f"self-test: {wrong}")
                return False
            self._enter(Mode.START if self._target is Mode.START else Mode.CLEARING)
        elif self._red_long_enough():
            self._enter(Mode.RUN if mode is Mode.START else self._target)
            if self.mode in (Mode.OFF, Mode.FAILED):
                return False
        run = self.mode is Mode.RUN
        waived = self.mode is Mode.CLEARING and self._target is Mode.FAILED
        changed = self._show(
            step(self._rules, self._state, request if run else NOTHING, waived), request
        )
        if self.mode is not Mode.RUN:
            self.settled, self._settled_request = False, None
        return changed

    def _red_long_enough(self) -> bool:
        """Every group has been red for the largest intergreen."""
        state = self._state
        return max(state.aspect) == RED and min(state.shown) >= self._red_ticks

    def _clear_to(self, target: Mode) -> None:
        """Bring everything to red, then `target`; a failure outranks an order, an order a restart."""
        mode = self.mode
        if mode is Mode.FAILED or (target is Mode.START and mode is not Mode.RUN):
            return
        if mode is Mode.OFF:
            self._enter(target)
            return
        if not (mode is Mode.CLEARING and self._target is Mode.FAILED):
            self._target = target
        if mode is not Mode.INIT or target is Mode.FAILED:
            self._enter(Mode.CLEARING)

    def _enter(self, mode: Mode) -> None:
        """Change the mode; after a display without aspects the past of the lamps is unknown."""
        if self._idle_ticks:
            self._caught_up()
        self.mode = mode
        self.settled, self._settled_request, self._turned = False, None, True
        if mode in (Mode.START, Mode.RUN, Mode.INIT):
            self._target = Mode.START
        if mode in (Mode.OFF, Mode.FAILED):
            self.display = self._off_display if mode is Mode.OFF else self._failure_display
            self._state = just_red(self._rules)
            self.aspects, self.green_mask, self.lit_mask = self._state.aspect, 0, 0
        else:
            self.display = Display.ASPECTS

    def _keep(self, reason: str) -> None:
        """Latch the first reason of a failure."""
        if self.failure:
            return
        self.failure = reason
        if self._latch:
            try:
                self._latch.set(reason)
            except OSError as error:
                self.failure = f"{reason}; not latched: {error}"

    def _take_note(self, request: int | None) -> None:
        """Count a new request, None for one that was not understood."""
        self._request = request
        self.waiting_requests += not self.settled
        self.illegal_requests += request is None or self._conflicts(request)

    def _caught_up(self) -> State:
        """The state with the skipped ticks counted."""
        ticks, self._idle_ticks = self._idle_ticks, 0
        if ticks:
            self._next_tick += ticks
            self._state = unchanged(self._state, ticks)
        return self._state
