"""`--link grpc`: the closed loop through a real server and real clients on this machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ampelwerk.controllers.certificates import utc_now
from ampelwerk.controllers.control import Control
from ampelwerk.controllers.frame_border import FrameBorder
from ampelwerk.controllers.lockstep import Lockstep
from ampelwerk.controllers.lockstep_desk import LockstepDesk
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.closed_loop import ClosedLoop
from ampelwerk.sim.controls import connect
from ampelwerk.sim.link import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The lines of all controllers are cut for a while."""

    from_s: float
    """When, after begin. [s]"""
    length_s: float
    """For how long. [s]"""


def outage_of(text: str, run_s: float) -> Outage:
    """An outage in the words of the command line, FROM:LENGTH in seconds, within a run of this length."""
    try:
        from_s, length_s = (float(part) for part in text.split(":"))
    except ValueError:
        from_s, length_s = -1.0, 0.0
    if not (0.0 <= from_s < 1e7 and 1.0 <= length_s < 1e7):
        raise InvalidInputError(
            "this is no outage",
            where="--outage",
            found=text,
            limit="FROM:LENGTH in seconds, such as 600:60; FROM 0 or more, LENGTH 1 or more",
        )
    if from_s >= run_s:
        raise InvalidInputError(
            "the run is over before the lines are cut",
            where="--outage",
            found=text,
            limit=f"FROM below {run_s:g}",
            remedy="FROM counts from the begin of the run, not from midnight",
        )
    return Outage(from_s=from_s, length_s=length_s)


class GrpcLink:
    """A closed loop's link through the wire."""

    def __init__(
        self,
        lockstep: Lockstep,
        control: Control,
        begin_s: float,
        outage: Outage | None,
        desk: LockstepDesk | None,
    ) -> None:
        self.desk = desk
        """The control room's, over the wire; None without overrides."""
        self._lockstep, self._control = lockstep, control
        self._sites = range(len(lockstep.roadsides))
        self._cut_ds = self._mend_ds = -1
        if outage is not None:
            self._cut_ds = round((begin_s + outage.from_s) * 10)
            self._mend_ds = self._cut_ds + round(outage.length_s * 10)

    @property
    def border(self) -> FrameBorder:
        """The server's frame border."""
        return self._lockstep.city.border

    @property
    def alarms(self) -> Sequence[LoopAlarm]:
        """Loops found faulty or believed again, by time."""
        return self._control.alarms

    def exchange(self, frame: DetectorFrame | None, now_ds: int) -> Sequence[Wish]:
        """Edges up, schedules down."""
        if self._cut_ds >= 0 and now_ds >= self._cut_ds:
            self._lockstep.cut(self._sites)
            self._cut_ds = -1
        if self._cut_ds < 0 <= self._mend_ds <= now_ds:
            self._lockstep.mend(self._sites)
            self._mend_ds = -1
        return self._lockstep.exchange(frame, now_ds)

    def report(self, changed: Sequence[int], now_ds: int) -> None:
        """Signal states up."""
        self._lockstep.report(changed)


class GrpcLinks:
    """Opens links through the wire and keeps what the controllers followed.

    Parameters
    ----------
    outage : when the lines are cut, None for never.
    """

    def __init__(self, outage: Outage | None = None) -> None:
        self._outage = outage
        self.store: Path | None = None
        """File of overrides and audit, new; None: nobody asks for overrides."""
        self.levels: list[tuple[float, str, str, str]] = []
        """(time [s], intersection, level, cause) of every change of the last run."""

    @contextmanager
    def open(self, control: str, loop: ClosedLoop) -> Iterator[Link]:
        """The control of a name, behind a server on loopback with mTLS."""
        lockstep = Lockstep(
            loop.network,
            loop.controllers,
            begin_s=loop.begin_s,
            step_s=loop.step_s,
            now=utc_now(),
            arbiters=loop.with_arbiters() if self.store is not None else None,
            store=self.store,
        )
        try:
            lockstep.city.gather(loop.begin_s)
            behind = lockstep.city.control = connect(control, lockstep.city)
            lockstep.city.algorithm = control
            desk = LockstepDesk(lockstep) if self.store is not None else None
            yield GrpcLink(lockstep, behind, loop.begin_s, self._outage, desk)
        finally:
            lockstep.close()
            self.levels = sorted(
                (now_ds / 10, str(r.intersection.intersection_id), level.name, cause)
                for r in lockstep.roadsides
                for now_ds, level, cause in r.ladder.steps
            )

    def levels_csv(self) -> bytes:
        """levels.csv: what each controller followed from when on, and why not better."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("time", "intersection", "level", "cause"))
        for time_s, *rest in self.levels:
            writer.writerow((f"{time_s:.15g}", *rest))
        return text.getvalue().encode()
