"""Hi-res events of a run as a file that ATSPM tools read, with what the numbers mean beside it.

Three CSV files, for ``--events day.csv``:

===================  ==================================================================
day.csv              TimeStamp, DeviceId, EventId, Parameter: one row an event, by time
day.mapping.csv      DeviceId, Intersection, Kind, Number, Name: device, groups, detectors,
                     pedestrian detectors and patterns by their numbers
day.detectors.csv    DeviceId, Phase, Parameter, Function, Loop: the detector configuration;
                     a detector of several groups or uses has several rows
===================  ==================================================================

A device is a controller, counted from 1 in the order of the model; its detectors are counted
likewise. A pedestrian detector bears the number of its group, as those tools expect. Second t of
the simulation is t seconds after 1970-01-01 00:00: 7 o'clock of the scenario is 7 o'clock there.
A loop that two controllers read is a detector of both.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ampelwerk.controllers.hires import FREE, Event, EventCode, SignalEvents
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.modes import Display
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.network import Network

EVENT_COLUMNS = ("TimeStamp", "DeviceId", "EventId", "Parameter")
MAPPING_COLUMNS = ("DeviceId", "Intersection", "Kind", "Number", "Name")
DETECTOR_COLUMNS = ("DeviceId", "Phase", "Parameter", "Function", "Loop")
FUNCTIONS = {
    LoopRole.STOP_LINE: ("Presence", "Yellow_Red"),
    LoopRole.ADVANCE: ("Advance",),
}
"""What ATSPM tools call the use of a loop; the others have none."""
ENDED_BY = {"gap-out": EventCode.GAP_OUT, "max-out": EventCode.MAX_OUT}
"""Reasons of a wish that have a code of their own; every other end of green is a force-off."""
_MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[int, int, int, int]
"""Time [ds], device, code, parameter."""


def companions(path: Path) -> tuple[Path, Path]:
    """The mapping and the detector configuration that stand beside a file of events."""
    return path.with_suffix(".mapping.csv"), path.with_suffix(".detectors.csv")


class HiResRecorder:
    """Collects the events of all controllers of a run.

    Parameters
    ----------
    network : what is controlled; each intersection is a device.
    controllers : its local controllers, in the same order.
    """

    def __init__(self, network: Network, controllers: Sequence[LocalController]) -> None:
        self._network, self._controllers = network, controllers
        self._signals = [SignalEvents(site.envelope, site.plans) for site in network.intersections]
        self._ended_by = [EventCode.FORCE_OFF] * len(network.intersections)
        self._detectors: list[list[tuple[int, int]]] = [[] for _ in network.loops]
        self._numbers = [network.loops_of(i) for i in range(len(network.intersections))]
        for i, loops in enumerate(self._numbers):
            for number, loop in enumerate(loops, start=1):
                if network.loops[loop].role is not LoopRole.CALL:
                    self._detectors[loop].append((i + 1, number))
        self._kerbs: list[list[tuple[int, int]]] = [[] for _ in network.loops]
        for crossing in network.crossings:
            for loop in crossing.call_loops:
                self._kerbs[loop].append((crossing.intersection + 1, crossing.group + 1))
        self._waited: set[int] = set()
        self._rows: list[Row] = []

    def reading(self, read: Callable[[float], DetectorFrame]) -> Callable[[float], DetectorFrame]:
        """The same reader of loops, with its edges noted as events."""

        def noted(now_s: float) -> DetectorFrame:
            frame = read(now_s)
            for loop, at_s, on in zip(frame.loop, frame.at_s, frame.on, strict=True):
                at_ds = round(at_s * 10)
                for device, number in self._detectors[loop]:
                    code = EventCode.DETECTOR_ON if on else EventCode.DETECTOR_OFF
                    self._rows.append((at_ds, device, code, number))
                if self._kerbs[loop]:
                    self._note_kerb(at_ds, loop, on)
            return frame

        return noted

    def _note_kerb(self, at_ds: int, loop: int, on: int) -> None:
        """Every arrival at a kerb, and once that all have left."""
        if on or loop in self._waited:
            code = EventCode.PEDESTRIAN_DETECTOR_ON if on else EventCode.PEDESTRIAN_DETECTOR_OFF
            self._rows.extend((at_ds, device, code, number) for device, number in self._kerbs[loop])
        (self._waited.add if on else self._waited.discard)(loop)

    def wished(self, wish: Wish) -> None:
        """Keep why a strategy ends a stage."""
        self._ended_by[wish.intersection] = ENDED_BY.get(wish.reason, EventCode.FORCE_OFF)

    def tick(self, now_ds: int) -> None:
        """Note what every controller shows from now on."""
        for i, (events, controller) in enumerate(
            zip(self._signals, self._controllers, strict=True)
        ):
            plan = controller.on_plan
            found: Sequence[Event] = tuple(
                events.see(
                    now_ds,
                    controller.aspects,
                    pattern=1 if plan else FREE,
                    ended_by=EventCode.FORCE_OFF if plan else self._ended_by[i],
                    flashing=controller.display is Display.FLASH,
                )
            )
            self._rows.extend((event.at_ds, i + 1, event.code, event.parameter) for event in found)

    def write(self, path: Path) -> None:
        """The three files."""
        # Loops report up to a tick late. Equal times keep the order in which they were noted.
        self._rows.sort(key=lambda row: row[0])
        _write(
            path,
            EVENT_COLUMNS,
            [(_stamp(at_ds), device, int(code), k) for at_ds, device, code, k in self._rows],
        )
        mapping, detectors = companions(path)
        _write(mapping, MAPPING_COLUMNS, self._mapping())
        _write(detectors, DETECTOR_COLUMNS, self._configuration())

    def _mapping(self) -> list[tuple[object, ...]]:
        """What each number means."""
        rows: list[tuple[object, ...]] = []
        for i, site in enumerate(self._network.intersections):
            device, name = i + 1, site.intersection_id
            rows.append((device, name, "device", device, name))
            for number, group in enumerate(site.envelope.groups, start=1):
                rows.append((device, name, "group", number, group.group_id))
            for number, loop in enumerate(self._numbers[i], start=1):
                site_loop = self._network.loops[loop]
                if site_loop.role is not LoopRole.CALL:
                    rows.append((device, name, "detector", number, site_loop.loop_id))
            for crossing in self._network.crossings:
                if crossing.intersection == i:
                    for loop in crossing.call_loops:
                        rows.append(
                            (device, name, "pedestrian-detector", crossing.group + 1,
                             self._network.loops[loop].loop_id)
                        )  # fmt: skip
            for number, plan in enumerate(site.plans, start=1):
                rows.append((device, name, "pattern", number, plan.plan_id))
            rows.append((device, name, "pattern", FREE, "free"))
        return rows

    def _configuration(self) -> list[tuple[object, ...]]:
        """Which groups the vehicles on a detector are served by."""
        network = self._network
        groups: dict[tuple[int, int], set[int]] = {}
        for lane in network.lanes:
            served = {
                network.intersections[lane.intersection].movements[m].group for m in lane.movements
            } - {-1}
            for loop in (*lane.stop_loops, *lane.advance_loops):
                groups.setdefault((lane.intersection, loop), set()).update(served)
        return [
            (i + 1, group + 1, number, function, network.loops[loop].loop_id)
            for i, loops in enumerate(self._numbers)
            for number, loop in enumerate(loops, start=1)
            for function in FUNCTIONS.get(network.loops[loop].role, ())
            for group in sorted(groups.get((i, loop), ()))
        ]


def _stamp(at_ds: int) -> str:
    """A time of the simulation as date and time of day."""
    return f"{_MIDNIGHT + timedelta(seconds=at_ds // 10):%Y-%m-%d %H:%M:%S}.{at_ds % 10}"


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
