"""`--link grpc`: the closed loop through a real server and real clients on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ampelwerk.controllers.certificates import utc_now
from ampelwerk.controllers.control import Control
from ampelwerk.controllers.frame_border import FrameBorder
from ampelwerk.controllers.lockstep import Lockstep
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.sim.closed_loop import ClosedLoop
from ampelwerk.sim.controls import connect
from ampelwerk.sim.link import Link


class GrpcLink:
    """A closed loop's link through the wire."""

    def __init__(self, lockstep: Lockstep, control: Control) -> None:
        self._lockstep, self._control = lockstep, control

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
        return self._lockstep.exchange(frame, now_ds)

    def report(self, changed: Sequence[int], now_ds: int) -> None:
        """Signal states up."""
        self._lockstep.report(changed)


@contextmanager
def grpc_link(control: str, loop: ClosedLoop) -> Iterator[Link]:
    """The control of a name, behind a server on loopback with mTLS."""
    lockstep = Lockstep(
        loop.network, loop.controllers, begin_s=loop.begin_s, step_s=loop.step_s, now=utc_now()
    )
    try:
        lockstep.city.gather(loop.begin_s)
        behind = lockstep.city.control = connect(control, lockstep.city)
        yield GrpcLink(lockstep, behind)
    finally:
        lockstep.close()
