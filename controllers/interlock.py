"""The interlock: the only writer of lamp states of one intersection (gate G2).

It wraps the transition function, adds time and modes, and skips ticks in which nothing can change.
"""

from __future__ import annotations

from ampelwerk.engine.transition import GREEN, RED, SATURATED, State, all_red, compile_rules, step
from ampelwerk.models.envelope import Envelope


class Interlock:
    """Signal groups under the rules of their envelope."""

    def __init__(self, envelope: Envelope, tick_ds: int) -> None:
        self._rules = compile_rules(envelope, tick_ds)
        self._state = all_red(self._rules)
        self._idle_ticks = 0
        self._settled_request = -1
        self.aspects = self._state.aspect
        self.green_mask = 0
        self.settled = False

    @classmethod
    def running(cls, envelope: Envelope, tick_ds: int) -> Interlock:
        """An interlock in operation, everything red since long ago."""
        return cls(envelope, tick_ds)

    def shown_ticks(self, group: int) -> int:
        """Ticks the group has shown its aspect."""
        return min(self._state.shown[group] + self._idle_ticks, SATURATED)

    def tick(self, requested: int, now_ds: int) -> bool:
        """One tick; True if an aspect or `settled` changed."""
        if requested == self._settled_request:
            self._idle_ticks += 1
            return False
        state = self._caught_up()
        after = step(self._rules, state, requested)
        self._state = after
        changed = after.aspect != state.aspect
        if changed:
            self.aspects = after.aspect
            self.green_mask = sum(1 << i for i, a in enumerate(after.aspect) if a == GREEN)
        settled = self.green_mask == requested and all(a in (RED, GREEN) for a in after.aspect)
        turned = settled != self.settled
        self.settled = settled
        self._settled_request = requested if settled else -1
        return changed or turned

    def _caught_up(self) -> State:
        """The state with the skipped ticks counted."""
        k, state = self._idle_ticks, self._state
        self._idle_ticks = 0
        if not k:
            return state
        return State(
            state.aspect,
            tuple(min(t + k, SATURATED) for t in state.shown),
            tuple(
                0 if a == GREEN else min(e + k, SATURATED)
                for a, e in zip(state.aspect, state.ended, strict=True)
            ),
        )
