"""frames.npz: every edge that the loops of a run reported, so that its decisions can be made again.

A compressed NumPy archive, read with ``numpy.load``, one entry per edge in the order reported:

=========  ==========================  =====================================================
member     shape, type                 meaning
=========  ==========================  =====================================================
format     (), int64                   version of this layout, `FORMAT`
begin_s    (), float64                 begin of the simulation [s]
step_s     (), float64                 length of a tick [s]
loops      (loops,), text              names of the loops, in the order of model.json
edges      (ticks,), int32             edges of each tick; tick k ends at begin + (k + 1) step
loop       (all edges,), int32         index of the loop
at_s       (all edges,), float64       time of the edge, exactly as control saw it [s]
on         (all edges,), int8          1 where a vehicle arrives, 0 where it has left
=========  ==========================  =====================================================

All loops are recorded, also those the control of the run does not read: another control can be
asked later what it would have decided. Everything else a decision depends on is in model.json or
follows from the decisions before, since the local controllers are deterministic.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.sim.controls import NATIVE

FORMAT = 1
"""Version of the layout."""
_DAMAGE = (
    BadZipFile, zlib.error, OSError, EOFError, AttributeError, KeyError, TypeError, ValueError,
)  # fmt: skip
"""What reading a broken archive, or a file that is none, ends with."""
Read = Callable[[float], DetectorFrame]
"""Time -> the edges since the call before."""


def refuse_native(control: str, option: str = "--record") -> None:
    """Under `native` no loops are read and nothing is decided: nothing to record or override."""
    if control == NATIVE:
        raise InvalidInputError(
            "native reads no loops and decides nothing that could be recorded or overridden",
            where=option,
            found=f"--control {control}",
            limit="any other kind of control",
            remedy="use --control fixed: the scenario's program, carried out by us",
        )


class HeardLoops:
    """Keeps of a frame what a control reads.

    Parameters
    ----------
    roles : loops the control reads.
    """

    def __init__(self, network: Network, roles: Collection[LoopRole]) -> None:
        self._heard = [loop.role in roles for loop in network.loops]
        self._all = all(self._heard)

    def of(self, frame: DetectorFrame) -> DetectorFrame:
        """The frame without the loops that are not read."""
        if self._all:
            return frame
        kept = [k for k, loop in enumerate(frame.loop) if self._heard[loop]]
        return DetectorFrame(
            time_s=frame.time_s,
            loop=array("q", [frame.loop[k] for k in kept]),
            at_s=array("d", [frame.at_s[k] for k in kept]),
            on=array("q", [frame.on[k] for k in kept]),
        )


class FrameRecorder:
    """Stands between the loops and a control, and keeps what passes.

    Parameters
    ----------
    read : reads all loops.
    roles : loops that the control reads.
    """

    def __init__(self, network: Network, read: Read, roles: Collection[LoopRole]) -> None:
        self._network, self._read = network, read
        self._heard = HeardLoops(network, roles)
        self._edges, self._loop, self._on = array("q"), array("q"), array("q")
        self._at_s = array("d")

    def read(self, now_s: float) -> DetectorFrame:
        """The edges since the call before, for the control."""
        frame = self._read(now_s)
        self._edges.append(len(frame.loop))
        self._loop.extend(frame.loop)
        self._at_s.extend(frame.at_s)
        self._on.extend(frame.on)
        return self._heard.of(frame)

    def write(self, path: Path, *, begin_s: float, step_s: float) -> None:
        """Keep the record."""
        np.savez_compressed(
            path,
            format=np.int64(FORMAT),
            begin_s=np.float64(begin_s),
            step_s=np.float64(step_s),
            loops=np.array([str(loop.loop_id) for loop in self._network.loops], dtype=np.str_),
            edges=np.asarray(self._edges, dtype=np.int32),
            loop=np.asarray(self._loop, dtype=np.int32),
            at_s=np.asarray(self._at_s, dtype=np.float64),
            on=np.asarray(self._on, dtype=np.int8),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFrames:
    """What the loops reported in a run."""

    begin_s: float
    """Begin of the simulation. [s]"""
    step_s: float
    """Length of a tick. [s]"""
    first: NDArray[np.int64]
    """(ticks + 1,) index of the first edge of each tick."""
    loop: NDArray[np.int32]
    """(edges,) index of the loop."""
    at_s: NDArray[np.float64]
    """(edges,) time. [s]"""
    on: NDArray[np.int8]
    """(edges,) 1 for a rising edge."""

    @property
    def ticks(self) -> int:
        """Number of ticks."""
        return len(self.first) - 1

    def reader(self) -> Read:
        """Reads tick after tick, as if they were reported now."""
        ticks = iter(range(self.ticks))

        def read(now_s: float) -> DetectorFrame:
            tick = next(ticks)
            edges = slice(self.first[tick], self.first[tick + 1])
            return DetectorFrame(
                time_s=now_s,
                loop=array("q", self.loop[edges].tolist()),
                at_s=array("d", self.at_s[edges].tolist()),
                on=array("q", self.on[edges].tolist()),
            )

        return read


def read_frames(path: Path, network: Network) -> RecordedFrames:
    """The record of a run.

    Raises
    ------
    InvalidInputError : it is cut short, damaged, of another layout or of another network.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = int(archive["format"])
            if found != FORMAT:
                raise InvalidInputError(
                    "the record has a layout that this version does not know",
                    where=str(path),
                    found=f"format {found}",
                    limit=f"format {FORMAT}",
                    remedy="replay it with the version of Ampelwerk that recorded it",
                )
            content: dict[str, Any] = {name: archive[name] for name in archive.files}
        frames = _frames(content)
        _check(content, frames, network)
    except _DAMAGE as error:
        raise InvalidInputError(
            "the record of the loops is cut short or damaged",
            where=str(path),
            found=f"{type(error).__name__}: {error}",
            remedy="copy it again from where it was recorded, or record the run again",
        ) from error
    return frames


def _frames(content: dict[str, Any]) -> RecordedFrames:
    """The archive's members by what they mean."""
    edges = np.asarray(content["edges"], dtype=np.int64)
    return RecordedFrames(
        begin_s=float(content["begin_s"]),
        step_s=float(content["step_s"]),
        first=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(edges)]),
        loop=np.asarray(content["loop"], dtype=np.int32),
        at_s=np.asarray(content["at_s"], dtype=np.float64),
        on=np.asarray(content["on"], dtype=np.int8),
    )


def _check(content: dict[str, Any], frames: RecordedFrames, network: Network) -> None:
    """Raise ValueError where the members contradict each other or the network."""
    size = int(frames.first[-1])
    if not len(frames.loop) == len(frames.at_s) == len(frames.on) == size:
        raise ValueError(
            f"{size} edges counted, {len(frames.loop)} loops, {len(frames.at_s)} times and "
            f"{len(frames.on)} directions found"
        )
    if np.any(np.diff(frames.first) < 0):
        raise ValueError("a tick with a negative number of edges")
    names = [str(loop.loop_id) for loop in network.loops]
    if [str(name) for name in content["loops"]] != names:
        raise ValueError("its loops are not those of model.json")
    if size and not 0 <= int(frames.loop.min()) <= int(frames.loop.max()) < len(names):
        raise ValueError("an edge of a loop that does not exist")
    if not np.all(np.isfinite(frames.at_s)) or not np.all((frames.on == 0) | (frames.on == 1)):
        raise ValueError("an edge without a time or a direction")
