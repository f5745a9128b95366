"""libsumo (in this process) and TraCI (another process, needed for the GUI) behind one interface."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any, Protocol

from ampelwerk.models.errors import InvalidInputError, MissingDependencyError, SimulationError
from ampelwerk.sim.sumo_programs import sumo_program

VehicleTimes = Callable[[str], Sequence[tuple[Any, ...]]]
"""Loop id -> what SUMO knows about vehicles on it; `sim.detectors` keeps the two times alone."""


class Street(Protocol):
    """What the closed loop needs of the simulator, and no more."""

    def step(self) -> None:
        """Let one tick pass."""

    def show(self, intersection_id: str, state: str) -> None:
        """Set the lamps of a signal."""


class Backend(Street, Protocol):
    """A simulator that runs."""

    name: str
    """libsumo or traci."""

    def loop_data(self) -> VehicleTimes:
        """The getter for loops."""

    def program(self, intersection_id: str) -> str:
        """Name of the program in force."""

    def version(self) -> str:
        """Version of the simulator."""

    def close(self) -> None:
        """Stop it; its output files are complete afterwards."""


class _SumoBackend:
    """Both backends offer the same calls: the module of libsumo, a connection of TraCI."""

    def __init__(self, name: str, api: Any, version: str) -> None:
        self.name, self._api, self._version = name, api, version
        self._set = api.trafficlight.setRedYellowGreenState
        self._error = api.TraCIException if name == "libsumo" else _traci_error()
        self._fatal = api.FatalTraCIError if name == "libsumo" else _traci_error("FatalTraCIError")
        self.step = self._step

    def _step(self) -> None:
        try:
            self._api.simulationStep()
        except (self._error, self._fatal) as error:
            raise SimulationError(
                f"SUMO stopped: {error}", remedy="read SUMO's own message above"
            ) from error

    def loop_data(self) -> VehicleTimes:
        getter: VehicleTimes = self._api.inductionloop.getVehicleData
        return getter

    def show(self, intersection_id: str, state: str) -> None:
        self._set(intersection_id, state)

    def program(self, intersection_id: str) -> str:
        return str(self._api.trafficlight.getProgram(intersection_id))

    def version(self) -> str:
        return self._version

    def close(self) -> None:
        self._api.close()


def _traci_error(name: str = "TraCIException") -> type[Exception]:
    error: type[Exception] = getattr(importlib.import_module("traci.exceptions"), name)
    return error


def _module(name: str) -> Any:
    try:
        # libsumo warns on standard output when pyarrow is there; that is for data.
        with redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(name, remedy='pip install "ampelwerk[sumo]"') from error


def start_backend(kind: str, options: Sequence[str], *, gui: bool = False) -> Backend:
    """Start SUMO with command-line options.

    Parameters
    ----------
    kind : ``libsumo`` or ``traci``.
    options : SUMO's command line without the program's name.
    gui : open SUMO's window; needs ``traci``.

    Raises
    ------
    InvalidInputError : a window is asked for where there is no screen.
    SimulationError : SUMO refused its input; its own message is on standard error.
    MissingDependencyError : SUMO is not installed.
    """
    refused = "SUMO refused its input"
    remedy = "read SUMO's own message above"
    if kind == "libsumo" and not gui:
        api = _module("libsumo")
        try:
            version = api.start(["sumo", *options])[1]
        except Exception as error:
            raise SimulationError(f"{refused}: {error}", remedy=remedy) from error
        return _SumoBackend("libsumo", api, version)
    if gui and sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        # SUMO ends at once, and traci would look for it for a minute.
        raise InvalidInputError(
            "there is no screen for SUMO's window",
            where="--gui",
            found="DISPLAY is not set",
            remedy="run it where windows can be shown, or without --gui",
        )
    traci = _module("traci")
    program = str(sumo_program("sumo-gui" if gui else "sumo"))
    label = f"ampelwerk-{id(options)}"
    shown = ["--start", "--quit-on-end"] if gui else []
    try:
        # Neither SUMO nor traci's "Retrying" may speak on standard output: that is for data.
        with redirect_stdout(sys.stderr):
            started = traci.start([program, *options, *shown], label=label, stdout=sys.stderr)
        version = started[1]
    except Exception as error:
        raise SimulationError(f"{refused}: {error}", remedy=remedy) from error
    return _SumoBackend("traci", traci.getConnection(label), version)
