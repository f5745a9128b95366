"""`ampelwerk doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ampelwerk.cli.failure import DEPENDENCY_MISSING, OK

_NEEDED = ("numba", "numpy", "networkx", "scipy", "matplotlib", "jinja2", "pydantic")
_SUMO = ("libsumo", "traci", "sumolib", "eclipse-sumo")
_OPTIONAL = (("sumo-rl", "networks"), ("distributed", "cluster"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that was looked at."""

    name: str
    """What."""
    found: str
    """Version or place; empty if missing."""
    needed: bool
    """Without it simulation is not possible."""
    remedy: str = ""
    """How to get it."""


def _package(name: str, *, needed: bool, extra: str) -> Item:
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found = ""
    where = (
        f'pip install "ampelwerk[{extra}]"' if extra else "pip install --force-reinstall ampelwerk"
    )
    return Item(name=name, found=found, needed=needed, remedy="" if found else where)


def _sumo_program(name: str) -> Item:
    from ampelwerk.models.errors import MissingDependencyError
    from ampelwerk.sim.sumo_programs import sumo_program

    try:
        return Item(name=name, found=str(sumo_program(name)), needed=name != "sumo-gui")
    except MissingDependencyError as error:
        return Item(name=name, found="", needed=name != "sumo-gui", remedy=error.remedy)


def doctor(*, as_json: bool) -> int:
    """Print what was found; exit code 4 if something needed is missing."""
    items = [
        Item(name="ampelwerk", found=importlib.metadata.version("ampelwerk"), needed=True),
        Item(name="python", found=platform.python_version(), needed=True),
        Item(name="platform", found=platform.platform(), needed=True),
        Item(name="cores", found=str(os.cpu_count() or 1), needed=True),
        *(_package(name, needed=True, extra="") for name in _NEEDED),
        *(_package(name, needed=True, extra="sumo") for name in _SUMO),
        *(_sumo_program(name) for name in ("sumo", "netconvert", "sumo-gui")),
        *(_package(name, needed=False, extra=extra) for name, extra in _OPTIONAL),
    ]
    missing = [item for item in items if item.needed and not item.found]
    if as_json:
        print(json.dumps({"items": [asdict(item) for item in items], "ok": not missing}, indent=2))
    else:
        table = Table("", "found", "remedy", box=None)
        for item in items:
            absent = Text("missing", "red") if item.needed else Text("not installed", "yellow")
            # Remedies name extras in brackets, which are no markup.
            table.add_row(item.name, Text(item.found) if item.found else absent, Text(item.remedy))
        console = Console()
        console.print(table)
        console.print("All that is needed is here." if not missing else "Something is missing.")
    return DEPENDENCY_MISSING if missing else OK
