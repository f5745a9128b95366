"""Our own small network: an arterial with five signals, side streets, crossings and a bus line.

It ships as plain node, edge, crossing, program and demand files. netconvert builds the net from
them once, into a folder of the user's cache that is named after the sources and the SUMO version.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ampelwerk.models.errors import SimulationError
from ampelwerk.sim.sumo_programs import sumo_program

SOURCES = Path(__file__).parent / "data" / "corridor"
CONFIGURATION = "corridor.sumocfg"
NETCONVERT_OPTIONS = (
    "--node-files", "corridor.nod.xml", "--edge-files", "corridor.edg.xml",
    "--connection-files", "corridor.con.xml", "--tllogic-files", "corridor.tll.xml",
    "--walkingareas", "--no-turnarounds", "--output-file", "corridor.net.xml",
)  # fmt: skip


def cache_directory() -> Path:
    """Where the user's programs keep what they can make again."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if Path(chosen).is_absolute():  # a relative one is to be ignored (XDG base directories)
        return Path(chosen) / "ampelwerk"
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "ampelwerk"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ampelwerk"
    return Path.home() / ".cache" / "ampelwerk"


def build_corridor(cache: Path | None = None) -> Path:
    """The corridor's .sumocfg, built if it is not there yet.

    Parameters
    ----------
    cache : folder to build in; by default the user's cache.

    Raises
    ------
    MissingDependencyError : SUMO is not installed.
    SimulationError : netconvert failed, or the folder cannot be written.
    """
    netconvert = sumo_program("netconvert")
    folder = (cache or cache_directory()) / f"corridor-{_fingerprint(netconvert)}"
    if not (folder / CONFIGURATION).is_file():
        try:
            _build(netconvert, folder)
        except OSError as error:
            raise SimulationError(
                f"the corridor cannot be built: {error.strerror}",
                where=str(folder),
                remedy="set XDG_CACHE_HOME to a folder that can be written",
            ) from error
    return folder / CONFIGURATION


def _build(netconvert: Path, folder: Path) -> None:
    """Build beside the folder and move it into place whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        work = Path(made) / "corridor"
        shutil.copytree(SOURCES, work)
        _convert(netconvert, work)
        try:
            work.replace(folder)
        except OSError:
            # Another process was quicker; what it built is the same.
            if not (folder / CONFIGURATION).is_file():
                raise


def _convert(netconvert: Path, folder: Path) -> None:
    """Build the net from its plain files."""
    result = subprocess.run(
        [str(netconvert), *NETCONVERT_OPTIONS],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines()
        raise SimulationError(
            f"netconvert failed: {lines[-1] if lines else 'it said nothing'}", where="corridor"
        )


def _fingerprint(netconvert: Path) -> str:
    """Sources, options and the netconvert that is used, in a few letters."""
    told = subprocess.run(
        [str(netconvert), "--version"], capture_output=True, text=True, check=False
    )
    digest = hashlib.sha256("\0".join((*NETCONVERT_OPTIONS, told.stdout)).encode())
    for path in sorted(SOURCES.glob("*.*")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
