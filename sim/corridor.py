"""Our own small network: an arterial with five signals, side streets, crossings and a bus line.

It ships as plain node, edge, program and demand files. netconvert builds the net from them once,
into a folder of the user's cache that is named after the sources and the version of SUMO.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ampelwerk.models.errors import SimulationError
from ampelwerk.sim.sumo_programs import sumo_program

SOURCES = Path(__file__).parent / "data" / "corridor"
CONFIGURATION = "corridor.sumocfg"


def cache_directory() -> Path:
    """Where the user's programs keep what they can make again."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "ampelwerk"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ampelwerk"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ampelwerk"


def build_corridor(cache: Path | None = None) -> Path:
    """The corridor's .sumocfg, built if it is not there yet.

    Raises
    ------
    MissingDependencyError : SUMO is not installed.
    SimulationError : netconvert failed.
    """
    folder = (cache or cache_directory()) / f"corridor-{_fingerprint()}"
    if (folder / CONFIGURATION).is_file():
        return folder / CONFIGURATION
    netconvert = sumo_program("netconvert")
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
    return folder / CONFIGURATION


def _convert(netconvert: Path, folder: Path) -> None:
    """Build the net from its plain files."""
    result = subprocess.run(
        [
            str(netconvert), "--node-files", "corridor.nod.xml", "--edge-files",
            "corridor.edg.xml", "--crossings.guess", "--walkingareas", "--no-turnarounds",
            "--output-file", "corridor.net.xml",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if result.returncode:
        raise SimulationError(
            f"netconvert failed: {result.stderr.strip().splitlines()[-1:]}", where="corridor"
        )


def _fingerprint() -> str:
    """Sources and SUMO version in a few letters."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*")):
        digest.update(path.name.encode() + path.read_bytes())
    try:
        digest.update(version("eclipse-sumo").encode())
    except PackageNotFoundError:
        digest.update(b"another SUMO")
    return digest.hexdigest()[:12]
