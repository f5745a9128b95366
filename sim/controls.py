"""The kinds of control by name: which strategy, which loops, wired to a closed loop."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ampelwerk.controllers.control import Control
from ampelwerk.engine.city import lay_out
from ampelwerk.engine.estimation import Estimator, no_traffic
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.strategies.actuated import ROLES, Actuated, ShownStage
from ampelwerk.engine.strategies.fixed import Fixed
from ampelwerk.engine.strategies.max_pressure import MaxPressure
from ampelwerk.engine.strategies.plan_where_blind import PlanWhereBlind
from ampelwerk.engine.strategies.priority_index import PriorityIndex
from ampelwerk.engine.strategies.rolling_horizon import Parameters, RollingHorizon
from ampelwerk.engine.strategies.strategy import Strategy, Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm, LoopRole
from ampelwerk.models.network import Network
from ampelwerk.models.plan_schedule import StageSchedule
from ampelwerk.sim.closed_loop import ClosedLoop
from ampelwerk.sim.joint_signals import join_signals
from ampelwerk.sim.link import InProcess, Link

NATIVE = "native"
"""SUMO's own programs, untouched."""
PLAN = "plan"
"""Plans of a plan file."""
ON_PLAN = ("fixed", PLAN)
"""Kinds of control in which every local controller runs its own plan."""
OpenLink = Callable[[str, ClosedLoop], AbstractContextManager[Link]]
"""Joins the local controllers of a closed loop to a kind of control."""
JOINING = ("max-pressure", "priority-index", "rolling-horizon")
"""Kinds of control that run signals at a short link as one intersection."""


class Controlled(Protocol):
    """What a kind of control is connected to."""

    @property
    def network(self) -> Network:
        """What is controlled."""
        ...

    @property
    def controllers(self) -> Sequence[ShownStage]:
        """What each local controller shows."""
        ...

    @property
    def signals(self) -> Signals:
        """The same as arrays."""
        ...

    @property
    def begin_s(self) -> float:
        """Begin of control. [s]"""
        ...

    @property
    def step_s(self) -> float:
        """Length of a tick. [s]"""
        ...


Connect = Callable[[str, Controlled], Control]
"""Builds the strategy of a name over local controllers."""


class Estimated:
    """A strategy that decides on the estimator's beliefs."""

    def __init__(
        self, estimator: Estimator, health: LoopHealth, strategy: Strategy, loop: Controlled
    ) -> None:
        self.estimator, self._signals = estimator, loop.signals
        blind = health.state.blind
        plans = PlanWhereBlind(strategy, loop.network, loop.signals, blind)
        self.decide, self.schedules = plans.decide, plans.schedules
        self.alarms = health.alarms
        # Compiled kernels are loaded now, not in the first tick.
        estimator.update(
            DetectorFrame(time_s=loop.begin_s, loop=array("q"), at_s=array("d"), on=array("q")),
            loop.signals,
        )
        strategy.decide(loop.begin_s)

    def observe(self, frame: DetectorFrame) -> None:
        """Estimation."""
        self.estimator.update(frame, self._signals)


class _AtOnce:
    """Max-pressure: its estimation waits for its decision, and both are one kernel.

    A yardstick that takes loops as they are: stand-ins for faulty ones would starve its lanes.
    """

    def __init__(self, strategy: MaxPressure, begin_s: float) -> None:
        self.alarms: Sequence[LoopAlarm] = ()
        self._tick = strategy.tick
        self._frame = DetectorFrame(time_s=begin_s, loop=array("q"), at_s=array("d"), on=array("q"))
        self.decide(begin_s)  # compiled kernels are loaded now, not in the first tick

    def observe(self, frame: DetectorFrame) -> None:
        """Keep it for the decision."""
        self._frame = frame

    def decide(self, _: float) -> Sequence[Wish]:
        """Wishes from estimation and choice."""
        return self._tick(self._frame)


class _Blind:
    """A strategy that looks at no loop."""

    def __init__(self, strategy: Strategy) -> None:
        self.decide = strategy.decide
        self.alarms: Sequence[LoopAlarm] = ()

    def observe(self, frame: DetectorFrame) -> None:
        """Nothing to do."""


def loop_roles(control: str) -> Sequence[LoopRole]:
    """Loops that a kind of control reads."""
    if control in (NATIVE, *ON_PLAN):
        return ()
    if control == "actuated":
        return ROLES
    if control == "max-pressure":  # queues alone: arrivals further up do not matter to it
        return tuple(role for role in LoopRole if role is not LoopRole.UPSTREAM)
    return tuple(LoopRole)


def controlled_network(control: str, network: Network, *, separate: bool) -> Network:
    """The network as a kind of control sees it: its intersections may be several signals each.

    separate : every signal on its own, under any control.
    """
    return join_signals(network) if control in JOINING and not separate else network


def connect(
    control: str,
    loop: Controlled,
    *,
    parameters: Parameters | None = None,
    arrays: Callable[[City], City] = lambda city: city,
) -> Control:
    """Build the strategy of a name over local controllers, wherever they are.

    Parameters
    ----------
    parameters : of the rolling horizon; None: those it was tuned to.
    arrays : changes what the kernels are told of the network.
    """
    if control in ON_PLAN:
        return _Blind(Fixed())
    if control == "actuated":
        return Actuated(loop.network, loop.controllers)
    city = arrays(lay_out(loop.network))
    if control == "max-pressure":
        traffic = no_traffic(city, loop.begin_s)
        return _AtOnce(MaxPressure(city, traffic, loop.signals, loop.step_s), loop.begin_s)
    health = LoopHealth(city, loop.begin_s, loop_roles(control))
    estimator = Estimator(city, loop.begin_s, loop.step_s, health)
    strategy: Strategy
    if control == "priority-index":
        strategy = PriorityIndex(city, estimator.traffic, loop.signals)
    else:
        strategy = RollingHorizon(city, estimator.traffic, loop.signals, parameters)
    return Estimated(estimator, health, strategy, loop)


def beliefs_of(link: Link) -> Estimator | None:
    """The estimator behind a link, if there is one in this process."""
    return believed_by(link.control) if isinstance(link, InProcess) else None


def believed_by(control: Control | None) -> Estimator | None:
    """The estimator of a control, None if it has none."""
    return control.estimator if isinstance(control, Estimated) else None


def schedules_of(control: Control | None) -> list[StageSchedule] | None:
    """The plans that a control follows where it knows too little, None if it follows none."""
    return control.schedules if isinstance(control, Estimated) else None


@contextmanager
def in_process(control: str, loop: ClosedLoop, *, connect: Connect = connect) -> Iterator[Link]:
    """The control of a name, called directly.

    connect : builds the control; another one than ours in benchmarks only, as it may know the truth.
    """
    yield InProcess(
        connect(control, loop),
        loop.controllers,
        lambda: loop.actors,
        loop.signals,
        loops=len(loop.network.loops),
        begin_s=loop.begin_s,
        decide_s=loop.timing.decide_s,
    )
