"""Scenarios that can be run by name: our own corridor, and the RESCO networks where installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ampelwerk.models.errors import InvalidInputError, MissingDependencyError
from ampelwerk.sim.corridor import build_corridor

CORRIDOR = "corridor"
RESCO = (
    "cologne1",
    "cologne3",
    "cologne8",
    "ingolstadt1",
    "ingolstadt7",
    "ingolstadt21",
    "grid4x4",
    "arterial4x4",
)
"""The networks of Ault & Sharon (2021), installed inside the sumo-rl wheel."""
NETWORKS_REMEDY = 'pip install "ampelwerk[networks]"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A name of the catalogue."""

    name: str
    """Name on the command line."""
    source: str
    """Where it comes from."""
    available: bool
    """It can be run here."""
    remedy: str
    """How to get it."""


def _resco_folder() -> Path | None:
    """Folder of the RESCO networks, None if the extra is not installed."""
    spec = importlib.util.find_spec("sumo_rl")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "nets" / "RESCO"
    return folder if folder.is_dir() else None


def catalogue() -> list[Entry]:
    """All names."""
    folder = _resco_folder()
    own = Entry(name=CORRIDOR, source="ships with Ampelwerk", available=True, remedy="")
    return [
        own,
        *(
            Entry(
                name=name,
                source="RESCO, from the sumo-rl package",
                available=folder is not None and (folder / name / f"{name}.sumocfg").is_file(),
                remedy=NETWORKS_REMEDY,
            )
            for name in RESCO
        ),
    ]


def configuration_of(name: str) -> Path:
    """The .sumocfg of a name.

    Raises
    ------
    InvalidInputError : no such name.
    MissingDependencyError : the extra with the networks is not installed.
    """
    if name == CORRIDOR:
        return build_corridor()
    if name in RESCO:
        folder = _resco_folder()
        if folder is None:
            raise MissingDependencyError(f"the network {name}", remedy=NETWORKS_REMEDY)
        return folder / name / f"{name}.sumocfg"
    near = get_close_matches(name, [CORRIDOR, *RESCO], n=1)
    raise InvalidInputError(
        "no such scenario",
        where=name,
        limit="a name from `ampelwerk scenarios`, a .sumocfg, or a .net.xml with --route-files",
        remedy=f"did you mean {near[0]}?" if near else "check the name or the path",
    )
