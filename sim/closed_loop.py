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
from ampelwerk.controllers.local import LocalController
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.network import Network
from ampelwerk.sim.backend import Street
from ampelwerk.sim.decisions import Decision
from ampelwerk.sim.hires_file import HiResRecorder
from ampelwerk.sim.link import Link, publish


class ControlRoom(Protocol):
    """Who lays overrides over the local controllers."""

    def tick(self, now_s: float) -> None:
        """Before the controllers' tick: ask for what is due, end what is over."""

    def after(self, now_s: float) -> Iterable[Decision]:
        """After it: stages that overrides asked for."""


@dataclass(kw_only=True)
class Timing:
    """Wall-clock time spent, the cost of control."""

    sumo_s: float = 0.0
    """Inside SUMO's steps. [s]"""
    control_s: float = 0.0
    """In everything else of the loop: loops read, estimation, decision, interlock, lamps. [s]"""
    decide_s: list[float] = field(default_factory=list)
    """The decision of each tick. [s]"""


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
        for i, controller in enumerate(self.controllers):
            publish(controller, self.signals, i)
            self._show(i)
        self.timing = Timing()
        self.decisions: list[Decision] = []
        self._decided: dict[int, int] = {}
        self.hires: HiResRecorder | None = None
        """Notes hi-res events, if there is one."""
        self.control_room: ControlRoom | None = None
        """Asks for overrides, if there is one."""
        self.actors: Sequence[LocalController | Arbiter] = self.controllers
        """Who is asked for stages: arbiters, or the local controllers themselves."""

    def with_arbiters(self) -> list[Arbiter]:
        """Put an arbiter before every local controller, so that overrides can be laid over it."""
        arbiters = [Arbiter(controller) for controller in self.controllers]
        self.actors = arbiters
        return arbiters

    def run(
        self,
        end_s: float,
        link: Link,
        read: Callable[[float], DetectorFrame] | None,
        *,
        tick: Callable[[float], None],
    ) -> None:
        """Simulate until `end_s`.

        Parameters
        ----------
        link : joins the local controllers to what decides.
        read : reads one tick's edges; None if the control looks at no loop.
        tick : told the time after every step.
        """
        now_ds, end_ds = self._begin_ds, round(end_s * 10)
        timing = self.timing
        if self.hires is not None:
            self.hires.tick(now_ds)
        started = perf_counter()
        while now_ds < end_ds:
            self._street.step()
            stepped = perf_counter()
            timing.sumo_s += stepped - started
            now_ds += self._step_ds
            now_s = now_ds / 10
            if self.control_room is not None:
                self.control_room.tick(now_s)
            wishes = link.exchange(None if read is None else read(now_s), now_ds)
            self._note(wishes, now_s)
            link.report(self._lamps(now_ds), now_ds)
            self._note_holds(wishes)
            if self.control_room is not None:
                self.decisions.extend(self.control_room.after(now_s))
            if self.hires is not None:
                self.hires.tick(now_ds)
            started = perf_counter()
            timing.control_s += started - stepped
            tick(now_s)

    def _lamps(self, now_ds: int) -> list[int]:
        """One tick of every local controller; those whose signals, or next moment, have changed."""
        changed = []
        for i, controller in enumerate(self.controllers):
            decidable_ds = controller.decidable_from_ds
            if self.actors[i].tick(now_ds):
                self._show(i)
                changed.append(i)
            elif controller.decidable_from_ds != decidable_ds:
                changed.append(i)
        return changed

    def _note(self, wishes: Sequence[Wish], now_s: float) -> None:
        """Keep the decisions that count: not those that wait while an override has the say."""
        for wish in wishes:
            if wish.hold or self.actors[wish.intersection].steered:
                continue
            self._decided[wish.intersection] = len(self.decisions)
            self.decisions.append(Decision(time_s=now_s, wish=wish))
            if self.hires is not None:
                self.hires.wished(wish)

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
