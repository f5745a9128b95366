"""Plans that take over together: all of them or none.

1. Every controller gets its plan with `prepare_only`. One that refuses, does not answer in time or
   loses its line ends the batch for all.
2. When all have accepted, every one is told the moment T, `AHEAD_MS` from then, and answers again.
3. `DECIDE_MS` before T the batch is decided: if all have answered and every line has held, it is
   published, on disk; else every controller is told to forget it.
4. A controller forgets a prepared plan when its stream ends, until `FINAL_MS` before T; from then on
   it takes over whatever happens. So a server that dies before the decision leaves nothing behind, and
   a line that breaks after it holds nobody back.

What is left is the time between the decision and `FINAL_MS` before T: a controller that is lost just
then does not take over with the others, but gets its plan when it is back.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from ampelwerk.controllers.service.session import PlanStream, Session
from ampelwerk.controllers.store.plans import StoredPlan
from ampelwerk.proto.v1 import controller_pb2, plan_pb2

AHEAD_MS = 6_000
"""From the last acceptance to the moment at which all take over. [ms]"""
DECIDE_MS = 3_000
"""So long before that moment the batch is decided. [ms]"""
LATEST_AHEAD_MS = 4_000
"""A moment that is named may be no nearer when the last one has accepted. [ms]"""


class Phase(StrEnum):
    """How far a batch has come."""

    PREPARING = "preparing"
    ACTIVATING = "activating"
    DECIDED = "decided"


class PlanBatch:
    """One batch, from the first push to the decision.

    Parameters
    ----------
    plans : one for each session.
    at_unix_ms : moment at which they take over, 0 for as soon as they can. [ms]
    """

    def __init__(
        self,
        batch_id: str,
        plans: Sequence[StoredPlan],
        sessions: Sequence[Session],
        *,
        at_unix_ms: int,
        now_mono_ms: int,
    ) -> None:
        self.batch_id, self.plans, self.sessions = batch_id, plans, sessions
        self.phase = Phase.PREPARING
        self.at_unix_ms = at_unix_ms
        self._since_ms = now_mono_ms
        self._streams: list[PlanStream | None] = [session.stream for session in sessions]
        self.over = ""
        """Why none takes over."""
        self.recording = False
        """The end is on its way to the disk."""
        self._waits = set(range(len(sessions)))
        """Members whose answer is outstanding."""

    def has(self, session: Session, version: int) -> bool:
        """Whether a version of an intersection is one of it."""
        return any(
            here is session and stored.version == version
            for here, stored in zip(self.sessions, self.plans, strict=True)
        )

    def push(self, epoch: int, signed: Sequence[plan_pb2.SignedPlan]) -> None:
        """Let every controller prepare its plan."""
        for stream, stored, content in zip(self._streams, self.plans, signed, strict=True):
            if stream is not None:
                push = controller_pb2.PlanPush(
                    kind=controller_pb2.PUSH_KIND_FULL,
                    epoch=epoch,
                    version=stored.version,
                    signed_plan=content,
                    batch_id=self.batch_id,
                    prepare_only=True,
                    published=True,
                )
                stream.push_published(controller_pb2.ServerMessage(plan_push=push))

    def answered(self, session: Session, now_unix_ms: int) -> str:
        """A controller has accepted; why the batch is over, if it is.

        With the last answer to the push every one is told when it takes over.
        """
        self._waits.discard(self.sessions.index(session))
        if self._waits or self.phase is not Phase.PREPARING:
            return ""
        if self.at_unix_ms and self.at_unix_ms < now_unix_ms + LATEST_AHEAD_MS:
            return "not all had accepted in time for the moment named"
        self.at_unix_ms = self.at_unix_ms or now_unix_ms + AHEAD_MS
        self.phase, self._waits = Phase.ACTIVATING, set(range(len(self.sessions)))
        self._tell(controller_pb2.Activate(batch_id=self.batch_id, at_unix_ms=self.at_unix_ms))
        return ""

    def abort(self) -> None:
        """Every controller that is still there forgets its plan."""
        self.phase = Phase.DECIDED
        self._tell(controller_pb2.Activate(batch_id=self.batch_id, abort=True))

    def trouble(self, now_mono_ms: int, ack_timeout_ms: int) -> str:
        """Why it cannot go on, empty if it can."""
        if self.phase is Phase.DECIDED:
            return ""
        for session, stream in zip(self.sessions, self._streams, strict=True):
            if stream is None or stream.closed or session.stream is not stream:
                return f"the line to {session.name} was lost"
        if self.phase is Phase.PREPARING and now_mono_ms - self._since_ms > ack_timeout_ms:
            return f"no answer of {self._silent} in {ack_timeout_ms / 1000:g} s"
        return ""

    def due(self, now_unix_ms: int) -> bool:
        """Whether it is to be decided now."""
        return self.phase is Phase.ACTIVATING and now_unix_ms >= self.at_unix_ms - DECIDE_MS

    @property
    def complete(self) -> str:
        """Why the batch may not take over, empty if all have answered."""
        return f"no answer of {self._silent} before the decision" if self._waits else ""

    @property
    def _silent(self) -> str:
        return ", ".join(self.sessions[number].name for number in sorted(self._waits))

    def _tell(self, activate: controller_pb2.Activate) -> None:
        for session, stream in zip(self.sessions, self._streams, strict=True):
            if stream is not None and session.stream is stream:
                message = controller_pb2.ServerMessage()
                message.activate.CopyFrom(activate)
                stream.push_published(message)
