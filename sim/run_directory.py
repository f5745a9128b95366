"""A finished run as it lies in its directory: what was run, on which network, and its files.

Read without SUMO and on any machine: nothing outside the directory is looked at.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.sim.imported import read_network

MANIFEST, MODEL, MEASURES = "run.json", "model.json", "measures.json"
DECISIONS, SIGNALS, FRAMES = "decisions.csv", "signals.csv", "frames.npz"
LEVELS = "levels.csv"
"""What each controller followed from when on, of a run over gRPC."""
DETECTORS = "detectors.csv"
COMPLETE, REPLAYED = "complete", "replayed"
"""What `status` says in the manifest of a run with SUMO, and of a replay without it."""
_COMPARE_MANIFEST = "compare.json"
_SHOWN_RUNS = 4
"""Runs of a comparison that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDirectory:
    """One finished run."""

    directory: Path
    """Where its files lie."""
    manifest: dict[str, Any]
    """Contents of run.json."""
    control: str
    """Kind of control."""
    scenario: str
    """Name of the scenario."""
    seed: int
    """Seed of SUMO's random numbers."""
    begin_s: float
    """Begin of the simulation. [s]"""
    end_s: float
    """End of the simulation. [s]"""
    step_s: float
    """Length of a tick. [s]"""

    @property
    def is_replay(self) -> bool:
        """It was made by `ampelwerk replay`."""
        return bool(self.manifest["status"] == REPLAYED)

    @property
    def separate_signals(self) -> bool:
        """Signals at a short link were each run on their own."""
        return bool(self.manifest["config"].get("separate_signals", False))

    @property
    def versions(self) -> dict[str, str]:
        """Programs that made it, and their versions."""
        return {str(k): str(v) for k, v in dict(self.manifest.get("versions", {})).items()}

    def file(self, name: str) -> Path:
        """A file of the run.

        Raises
        ------
        InvalidInputError : it is not there.
        """
        path = self.directory / name
        if not path.is_file():
            raise InvalidInputError(
                "a file of the run is missing", where=str(path), remedy="run it again"
            )
        return path

    def network(self) -> Network:
        """The network that was controlled."""
        return read_network(self.file(MODEL))


def sha256(path: Path) -> str:
    """Digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def source_sha256() -> str:
    """Digest of the source that decides how a run goes: what was measured under another is another."""
    rooms = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for room in ("models", "engine", "controllers", "sim"):
        for path in sorted((rooms / room).rglob("*.py")):
            if "report" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()


def open_run(directory: Path) -> RunDirectory:
    """Read what was run.

    Raises
    ------
    InvalidInputError : there is no run, it was cut off, or there are several.
    """
    manifest = _manifest(directory)
    path = directory / MANIFEST
    if manifest.get("status") not in (COMPLETE, REPLAYED):
        raise InvalidInputError(
            "the run was cut off before its end",
            where=str(path),
            found=f"status {manifest.get('status')}",
            limit=f"status {COMPLETE} or {REPLAYED}",
            remedy="run it again",
        )
    try:
        config = manifest["config"]
        scenario = config["scenario"]
        return RunDirectory(
            directory=directory,
            manifest=manifest,
            control=str(config["control"]),
            scenario=str(scenario["name"]),
            seed=int(config["seed"]),
            begin_s=float(scenario["begin_s"]),
            end_s=float(scenario["end_s"]),
            step_s=float(scenario["step_s"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            "the configuration of the run is incomplete",
            where=str(path),
            found=f"{type(error).__name__}: {error}",
            remedy="run it again with this version of Ampelwerk",
        ) from error


def _manifest(directory: Path) -> dict[str, Any]:
    """Contents of run.json."""
    path = directory / MANIFEST
    if not path.is_file():
        _refuse_no_run(directory)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            "the file cannot be read", where=str(path), found=str(error), remedy="run it again"
        ) from error
    if not isinstance(content, dict):
        raise InvalidInputError(
            "the file does not describe a run", where=str(path), remedy="run it again"
        )
    return content


def _refuse_no_run(directory: Path) -> None:
    """Say what stands where a run was expected."""
    limit = "a directory written by `ampelwerk simulate -o`"
    if not directory.exists():
        raise InvalidInputError(
            "there is no such directory", where=str(directory), limit=limit, remedy="check the path"
        )
    if not directory.is_dir():
        raise InvalidInputError(
            "this is no directory", where=str(directory), limit=limit, remedy="check the path"
        )
    runs = [str(path.parent) for path in sorted(directory.glob(f"runs/*/seed-*/{MANIFEST}"))]
    if runs or (directory / _COMPARE_MANIFEST).is_file():
        more = f" and {len(runs) - _SHOWN_RUNS} more" if len(runs) > _SHOWN_RUNS else ""
        raise InvalidInputError(
            "the directory holds a comparison of several runs",
            where=str(directory),
            found=(", ".join(runs[:_SHOWN_RUNS]) + more) or "none of them finished",
            limit="one run",
            remedy=f"name one of its runs, such as {runs[0]}" if runs else "let it finish first",
        )
    raise InvalidInputError(
        "the directory holds no run",
        where=str(directory),
        found=f"no {MANIFEST}",
        limit=limit,
        remedy="check the path, or name a directory with `ampelwerk simulate --output`",
    )
