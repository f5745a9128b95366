"""The rolling horizon with something left out or something more, for `benchmarks.ablation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ampelwerk.controllers.control import Control
from ampelwerk.engine.city import FREE_SHARE, lay_out
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.rows import ints
from ampelwerk.engine.strategies.rolling_horizon import DEFAULT, Parameters, RollingHorizon
from ampelwerk.models.detection import DetectorFrame, LoopAlarm, LoopRole
from ampelwerk.sim.controls import Connect, Controlled, connect, loop_roles
from ampelwerk.sim.run_configuration import RunConfig
from benchmarks.rollouts import Rollouts
from benchmarks.truth import REACH_M, Truth, city_lanes

CONTROL = "rolling-horizon"
HORIZONS_S = (15, 30, 60, 90)
"""Horizons that are compared. [s]"""
FOR_EVER_S = 1e9
"""No lane waits as long. [s]"""
MOST_COMING = 64
"""Vehicles before a stop line that are told to the strategy; 200 m hold no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One row of the table."""

    title: str
    """What it is."""
    control: str = CONTROL
    """Kind of control."""
    without_loops: tuple[LoopRole, ...] = ()
    """Roles for which there are no loops."""
    separate_signals: bool = False
    """Signals at a short link are each run on their own."""
    connect: Connect = connect
    """Builds the control."""

    def configured(self, config: RunConfig) -> RunConfig:
        """The configuration of its runs."""
        return replace(
            config,
            control=self.control,
            without_loops=self.without_loops,
            separate_signals=self.separate_signals,
        )


def connect_truth(control: str, loop: Controlled) -> Control:
    """The rolling horizon with queues and arrivals as they are; needs libsumo."""
    return TrueControl(control, loop)


class TrueControl:
    """Queues and arrivals up to 200 m before the stop line are known, in the right lane.

    Saturation flows, blocked heads, full exits and the rates beyond stay estimated from loops.
    """

    def __init__(self, control: str, loop: Controlled) -> None:
        city = lay_out(loop.network)
        health = LoopHealth(city, loop.begin_s, loop_roles(control))
        self._estimator = Estimator(city, loop.begin_s, loop.step_s, health)
        self._truth = Truth(loop.network, city, loop.step_s)
        self._signals = loop.signals
        self.alarms: Sequence[LoopAlarm] = health.alarms
        believed, lanes = self._estimator.traffic, city.lanes
        reach_s = np.zeros(lanes)
        for lane, number in zip(loop.network.lanes, city_lanes(loop.network, city), strict=True):
            # From there on nobody is seen, and the mean rate stands in.
            reach_s[number] = min(REACH_M, lane.reach_m) / (FREE_SHARE * lane.speed_mps)
        self._known: Traffic = believed._replace(
            queue_veh=np.zeros(lanes),
            behind_veh=np.zeros(lanes),
            coming=np.zeros(lanes, dtype=np.int64),
            coming_s=np.zeros((lanes, MOST_COMING)),
            ahead=np.zeros_like(believed.ahead),
            advance_s=reach_s,
            cover=np.zeros_like(believed.cover),
            departed_s=np.full(lanes, loop.begin_s),
        )
        # Every lane counts as one whose arrivals are seen ahead.
        seeing = city._replace(lane_advance_loop=np.maximum(city.lane_advance_loop, 0))
        self._crossings = np.flatnonzero(city.lane_is_crossing).tolist()
        self.decide = RollingHorizon(seeing, self._known, loop.signals).decide

    def observe(self, frame: DetectorFrame) -> None:
        """Estimate as ever, then look at the street."""
        self._estimator.update(frame, self._signals)
        believed, known, now_s = self._estimator.traffic, self._known, frame.time_s
        seen = self._truth.read(now_s)
        known.departed_s[known.queue_veh < 1.0] = now_s
        for passage in seen.passages:
            known.departed_s[passage.lane] = now_s
        known.queue_veh[:] = seen.queue_veh
        known.coming[:] = 0
        for lane, due_s in seen.due_s.items():
            count = min(len(due_s), MOST_COMING)
            known.coming[lane] = count
            known.coming_s[lane, :count] = due_s[:count]
        for lane in self._crossings:  # who waits at a kerb stays estimated
            known.queue_veh[lane] = believed.queue_veh[lane]
            known.departed_s[lane] = believed.departed_s[lane]


def connect_all_stages(control: str, loop: Controlled) -> Control:
    """The stages that were made up from the conflicts may be chosen, too."""
    selectable = ints(
        stage.selectable for site in loop.network.intersections for stage in site.stages
    )
    return connect(control, loop, arrays=lambda city: city._replace(selectable=selectable))


def _rollouts(control: str, loop: Controlled, parameters: Parameters = DEFAULT) -> Control:
    """The other form of the search."""
    return Rollouts(loop, control, parameters)


def _horizon(horizon_s: int) -> Variant:
    parameters = DEFAULT._replace(horizon_s=horizon_s)
    return Variant(title=f"horizon {horizon_s} s", connect=partial(connect, parameters=parameters))


COMPLETE = "complete"
VARIANTS: Mapping[str, Variant] = {
    COMPLETE: Variant(title=f"complete, horizon {DEFAULT.horizon_s} s"),
    "truth": Variant(title=f"truth up to {REACH_M:g} m instead", connect=connect_truth),
    "no-upstream": Variant(title="no upstream loops", without_loops=(LoopRole.UPSTREAM,)),
    "no-advance": Variant(title="no advance loops", without_loops=(LoopRole.ADVANCE,)),
    "no-exit": Variant(title="no exit loops", without_loops=(LoopRole.EXIT,)),
    "stop-line": Variant(
        title="stop-line loops alone",
        without_loops=(LoopRole.UPSTREAM, LoopRole.ADVANCE, LoopRole.EXIT),
    ),
    "separate": Variant(title="signals at short links apart", separate_signals=True),
    "no-supervisor": Variant(
        title="no supervisor of long waits",
        connect=partial(connect, parameters=DEFAULT._replace(wait_s=FOR_EVER_S)),
    ),
    "all-stages": Variant(title="stages made up from conflicts, too", connect=connect_all_stages),
    **{f"horizon-{s}": _horizon(s) for s in HORIZONS_S if s != DEFAULT.horizon_s},
    "rollouts": Variant(title="rollouts of the base policy", connect=_rollouts),
    "rollouts-60": Variant(
        title="rollouts, horizon 60 s",
        connect=partial(_rollouts, parameters=DEFAULT._replace(horizon_s=60)),
    ),
    "base-policy": Variant(title="base policy alone", control="priority-index"),
}
"""All rows by short name; the first is what the others are measured against."""
