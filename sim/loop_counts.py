"""Demand from the record of a run's loops: the run again, without SUMO, and everything counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ampelwerk.controllers.control import Control
from ampelwerk.engine.coordination.loop_measurement import LoopMeasurement, demand_of
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network
from ampelwerk.sim.closed_loop import ClosedLoop
from ampelwerk.sim.controls import JOINING, Controlled, connect, in_process, loop_roles
from ampelwerk.sim.recording import HeardLoops
from ampelwerk.sim.replay import NotedLamps, Record, open_record
from ampelwerk.sim.run_directory import open_run


class _Counting:
    """A control that counts everything and leaves decisions to the one that was recorded."""

    def __init__(
        self, control: Control, heard: HeardLoops, measurement: LoopMeasurement, loop: Controlled
    ) -> None:
        self.alarms: Sequence[LoopAlarm] = ()
        self._control, self._heard = control, heard
        self._measurement, self._signals = measurement, loop.signals

    def observe(self, frame: DetectorFrame) -> None:
        """Count, and let the recorded control see what it saw."""
        self._measurement.observe(frame, self._signals)
        self._control.observe(self._heard.of(frame))

    def decide(self, now_s: float) -> Sequence[Wish]:
        """As recorded."""
        return self._control.decide(now_s)


def count(
    record: Record, interval_s: float, *, progress: Callable[[float], None] = lambda share: None
) -> LoopMeasurement:
    """Count a recorded run.

    Raises
    ------
    InvalidInputError : it ran several signals as one, whose lanes are not those of the network.
    """
    run, network = record.run, record.network
    if run.control in JOINING:
        raise InvalidInputError(
            "this kind of control may run several signals as one, so its record cannot be counted",
            where=str(run.directory),
            found=f"control {run.control}",
            limit="a record made under fixed or actuated",
            remedy="record it with `ampelwerk simulate --control fixed --record`",
        )
    street = NotedLamps(run.begin_s, run.step_s, run.end_s)
    loop = ClosedLoop(network, street, begin_s=run.begin_s, step_s=run.step_s)
    measurement = LoopMeasurement(network, run.begin_s, run.step_s, interval_s)
    heard = HeardLoops(network, loop_roles(run.control))

    def counting(control: str, controlled: Controlled) -> Control:
        return _Counting(connect(control, controlled), heard, measurement, controlled)

    def tell(now_s: float) -> None:
        if now_s % 100 == 0:
            progress((now_s - run.begin_s) / (run.end_s - run.begin_s))

    with in_process(run.control, loop, connect=counting) as link:
        loop.run(run.end_s, link, record.frames.reader(), tick=tell)
    return measurement


def recorded_runs(path: Path) -> list[Path]:
    """The run directories that a path names: itself, or those right below it."""
    if (path / "run.json").exists():
        return [path]
    return sorted(run.parent for run in path.glob("*/run.json"))


def counted_alike(one: Network, other: Network) -> bool:
    """Counts of one network are counts of the other: the same lanes, loops, exits and stages.

    Amber, intergreens and plans may differ.
    """
    return (one.lanes, one.exits, one.loops) == (other.lanes, other.exits, other.loops) and [
        _counted_parts(site) for site in one.intersections
    ] == [_counted_parts(site) for site in other.intersections]


def _counted_parts(site: Intersection) -> tuple[object, ...]:
    movements = [(m.from_lane, m.to_lane, m.group) for m in site.movements]
    return site.intersection_id, site.stages, movements


def count_runs(
    directories: Sequence[Path],
    interval_s: float,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Network, TrafficDemand]:
    """Network and mean demand of recorded runs.

    Raises
    ------
    InvalidInputError : a directory holds no record, runs differ in their network, or all are
        shorter than an interval.
    """
    measurements = list[LoopMeasurement]()
    for k, directory in enumerate(directories):
        record = open_record(open_run(directory))
        if measurements and not counted_alike(measurements[0].network, record.network):
            raise InvalidInputError(
                "the runs were made on different networks",
                where=str(directory),
                limit=f"the network of {directories[0]}",
                remedy="count runs of one scenario under one profile",
            )
        measurements.append(
            count(record, interval_s, progress=_part_of(progress, k, len(directories)))
        )
    try:
        return measurements[0].network, demand_of(measurements)
    except ValueError as error:
        raise InvalidInputError(
            "the runs are too short",
            where=str(directories[0]),
            limit=f"at least one interval of {interval_s:g} s",
            remedy="choose a shorter --interval",
        ) from error


def _part_of(progress: Callable[[float], None], k: int, count: int) -> Callable[[float], None]:
    """Progress of one run as progress of all."""
    return lambda share: progress((k + share) / count)
