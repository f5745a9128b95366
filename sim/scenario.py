"""A scenario: net, demand, times, and SUMO options, from a name, a .sumocfg or a net.

Begin, end, step length and relative paths come from the .sumocfg, as in SUMO; without an end it is
the last departure plus an hour. What concerns SUMO's own output, reports and random numbers is
ours to set; every other option is passed on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError, parse

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.catalogue import configuration_of
from ampelwerk.sim.demand import Demand, read_demand
from ampelwerk.sim.net_file import elements, open_xml, read_net
from ampelwerk.sim.sumo_time import seconds

AFTER_LAST_DEPARTURE_S = 3600.0
"""Time simulated after the last departure where the scenario names no end. [s]"""
_SYNONYM = {
    "n": "net-file",
    "net": "net-file",
    "r": "route-files",
    "routes": "route-files",
    "a": "additional-files",
    "additional": "additional-files",
    "b": "begin",
    "e": "end",
}
_OURS = frozenset({
    "net-file", "route-files", "additional-files", "begin", "end", "step-length", "seed", "random",
    "random-depart-offset-seed", "time-to-teleport", "time-to-teleport.highways", "remote-port",
    "num-clients", "verbose", "print-options", "no-step-log", "step-log.period", "log",
    "message-log", "error-log", "duration-log.disable", "duration-log.statistics", "no-warnings",
    "aggregate-warnings", "xml-validation", "gui-settings-file", "start", "quit-on-end",
    "configuration-file", "collision.action", "collision.check-junctions", "collision.stoptime",
    "load-state", "window-size", "window-pos", "delay", "demo", "game", "breakpoints",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What SUMO is to simulate."""

    name: str
    """Name for tables: the catalogue's, or the file's."""
    net_file: Path
    """The net."""
    route_files: tuple[Path, ...]
    """Demand."""
    additional_files: tuple[Path, ...]
    """Additional files of the scenario."""
    begin_s: float
    """Begin. [s]"""
    end_s: float
    """End. [s]"""
    step_s: float
    """Step length; divides 1 s. [s]"""
    options: tuple[str, ...] = ()
    """Further SUMO options of the scenario."""
    dropped_trips: int = 0
    """Trips due before begin; SUMO drops them."""
    vehicle_class: tuple[tuple[str, str], ...] = ()
    """(vType, vClass) of the demand."""

    @property
    def input_files(self) -> tuple[Path, ...]:
        """All files that are read."""
        return (self.net_file, *self.route_files, *self.additional_files)

    def sumo_options(self, additional_files: Sequence[str]) -> list[str]:
        """SUMO's command line for the inputs and times, with these additional files instead."""
        options = ["--net-file", str(self.net_file)]
        if self.route_files:
            options += ["--route-files", ",".join(map(str, self.route_files))]
        if additional_files:
            options += ["--additional-files", ",".join(additional_files)]
        return [
            *options,
            "--begin",
            f"{self.begin_s:g}",
            "--end",
            f"{self.end_s:g}",
            "--step-length",
            f"{self.step_s:g}",
            *self.options,
        ]


def resolve(
    scenario: str,
    *,
    routes: Sequence[Path] = (),
    additional: Sequence[Path] = (),
    begin_s: float | None = None,
    end_s: float | None = None,
) -> Scenario:
    """The scenario of a catalogue name, a .sumocfg, or a net with demand.

    Raises
    ------
    InvalidInputError : a file is missing or broken, begin is not before end, the step length does
        not divide a second, the demand is empty or belongs to another net.
    """
    path = Path(scenario)
    options: dict[str, str] = {}
    folder = Path()
    if scenario.endswith((".net.xml", ".net.xml.gz")):
        name = path.name.split(".net.xml")[0]
        net, route_files, additional_files = path, list(routes), list(additional)
        if not route_files:
            raise InvalidInputError(
                "a net alone has no demand", where=scenario, remedy="add --route-files FILE"
            )
    else:
        is_file = scenario.endswith((".sumocfg", ".xml", ".cfg")) or path.is_file()
        configuration = path if is_file else configuration_of(scenario)
        name = configuration.name.removesuffix(".sumocfg") if is_file else scenario
        options = read_configuration(configuration)
        folder = configuration.parent
        if "net-file" not in options:
            raise InvalidInputError("the configuration names no net-file", where=str(configuration))
        net = folder / options["net-file"]
        route_files = _paths(folder, options.get("route-files", "")) + list(routes)
        additional_files = _paths(folder, options.get("additional-files", "")) + list(additional)
    return _complete(name, net, route_files, additional_files, options, begin_s, end_s)


