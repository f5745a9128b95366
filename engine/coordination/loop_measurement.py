"""Demand measured from loops: flows, saturation flows and turning shares of a recorded day.

Departures are counted at the stop line; where a queue grew during an interval, what it grew by is
demand too. Saturation flow is departures per second of green, for each lane and stage, as long as
vehicles that stood at its begin are left; what hinders them, opposing traffic or a vehicle that may
not go yet, is part of it. Turning shares of a lane follow from the
counts behind the junction: the table of lanes and exits is filled so that both its sums are met
(iterative proportional fitting; Deming & Stephan 1940).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ampelwerk.engine.city import lay_out
from ampelwerk.engine.coordination.lane_flows import service_entries, stop_lanes
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels.city import EXIT, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.saturation_flow import mark_opposed
from ampelwerk.engine.kernels.traffic import NEVER
from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.errors import Finding, Severity
from ampelwerk.models.network import Network

FIT_ROUNDS = 50
"""Rounds of proportional fitting; it converges in a few."""
START_UP_S = 2.0
"""First seconds of green that tell nothing about saturation flow. [s]"""
BLOCKED_SHARE = 0.6
"""A lane all of whose movements may go and that discharges slower than this share of the assumed flow
was blocked from ahead; what it could do is not less. [-]"""
OPEN_VEH = 1e6
"""`City.entry_cap` of such a lane. [veh]"""
PRIOR_S = 20.0
"""Weight of the saturation flow assumed before anything was seen. [s]"""


class LoopMeasurement:
    """Counts what the loops of one run report, tick by tick.

    Parameters
    ----------
    begin_s, step_s : begin of the run and length of its ticks. [s]
    interval_s : length of an interval. [s]
    """

    def __init__(self, network: Network, begin_s: float, step_s: float, interval_s: float) -> None:
        city = lay_out(network)
        self.network, self.city = network, city
        self.begin_s, self.step_s, self.interval_s = begin_s, step_s, interval_s
        self.health = LoopHealth(city, begin_s, tuple(LoopRole))
        self.estimator = Estimator(city, begin_s, step_s, self.health)
        self.cars = stop_lanes(city)
        self.departed_veh: list[FloatArray] = [np.zeros(city.lanes)]
        self.queue_veh: list[FloatArray] = [np.zeros(city.lanes)]
        self.served_veh = np.zeros(len(city.entry_lane))
        self.served_s = np.zeros(len(city.entry_lane))
        self.opposed_veh = np.zeros(len(city.entry_lane))
        self.opposed_s = np.zeros(len(city.entry_lane))
        self.passed_veh = np.zeros(len(network.loops))
        self._yields = np.diff(city.entry_foe_ptr) > 0
        self._standing_veh = np.zeros(city.lanes)
        self._at_red = np.ones(city.lanes, dtype=bool)
        self._entries: dict[bytes, IntArray] = {}
        self._leads_to = np.zeros((city.lanes, len(city.exit_intersection)), dtype=bool)
        for lane in range(city.lanes):
            exits = city.lane_exit[city.lane_exit_ptr[lane] : city.lane_exit_ptr[lane + 1]]
            self._leads_to[lane, exits] = True
        self._is_exit = city.loop_role == EXIT
        self._ticks = 0

    def observe(self, frame: DetectorFrame, signals: Signals) -> None:
        """Take one tick."""
        traffic = self.estimator.traffic
        queue_veh = traffic.queue_veh.copy()
        self.estimator.update(frame, signals)
        self._serve(queue_veh, signals, frame.time_s)
        for loop, on in zip(frame.loop, frame.on, strict=True):
            if on and self._is_exit[loop]:
                self.passed_veh[loop] += 1
        self.departed_veh[-1] += traffic.departures
        self._ticks += 1
        if self._ticks * self.step_s >= len(self.departed_veh) * self.interval_s - 1e-9:
            self.departed_veh.append(np.zeros(self.city.lanes))
            self.queue_veh.append(traffic.queue_veh.copy())

    def _serve(self, queue_veh: FloatArray, signals: Signals, now_s: float) -> None:
        """Count departures of vehicles that stood when their green began."""
        traffic, standing = self.estimator.traffic, self._standing_veh
        green = traffic.green_since_s > NEVER
        began = green & self._at_red
        standing[began] = queue_veh[began]
        self._at_red = ~green
        entry, lane = self._entry_lanes(signals)
        blocked = np.any(self._leads_to & (traffic.full > 0), axis=1)
        counted = (
            green[lane]
            & ~blocked[lane]
            & (standing[lane] >= 0.5)
            & (now_s - traffic.green_since_s[lane] >= START_UP_S)
        )
        self.served_s[entry[counted]] += self.step_s
        self.served_veh[entry[counted]] += traffic.departures[lane[counted]]
        yielding = entry[counted & self._yields[entry]]
        marks = np.zeros(len(yielding), dtype=np.int64)
        mark_opposed(self.city, traffic, yielding, now_s, marks)
        opposed = yielding[marks > 0]
        self.opposed_s[opposed] += self.step_s
        self.opposed_veh[opposed] += traffic.departures[self.city.entry_lane[opposed]]
        # What a free stop line has proved to be no queue was none.
        np.minimum(standing - traffic.departures, traffic.queue_veh, out=standing)

    def _entry_lanes(self, signals: Signals) -> tuple[IntArray, IntArray]:
        """Service entries of the stages shown, and their lanes."""
        key = signals.stage.tobytes()
        entries = self._entries.get(key)
        if entries is None:
            stages = self.city.stage_ptr[:-1] + signals.stage
            rows = [
                np.arange(self.city.entry_ptr[stage], self.city.entry_ptr[stage + 1])
                for stage in stages
            ]
            entries = self._entries[key] = np.concatenate([*rows, np.zeros(0, dtype=np.int64)])
        return entries, self.city.entry_lane[entries]

    @property
    def intervals(self) -> int:
        """Whole intervals seen."""
        return len(self.departed_veh) - 1

    def flow_veh_h(self) -> FloatArray:
        """(intervals, L) demand. [veh/h]"""
        departed = np.array(self.departed_veh[: self.intervals]).reshape(self.intervals, -1)
        queue = np.array(self.queue_veh[: self.intervals + 1])
        grown = np.maximum(0.0, np.diff(queue, axis=0)) if self.intervals else departed
        flow: FloatArray = (departed + grown)[:, self.cars] * (3600.0 / self.interval_s)
        return flow


def demand_of(runs: Sequence[LoopMeasurement]) -> TrafficDemand:
    """Mean demand of several runs of one network over the same intervals.

    Raises
    ------
    ValueError : no run, or none that lasts for an interval.
    """
    intervals = min((run.intervals for run in runs), default=0)
    if not intervals:
        raise ValueError("no run lasts for a whole interval")
    first = runs[0]
    flow_veh_h = np.mean([run.flow_veh_h()[:intervals] for run in runs], axis=0)
    blind = np.array([not lane.stop_loops for lane in first.network.lanes], dtype=bool)
    flow_veh_h[:, blind] = np.nan
    return TrafficDemand(
        begin_s=first.begin_s,
        interval_s=first.interval_s,
        flow_veh_h=flow_veh_h,
        saturation_flow_veh_s=_saturation_flows(runs),
        opposed_flow_veh_s=_opposed_flows(runs),
        turning_share=_turning_shares(runs),
        findings=tuple(_findings(runs)),
    )


def _saturation_flows(runs: Sequence[LoopMeasurement]) -> dict[tuple[int, int], float]:
    """(lane, stage) -> departures per second of green with a queue, priors where few were seen."""
    city = runs[0].city
    served_veh = np.sum([run.served_veh for run in runs], axis=0)
    served_s = np.sum([run.served_s for run in runs], axis=0)
    return {
        key: _with_prior(
            city.entry_flow[entry],
            served_veh[entry],
            served_s[entry],
            least=BLOCKED_SHARE if city.entry_cap[entry] >= OPEN_VEH else 0.0,
        )
        for key, entry in service_entries(city)
        if served_s[entry]
    }


def _opposed_flows(
    runs: Sequence[LoopMeasurement],
) -> dict[tuple[int, int], tuple[float, float]]:
    """(lane, stage) -> the same while somebody departs to whom it gives way, and while nobody does."""
    city = runs[0].city
    served_veh = np.sum([run.served_veh for run in runs], axis=0)
    served_s = np.sum([run.served_s for run in runs], axis=0)
    opposed_veh = np.sum([run.opposed_veh for run in runs], axis=0)
    opposed_s = np.sum([run.opposed_s for run in runs], axis=0)
    found = {}
    for key, entry in service_entries(city):
        if city.entry_foe_ptr[entry + 1] > city.entry_foe_ptr[entry] and served_s[entry]:
            found[key] = (
                _with_prior(city.entry_opposed[entry], opposed_veh[entry], opposed_s[entry]),
                _with_prior(
                    city.entry_unopposed[entry],
                    served_veh[entry] - opposed_veh[entry],
                    served_s[entry] - opposed_s[entry],
                    least=BLOCKED_SHARE if city.entry_cap[entry] >= OPEN_VEH else 0.0,
                ),
            )
    return found


def _with_prior(prior_veh_s: float, veh: float, s: float, *, least: float = 0.0) -> float:
    """What was counted, weighed against the prior, and no less than a share of it. [veh/s]"""
    flow = (prior_veh_s * PRIOR_S + veh) / (PRIOR_S + s)
    return float(max(flow, least * prior_veh_s))


def _turning_shares(runs: Sequence[LoopMeasurement]) -> dict[tuple[int, int], float]:
    """(lane, exit) -> share, intersection by intersection."""
    network, cars = runs[0].network, runs[0].cars
    departed = np.sum([np.sum(run.departed_veh, axis=0) for run in runs], axis=0)[cars]
    passed = np.sum([run.passed_veh for run in runs], axis=0)
    exits_of: dict[int, list[int]] = {}
    shared: dict[int, int] = {}
    for number, exit_ in enumerate(network.exits):
        exits_of.setdefault(exit_.intersection, []).append(number)
        for loop in exit_.exit_loops:
            shared[loop] = shared.get(loop, 0) + 1
    lanes_of: dict[int, list[int]] = {}
    for number, lane in enumerate(network.lanes):
        lanes_of.setdefault(lane.intersection, []).append(number)
    found = {}
    for i, lanes in lanes_of.items():
        exits = exits_of.get(i, [])
        can = np.array(
            [
                [
                    bool(set(network.lanes[n].movements) & set(network.exits[x].movements))
                    for x in exits
                ]
                for n in lanes
            ],
            dtype=float,
        ).reshape(len(lanes), len(exits))
        out = np.array(
            [
                sum(passed[loop] / shared[loop] for loop in network.exits[x].exit_loops)
                for x in exits
            ]
        )
        seen = np.array([bool(network.exits[x].exit_loops) for x in exits])
        table = proportional_fit(can, departed[lanes], np.where(seen, out, np.nan))
        for row, n in enumerate(lanes):
            total = table[row].sum()
            for column, x in enumerate(exits):
                if can[row, column] and total > 0:
                    found[n, x] = float(table[row, column] / total)
    return found


def proportional_fit(can: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Fill a table so that its sums come as near to the given ones as its zeros allow.

    Parameters
    ----------
    can : (rows, columns) 0 where nothing may stand, else the weight to begin with.
    rows, columns : the sums wanted; NaN in `columns` where none is known.
    """
    table: FloatArray = can * rows[:, None] / np.maximum(can.sum(axis=1, keepdims=True), 1e-9)
    known = ~np.isnan(columns)
    for _ in range(FIT_ROUNDS):
        have = table.sum(axis=0)
        factor = np.where(known & (have > 0), np.nan_to_num(columns) / np.maximum(have, 1e-9), 1.0)
        table = table * np.maximum(factor, 1e-3)
        have = table.sum(axis=1)
        table *= np.where(have > 0, rows / np.maximum(have, 1e-9), 1.0)[:, None]
    return table


def _findings(runs: Sequence[LoopMeasurement]) -> list[Finding]:
    """Faulty loops and lanes that no loop counts."""
    network = runs[0].network
    faults: dict[int, set[str]] = {}
    for run in runs:
        for alarm in run.health.alarms:
            if alarm.fault != "sound":
                faults.setdefault(alarm.loop, set()).add(alarm.fault)
    found = [
        Finding(
            rule="faulty_loop",
            severity=Severity.WARNING,
            where=f"loop {network.loops[loop].loop_id}",
            message=f"it was found faulty: {', '.join(sorted(kinds))}.",
            remedy="Its lane is counted from what other loops say; check the loop.",
        )
        for loop, kinds in sorted(faults.items())
    ]
    found += [
        Finding(
            rule="lane_without_counts",
            severity=Severity.WARNING,
            where=f"lane {lane.lane_id}",
            message="no loop counts it.",
            remedy="It gets minimum green; give counts for it with --counts.",
        )
        for lane in network.lanes
        if not lane.stop_loops
    ]
    return found
