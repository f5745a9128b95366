"""A recorded run again, without SUMO: the same loops, the same engine, the same local controllers.

The closed loop runs as ever, only that no simulator stands behind it: each tick takes its edges
from the record, and the lamps are noted instead of shown. With the control that was recorded the
same decisions must come out. Another control decides on what the loops saw under the recorded
one, which is not what they would have seen had it been in charge.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.sim.closed_loop import ClosedLoop
from ampelwerk.sim.controls import NATIVE, controlled_network, in_process, loop_roles
from ampelwerk.sim.decisions import Decision, decisions_csv
from ampelwerk.sim.imported import network_json
from ampelwerk.sim.recording import FORMAT, HeardLoops, RecordedFrames, read_frames
from ampelwerk.sim.run_directory import (
    DECISIONS,
    FRAMES,
    MANIFEST,
    MODEL,
    REPLAYED,
    SIGNALS,
    RunDirectory,
    sha256,
)

_COMPARED_VERSIONS = ("ampelwerk", "numba", "numpy")
"""What the engine's numbers depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a recorded run left for a replay."""

    run: RunDirectory
    """The run."""
    network: Network
    """The network that was controlled, every signal for itself."""
    frames: RecordedFrames
    """What the loops reported."""
    decisions: bytes
    """Contents of decisions.csv."""
    decisions_untouched: bool
    """decisions.csv is still the file that the run wrote."""

    @property
    def other_versions(self) -> dict[str, tuple[str, str]]:
        """Program -> version that recorded, version here, where they differ."""
        recorded = self.run.versions
        return {
            name: (recorded.get(name, "unknown"), here)
            for name, here in _versions().items()
            if name in _COMPARED_VERSIONS and recorded.get(name) != here
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came out of a replay."""

    control: str
    """Kind of control that decided."""
    decisions: list[Decision]
    """All decisions, by time."""
    content: bytes
    """The same as decisions.csv."""
    signals: bytes
    """What the lamps would have shown, as signals.csv."""


def open_record(run: RunDirectory) -> Record:
    """Read and check the record of a run.

    Raises
    ------
    InvalidInputError : there is none, or it is not what the run wrote.
    """
    if run.is_replay:
        of = run.manifest.get("replay", {}).get("of", "the recorded run")
        raise InvalidInputError(
            "this is itself a replay and holds no record",
            where=str(run.directory),
            remedy=f"replay the run it was made from: {of}",
        )
    record = run.manifest.get("record")
    if run.control == NATIVE or not isinstance(record, dict):
        raise InvalidInputError(
            "the run kept no record of its loops",
            where=str(run.directory),
            found=f"no record in {MANIFEST}, control {run.control}",
            remedy="run `ampelwerk simulate` with --record"
            + (", under another control than native" if run.control == NATIVE else ""),
        )
    if record.get("format") != FORMAT:
        raise InvalidInputError(
            "the record has a layout that this version does not know",
            where=str(run.directory / MANIFEST),
            found=f"format {record.get('format')}",
            limit=f"format {FORMAT}",
            remedy=f"replay it with ampelwerk {run.versions.get('ampelwerk', '')}, which made it",
        )
    known = record.get("sha256")
    known = known if isinstance(known, dict) else {}
    for name in (FRAMES, MODEL):
        _require_untouched(run.file(name), known.get(name))
    network = run.network()
    frames = read_frames(run.file(FRAMES), network)
    _require_same_time(run, frames)
    path = run.file(DECISIONS)
    return Record(
        run=run,
        network=network,
        frames=frames,
        decisions=path.read_bytes(),
        decisions_untouched=sha256(path) == known.get(DECISIONS),
    )


def _require_untouched(path: Path, expected: str | None) -> None:
    found = sha256(path)
    if found != expected:
        raise InvalidInputError(
            "the file is not the one the run wrote: cut short, damaged or changed since",
            where=str(path),
            found=f"SHA-256 {found}",
            limit=f"SHA-256 {expected or 'missing'}, as in {MANIFEST}",
            remedy="copy it again from where it was recorded, or record the run again",
        )


def _require_same_time(run: RunDirectory, frames: RecordedFrames) -> None:
    """The record covers exactly the run."""
    ticks = -(-round((run.end_s - run.begin_s) * 10) // round(run.step_s * 10))
    found = (frames.begin_s, frames.step_s, frames.ticks)
    if found != (run.begin_s, run.step_s, ticks):
        raise InvalidInputError(
            "the record does not cover the run",
            where=str(run.directory / FRAMES),
            found=f"from {found[0]:.15g} s, {found[2]} ticks of {found[1]:g} s",
            limit=f"from {run.begin_s:.15g} s, {ticks} ticks of {run.step_s:g} s",
            remedy="record the run again",
        )


class NotedLamps:
    """Takes SUMO's place: nothing moves, and what the lamps would show is written down."""

    def __init__(self, begin_s: float, step_s: float, end_s: float) -> None:
        self._now_ds, self._step_ds = round(begin_s * 10), round(step_s * 10)
        self._end_ds = round(end_s * 10)
        self.rows: list[tuple[str, str, str]] = []

    def step(self) -> None:
        """One tick on."""
        self._now_ds += self._step_ds

    def show(self, intersection_id: str, state: str) -> None:
        """Write a state down."""
        if self._now_ds < self._end_ds:
            self.rows.append((f"{self._now_ds / 10:.2f}", intersection_id, state))


def replay(
    record: Record, control: str, *, progress: Callable[[float], None] = lambda share: None
) -> Replayed:
    """Let a control decide on the recorded loops.

    Parameters
    ----------
    progress : told the share of time done, 0 to 1.
    """
    run, network = record.run, record.network
    street = NotedLamps(run.begin_s, run.step_s, run.end_s)
    controlled = controlled_network(control, network, separate=run.separate_signals)
    loop = ClosedLoop(controlled, street, begin_s=run.begin_s, step_s=run.step_s)
    recorded, heard = record.frames.reader(), HeardLoops(network, loop_roles(control))

    def tell(now_s: float) -> None:
        if now_s % 100 == 0:
            progress((now_s - run.begin_s) / (run.end_s - run.begin_s))

    with in_process(control, loop) as link:
        loop.run(run.end_s, link, lambda now_s: heard.of(recorded(now_s)), tick=tell)
    return Replayed(
        control=control,
        decisions=loop.decisions,
        content=decisions_csv(loop.decisions, loop.network),
        signals=_signals_csv(street.rows),
    )


def _signals_csv(rows: list[tuple[str, str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "intersection", "state"])
    writer.writerows(rows)
    return text.getvalue().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first line in which two decisions.csv differ."""

    line: int
    """Counted from 1."""
    recorded: str
    """As recorded; empty if there is none."""
    replayed: str
    """As replayed; empty if there is none."""


def first_difference(record: Record, replayed: Replayed) -> Difference | None:
    """Where the decisions part from the recorded ones; None if every byte is the same."""
    if record.decisions == replayed.content:
        return None
    lines = itertools.zip_longest(
        record.decisions.decode(errors="replace").split("\n"),
        replayed.content.decode().split("\n"),
        fillvalue="",
    )
    for number, (recorded, here) in enumerate(lines, 1):
        if recorded != here:
            return Difference(line=number, recorded=recorded, replayed=here)
    return Difference(line=1, recorded="bytes that are no text", replayed="")


def write_replay(record: Record, replayed: Replayed, directory: Path) -> None:
    """A directory that `ampelwerk explain` reads like a run's."""
    run = record.run
    (directory / MODEL).write_bytes(network_json(record.network))
    (directory / SIGNALS).write_bytes(replayed.signals)
    (directory / DECISIONS).write_bytes(replayed.content)
    manifest: dict[str, Any] = {
        "status": REPLAYED,
        "config": {**run.manifest["config"], "control": replayed.control},
        "versions": _versions(),
        "replay": {
            "of": str(run.directory.absolute()),
            "recorded_control": run.control,
            "recorded_versions": run.versions,
        },
    }
    (directory / MANIFEST).write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _versions() -> dict[str, str]:
    """Versions here."""
    return {"python": platform.python_version()} | {
        name: version(name) for name in _COMPARED_VERSIONS
    }