def _complete(
    name: str,
    net: Path,
    route_files: list[Path],
    additional_files: list[Path],
    options: dict[str, str],
    begin_s: float | None,
    end_s: float | None,
) -> Scenario:
    """Check the inputs against each other and fill in what is left out."""
    _refuse_missing(additional_files)
    step_s = _time(options, "step-length", 1.0)
    if step_s <= 0 or abs(1 / step_s - round(1 / step_s)) > 1e-9 or round(step_s * 10, 6) % 1:
        raise InvalidInputError(
            "this step length cannot be controlled",
            where=name,
            found=f"{step_s:g} s",
            limit="1, 0.5, 0.2 or 0.1 s",
            remedy="set step-length in the .sumocfg",
        )
    begin = _time(options, "begin", 0.0) if begin_s is None else begin_s
    edges = set(read_net(net).edges)
    edges |= {e.get("id", "") for p in additional_files for e in elements(p, ("taz",))}
    end = _time(options, "end", -1.0) if end_s is None else end_s
    demand = read_demand([*route_files, *additional_files], begin, end if end >= 0 else None, edges)
    if end < 0:
        end = demand.last_departure_s + AFTER_LAST_DEPARTURE_S
    if begin >= end:
        raise InvalidInputError(
            "the simulation ends before it begins",
            where=name,
            found=f"begin {begin:g} s, end {end:g} s",
            limit="begin before end",
            remedy="check --begin and --end",
        )
    _refuse_empty(name, demand, begin, end, route_files)
    # What begins is simulated: an end within a step is the end of that step.
    end = begin + math.ceil(round((end - begin) / step_s, 6)) * step_s
    return Scenario(
        name=name,
        net_file=net.absolute(),
        route_files=tuple(path.absolute() for path in route_files),
        additional_files=tuple(path.absolute() for path in additional_files),
        begin_s=begin,
        end_s=end,
        step_s=step_s,
        options=tuple(_passed_on(options, net.parent)),
        dropped_trips=demand.before_begin,
        vehicle_class=tuple(sorted((demand.vehicle_class or {}).items())),
    )


def _refuse_empty(
    name: str, demand: Demand, begin_s: float, end_s: float, route_files: Sequence[Path]
) -> None:
    if not demand.due:
        raise InvalidInputError(
            "the demand is empty: nobody departs",
            where=", ".join(map(str, route_files)) or name,
            found=f"{demand.travellers} trips and flows, none of them in this time",
            limit=f"at least one departure between {begin_s:g} and {end_s:g} s",
            remedy="check the route files and --begin",
        )


def read_configuration(path: Path) -> dict[str, str]:
    """Options of a .sumocfg by their long names."""
    try:
        with open_xml(path) as file:
            root = parse(file).getroot()
    except ParseError as error:
        raise InvalidInputError(
            "the configuration is no complete XML", where=str(path), found=str(error)
        ) from error
    options: dict[str, str] = {}
    for option in root.iter():
        value = option.get("value", option.get("v"))
        if value is not None:
            options[_SYNONYM.get(option.tag, option.tag)] = value
    return options


def _passed_on(options: dict[str, str], folder: Path) -> list[str]:
    """Options that are the scenario's to set."""
    passed = []
    for name, value in options.items():
        if name in _OURS or "output" in name or name.startswith(("fcd-", "tripinfo", "vehroute")):
            continue
        passed += [f"--{name}", value]
    return passed


def _paths(folder: Path, text: str) -> list[Path]:
    """Files of a list; commas part them, as in SUMO, and names may hold blanks."""
    return [folder / part.strip() for part in text.split(",") if part.strip()]


def _refuse_missing(paths: Sequence[Path]) -> None:
    for path in paths:
        with open_xml(path):
            pass


def _time(options: dict[str, str], name: str, default_s: float) -> float:
    if name not in options:
        return default_s
    value = seconds(options[name])
    if value is None:
        raise InvalidInputError("this is no time", where=name, found=options[name])
    return value
