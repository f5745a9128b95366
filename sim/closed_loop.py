"""The tick: sense, estimate, decide, interlock, lamps.

Each intersection is driven by the local controller that would stand at the roadside, and through
its interlock alone. SUMO's programs do not run, except under `native`, where nothing is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Protocol

import numpy as np

from ampelwerk.controllers.arbiter import Arbiter
from ampelwerk.controllers.frame_border import FrameBorder
from ampelwerk.controllers.local import LocalController
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.models.network import Network
from ampelwerk.sim.backend import Street
from ampelwerk.sim.decisions import Decision
from ampelwerk.sim.hires_file import HiResRecorder

WISH_VALID_DS = 600
"""A wish lapses unless renewed within a minute. [ds]"""
RENEW_EVERY_DS = 300
"""All wishes are renewed at half their validity. [ds]"""


class Control(Protocol):
    """Estimator and strategy behind the local controllers."""

    @property
    def alarms(self) -> Sequence[LoopAlarm]:
        """Loops found faulty or believed again, by time."""
        ...

    def observe(self, frame: DetectorFrame) -> None:
        """Take one tick's edges."""

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes that differ from what is shown."""
        ...


class ControlRoom(Protocol):
    """Who lays overrides over the local controllers."""

    def tick(self, now_s: float) -> None:
        """Before the controllers' tick: ask for what is due, end what is over."""

    def after(self, now_s: float) -> Iterable[Decision]:
        """After it: stages that overrides asked for."""
        ...


@dataclass(kw_only=True)
class Timing:
    """Wall-clock time spent, the cost of control."""

    sumo_s: float = 0.0
    """Inside SUMO's steps. [s]"""
    control_s: float = 0.0
    """In everything else of the loop: loops read, estimation, decision, interlock, lamps. [s]"""
    decide_s: list[float] = field(default_factory=list)
    """Estimation and decision, each tick. [s]"""


class ClosedLoop:
    """A network under control, tick by tick.

    Parameters
    ----------
    network : what is controlled.
    street : the simulator, started, at `begin_s`; or a record that is replayed.
    begin_s : begin of the simulation. [s]
    step_s : length of a tick. [s]
    """

    def __init__(
        self,
        network: Network,
        street: Street,
        *,
        begin_s: float,
        step_s: float,
    ) -> None:
        self.network, self._street = network, street
        self.begin_s, self.step_s = begin_s, step_s
        self._begin_ds, self._step_ds = round(begin_s * 10), round(step_s * 10)
        self.controllers = [
            LocalController(intersection, tick_ds=self._step_ds, now_ds=self._begin_ds)
            for intersection in network.intersections
        ]
        size = len(self.controllers)
        self.signals = Signals(
            stage=np.zeros(size, dtype=np.int64),
            green=np.zeros(size, dtype=np.int64),
            since_s=np.zeros(size),
            decidable_s=np.zeros(size),
        )
        for i in range(size):
            self._publish(i)
            self._show(i)
        self.border = FrameBorder(len(network.loops))
        self.timing = Timing()
        self.decisions: list[Decision] = []
        self._decided: dict[int, int] = {}
        self.hires: HiResRecorder | None = None
        """Notes hi-res events, if there is one."""
        self.control_room: ControlRoom | None = None
        """Asks for overrides, if there is one."""
        self._actors: Sequence[LocalController | Arbiter] = self.controllers

    def with_arbiters(self) -> list[Arbiter]:
        """Put an arbiter before every local controller, so that overrides can be laid over it."""
        arbiters = [Arbiter(controller) for controller in self.controllers]
        self._actors = arbiters
        return arbiters

    def run(
        self,
        end_s: float,
        control: Control,
        read: Callable[[float], DetectorFrame] | None,
        *,
        tick: Callable[[float], None],
    ) -> None:
        """Simulate until `end_s`.

        Parameters
        ----------
        read : reads one tick's edges; None if the control looks at no loop.
        tick : told the time after every step.
        """
        now_ds, end_ds = self._begin_ds, round(end_s * 10)
        timing = self.timing
        renewed_ds = now_ds
        if self.hires is not None:
            self.hires.tick(now_ds)
        started = perf_counter()
        while now_ds < end_ds:
            self._street.step()
            stepped = perf_counter()
            timing.sumo_s += stepped - started
            now_ds += self._step_ds
            now_s = now_ds / 10
            if read is not None:
                control.observe(self.border.passed(read(now_s), now_s))
            observed = perf_counter()
            wishes = control.decide(now_s)
            timing.decide_s.append(perf_counter() - observed)
            until_ds = now_ds + WISH_VALID_DS
            if self.control_room is not None:
                self.control_room.tick(now_s)
            for wish in wishes:
                actor = self._actors[wish.intersection]
                if wish.hold:
                    if not actor.steered:
                        self.controllers[wish.intersection].hold()
                    continue
                actor.want(wish.stage, until_ds)
                if actor.steered:
                    continue  # an override has the say
                self._decided[wish.intersection] = len(self.decisions)
                self.decisions.append(Decision(time_s=now_s, wish=wish))
                if self.hires is not None:
                    self.hires.wished(wish)
            if now_ds - renewed_ds >= RENEW_EVERY_DS:
                renewed_ds = now_ds
                for actor in self._actors:
                    if not actor.on_plan:
                        actor.renew(until_ds)
            self._lamps(now_ds)
            self._note_holds(wishes)
            if self.control_room is not None:
                self.decisions.extend(self.control_room.after(now_s))
            if self.hires is not None:
                self.hires.tick(now_ds)
            started = perf_counter()
            timing.control_s += started - stepped
            tick(now_s)

    def _lamps(self, now_ds: int) -> None:
        """One tick of every local controller."""
        for i, controller in enumerate(self.controllers):
            decidable_ds = controller.decidable_from_ds
            if self._actors[i].tick(now_ds):
                self._show(i)
                self._publish(i)
            elif controller.decidable_from_ds != decidable_ds:
                self._publish(i)

    def _note_holds(self, wishes: Sequence[Wish]) -> None:
        """A decision whose greens are being kept back is bound by that."""
        for hold in wishes:
            i = hold.intersection
            if hold.hold and i in self._decided and self.controllers[i].held_ds:
                decision = self.decisions[self._decided[i]]
                bound = replace(decision.wish, binding=hold.binding)
                self.decisions[self._decided[i]] = replace(decision, wish=bound)

    def _show(self, i: int) -> None:
        """Put the output of one controller on its lamps."""
        for name, state in self.network.intersections[i].states(self.controllers[i].state):
            self._street.show(name, state)

    def _publish(self, i: int) -> None:
        """What one controller shows, for the engine's arrays."""
        controller, signals = self.controllers[i], self.signals
        signals.stage[i] = controller.stage
        signals.green[i] = np.uint64(controller.green_mask).view(np.int64)
        signals.since_s[i] = controller.since_ds / 10
        signals.decidable_s[i] = controller.decidable_from_ds / 10
