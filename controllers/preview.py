"""What an override would cost: the next minutes played twice by the engine's own model.

Both worlds begin with what is believed now about queues, arrivals and saturation flows, and with a copy of
the local controller. In each second the rolling horizon decides, the interlock grants what it may, lanes
at green are served and queues grow by the arrivals expected. In one world the override is laid over it.
The difference of the two is the forecast. It sees one intersection: what spills over to the next, and who
drives another way, is not in it. Lamps that are off are not modelled: there the right of way of the
junction decides.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from ampelwerk.controllers.arbiter import Arbiter
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.refusals import Refusal
from ampelwerk.controllers.steering import DISPLAYS, Lease
from ampelwerk.engine.kernels.arrivals import predict
from ampelwerk.engine.kernels.city import City, FloatArray
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.saturation_flow import (
    flow_veh_s,
    opposed_flow_veh_s,
    unopposed_flow_veh_s,
)
from ampelwerk.engine.kernels.traffic import NEVER, Traffic
from ampelwerk.engine.strategies.rolling_horizon import RollingHorizon
from ampelwerk.models.override import OverrideAction

MOST_S = 900
"""Longest forecast. [s]"""
AFTER_S = 240
"""A forecast goes on so long after the override, for its queues outlive it. [s]"""
START_UP_S = 1.0
"""Green time that the first vehicle of a queue loses, as in the plan search. [s]"""
FAR_S = 1e15
"""Other intersections decide nothing in a forecast. [s]"""
UNMODELLED = (OverrideAction.FLASH, OverrideAction.DARK)
"""Actions without signals: no forecast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an override does to one intersection, as far as the model sees."""

    horizon_s: int
    """Length of the forecast. [s]"""
    delay_veh_s: tuple[float, ...]
    """(lanes,) time spent in queues without the override. [veh s]"""
    delay_change_veh_s: tuple[float, ...]
    """(lanes,) and how much more with it. [veh s]"""
    left_change_veh: float
    """How many more wait at the end of the forecast. [veh]"""
    longest_red_s: tuple[int, ...]
    """(groups,) longest red with the override, within the forecast. [s]"""
    shown_after_s: int | None
    """When the override has the say and all that it asks for is shown; None if never. [s]"""
    held_back_by: Refusal | None
    """The rule that lets it wait longest, None if it is carried out at once."""

    @property
    def change_veh_s(self) -> float:
        """Change of the delay of all lanes. [veh s]"""
        return sum(self.delay_change_veh_s)


@dataclass(slots=True)
class _World:
    """One way things may go."""

    delay_veh_s: FloatArray
    left_veh: float
    longest_red_s: list[int]
    shown_after_s: int | None = None
    held_back_by: Refusal | None = None


def preview(
    city: City,
    traffic: Traffic,
    intersection: int,
    controller: LocalController,
    lease: Lease,
    now_s: float,
) -> Preview | None:
    """Forecast an override at one intersection; None where the model has nothing to say.

    Parameters
    ----------
    traffic : what is believed now; not changed.
    intersection : its index in `city`.
    controller : what carries out wishes there; not changed.
    lease : the override, on the controller's clock.
    now_s : time of the controller's last tick, on the same clock. [s]
    """
    if lease.action in UNMODELLED:
        return None
    last_s = max(lease.over_ds / 10 - now_s, 0.0)
    horizon_s = min(MOST_S, int(last_s) + AFTER_S)
    worlds = [
        _play(city, traffic, intersection, controller, laid, now_s, horizon_s)
        for laid in (None, lease)
    ]
    without, under = worlds
    return Preview(
        horizon_s=horizon_s,
        delay_veh_s=tuple(without.delay_veh_s.tolist()),
        delay_change_veh_s=tuple((under.delay_veh_s - without.delay_veh_s).tolist()),
        left_change_veh=under.left_veh - without.left_veh,
        longest_red_s=tuple(under.longest_red_s),
        shown_after_s=under.shown_after_s,
        held_back_by=under.held_back_by,
    )


def _play(
    city: City,
    traffic: Traffic,
    i: int,
    controller: LocalController,
    lease: Lease | None,
    now_s: float,
    horizon_s: int,
) -> _World:
    """Play the model forward."""
    street = _Street(city, traffic, i, now_s, horizon_s)
    site = controller.intersection
    local = copy.deepcopy(controller, {id(site): site})
    arbiter = Arbiter(local)
    now_ds = round(now_s * 10)
    arbiter.want(local.stage, now_ds + 10 * horizon_s + 600)
    if lease is not None:
        arbiter.set(lease, now_ds)
    size = site.envelope.size
    red_s, longest = [0] * size, [0] * size
    world = _World(np.zeros(len(street.lanes)), 0.0, longest)
    signals, strategy = street.signals, street.strategy
    for second in range(1, horizon_s + 1):
        at_s = now_s + second
        at_ds = now_ds + 10 * second
        signals.stage[i], signals.decidable_s[i] = local.stage, local.decidable_from_ds / 10
        signals.since_s[i] = local.since_ds / 10
        for wish in strategy.decide(at_s) if not arbiter.steered else ():
            if wish.intersection == i:
                arbiter.want(wish.stage, at_ds + 600)
        for tick_ds in range(at_ds - 10 + local.tick_ds, at_ds + 1, local.tick_ds):
            arbiter.tick(tick_ds)
        mask = local.green_mask
        signals.green[i] = np.uint64(mask).view(np.int64)
        if arbiter.holder and world.shown_after_s is None:
            if local.settled or (lease is not None and lease.action in DISPLAYS and not mask):
                world.shown_after_s = second
            elif world.held_back_by is None:
                world.held_back_by = _longest(local.refusals())
        for group in range(size):
            red_s[group] = 0 if mask >> group & 1 else red_s[group] + 1
            longest[group] = max(longest[group], red_s[group])
        world.delay_veh_s += street.second_passes(second, mask, local.stage, at_s)
    world.left_veh = float(street.queue_veh.sum())
    return world


def _longest(refusals: tuple[Refusal, ...]) -> Refusal | None:
    """The reason that stands longest."""
    dated = [refusal for refusal in refusals if refusal.earliest_tick is not None]
    return max(dated, key=lambda refusal: refusal.earliest_tick or 0, default=None)


class _Street:
    """Queues of one intersection in a forecast, seen by a strategy of its own."""

    def __init__(self, city: City, traffic: Traffic, i: int, now_s: float, horizon_s: int) -> None:
        self._city, self._first_stage = city, int(city.stage_ptr[i])
        self.lanes = range(int(city.lane_ptr[i]), int(city.lane_ptr[i + 1]))
        self._here = slice(self.lanes.start, self.lanes.stop)
        self._traffic = copy.deepcopy(traffic)
        believed = self._traffic
        self._arriving = np.zeros((len(self.lanes), horizon_s + 1))
        arrivals = np.zeros(horizon_s)
        for k, lane in enumerate(self.lanes):
            predict(city, traffic, lane, now_s, arrivals)
            self._arriving[k, 1:] = np.diff(arrivals, prepend=0.0)
        believed.queue_veh[self._here] += believed.behind_veh[self._here]
        believed.behind_veh[self._here] = 0.0
        # Who is on the way is in the arrivals above; the strategy counts on the mean from here on.
        believed.coming[self._here] = 0
        believed.ahead[:] = 0
        believed.cover[:] = 0.0
        size = len(city.lane_ptr) - 1
        self.signals = Signals(
            stage=np.zeros(size, dtype=np.int64),
            green=np.zeros(size, dtype=np.int64),
            since_s=np.zeros(size),
            decidable_s=np.full(size, FAR_S),
        )
        self.strategy = RollingHorizon(city, believed, self.signals)
        self._entry = [self._entries(lane) for lane in self.lanes]

    @property
    def queue_veh(self) -> FloatArray:
        """(lanes,) queues."""
        return self._traffic.queue_veh[self._here]

    def _entries(self, lane: int) -> dict[int, int]:
        """Service entry of a lane by stage."""
        city, found = self._city, {}
        i = int(city.lane_intersection[lane])
        for stage in range(self._first_stage, int(city.stage_ptr[i + 1])):
            for entry in range(int(city.entry_ptr[stage]), int(city.entry_ptr[stage + 1])):
                if city.entry_lane[entry] == lane:
                    found[stage - self._first_stage] = entry
        return found

    def _flow_veh_s(self, lane: int, stage: int) -> float:
        """Service of a lane; of one that gives way by what departs the other way, as in the plan search."""
        city, believed = self._city, self._traffic
        entries = self._entry[lane - self.lanes.start]
        if stage not in entries:  # green on the way from one stage to the next
            flows = (flow_veh_s(city, believed, entry) for entry in entries.values())
            return max(flows, default=0.0)
        entry = entries[stage]
        foes = city.entry_foe[city.entry_foe_ptr[entry] : city.entry_foe_ptr[entry + 1]]
        if not len(foes):
            return float(flow_veh_s(city, believed, entry))
        free = 1.0
        for foe in foes:
            theirs = flow_veh_s(city, believed, self._entry[foe - self.lanes.start][stage])
            free *= 1.0 - min(1.0, believed.queue_veh[foe] / theirs)
        opposed = opposed_flow_veh_s(city, believed, entry)
        return float(opposed + (unopposed_flow_veh_s(city, believed, entry) - opposed) * free)

    def second_passes(self, second: int, green: int, stage: int, at_s: float) -> FloatArray:
        """Arrivals join, lanes at green are served; (lanes,) time spent in queues. [veh s]"""
        city, believed = self._city, self._traffic
        believed.queue_veh[self._here] += self._arriving[:, second]
        able_veh = [self._flow_veh_s(lane, stage) for lane in self.lanes]
        for k, lane in enumerate(self.lanes):
            lit = bool(int(city.lane_groups[lane]) & green)
            if lit and believed.green_since_s[lane] == NEVER:
                believed.green_since_s[lane] = at_s
            elif not lit and believed.green_since_s[lane] != NEVER:
                believed.green_since_s[lane], believed.red_since_s[lane] = NEVER, at_s
            if not lit or at_s - believed.green_since_s[lane] < START_UP_S:
                continue
            served = min(believed.queue_veh[lane], able_veh[k])
            if city.lane_is_crossing[lane]:
                served, believed.called_s[lane] = believed.queue_veh[lane], NEVER
            if served > 0:
                believed.queue_veh[lane] -= served
                believed.departed_s[lane] = at_s
        return self.queue_veh.copy()
