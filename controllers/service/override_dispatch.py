"""Overrides between the desk and the controllers: what changed goes down, what is said comes up.

The desk writes to the store before anything has an effect; so it works in the clerk's thread, and the
event loop goes on. What changed is pushed in the order in which it was decided. A controller that comes
(back) is told everything that is due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ampelwerk.controllers.override_convert import end_cause, green_of, push_of, state_of
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.controllers.override_policy import Policy
from ampelwerk.controllers.service.clerk import Clerk
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.session import PlanStream, Session
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import OverrideRefusedError, RefusalCode
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.override import (
    EndCause,
    Override,
    OverrideId,
    OverrideRequest,
    OverrideState,
)
from ampelwerk.proto.v1 import common_pb2, controller_pb2

Result = TypeVar("Result")
Decided = tuple[Override, Sequence[Override]]
"""The reply, and everything that changed."""


class _Sites(Mapping[IntersectionId, Intersection]):
    """Intersections of a live city, with the plans that their controllers follow by now."""

    def __init__(self, city: LiveCity) -> None:
        self._sessions = city.by_name

    def __getitem__(self, name: IntersectionId) -> Intersection:
        return self._sessions[str(name)].with_plans

    def __iter__(self) -> Iterator[IntersectionId]:
        return map(IntersectionId, self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)


class OverrideDispatch:
    """The desk of a live city.

    Parameters
    ----------
    store : keeps overrides, plans and audit; closed with the server.
    key : signs checkpoints of the audit; None: they are not signed.
    """

    def __init__(
        self,
        city: LiveCity,
        store: Store,
        policy: Policy | None = None,
        *,
        key: Ed25519PrivateKey | None = None,
    ) -> None:
        self._city, self.clerk = city, Clerk(city, store, key)
        self._desk = OverrideDesk(store, _Sites(city), policy, reachable=self._check_reachable)
        self._ticking = False
        self.changed: Callable[[Sequence[Override]], None] = lambda overrides: None
        """Told of overrides that have changed."""

    async def decide(self, call: Callable[[OverrideDesk, int], Decided]) -> Override:
        """Let the desk decide a request and tell the controllers; the reply.

        It is carried to its end even if whoever asked has gone meanwhile.
        """
        return await self.clerk.carry_out(self._decide(call))

    async def ask(self, call: Callable[[OverrideDesk], Result]) -> Result:
        """Run something in the desk's thread."""
        return await self.clerk.run(lambda: call(self._desk))

    def tick(self) -> None:
        """Let what is over end; one tick at a time."""
        if not self._ticking:
            self._ticking = True
            self.clerk.start(self._tick())

    def greet(self, session: Session, stream: PlanStream) -> None:
        """A controller has connected: tell it what is due, and what is over since it was there."""
        session.ask_again = True
        self.clerk.start(self._greet(session, stream))

    def heard(self, session: Session, stream: PlanStream, held: Iterable[str]) -> None:
        """A heartbeat: leases that are over here are ended there."""
        names = [OverrideId(name) for name in held]
        if names and not stream.unanswered_overrides:
            self.clerk.start(self._end_strays(session, stream, names))

    async def reported(
        self, session: Session, stream: PlanStream, report: controller_pb2.OverrideReport
    ) -> None:
        """A controller says what became of a lease.

        Its next message waits until that is kept; if it cannot be, the stream ends, and everything is
        told again on the next one.
        """
        if report.nonce and not stream.override_answered(report.nonce):
            return
        await self.clerk.carry_out(self._reported(session, report))

    async def settled(self) -> None:
        """Until all that has begun is done."""
        await self.clerk.settled()

    @property
    def idle(self) -> bool:
        """Nothing is being done."""
        return self.clerk.idle

    async def _decide(self, call: Callable[[OverrideDesk, int], Decided]) -> Override:
        now_ms = self._city.clock.unix_ms()
        reply, changed = await self.ask(lambda desk: call(desk, now_ms))
        self._push(changed)
        return reply

    async def _tick(self) -> None:
        now_ms = self._city.clock.unix_ms()
        try:
            self._push(await self.ask(lambda desk: desk.tick(now_ms)))
            await self.clerk.sign(now_ms)
        finally:
            self._ticking = False

    async def _greet(self, session: Session, stream: PlanStream) -> None:
        place = session.intersection.intersection_id
        for override in await self.ask(lambda desk: desk.book.open_at(place)):
            self._push_to(session, stream, override)

    async def _end_strays(
        self, session: Session, stream: PlanStream, names: Sequence[OverrideId]
    ) -> None:
        place = session.intersection.intersection_id
        for name in await self.ask(lambda desk: desk.book.strays(place, names)):
            stream.push_override(
                controller_pb2.OverridePush(
                    override_id=name,
                    kind=controller_pb2.OVERRIDE_KIND_END,
                    epoch=self._city.epoch,
                )
            )

    async def _reported(self, session: Session, report: controller_pb2.OverrideReport) -> None:
        place, now_ms = session.intersection.intersection_id, self._city.clock.unix_ms()
        state, name = state_of(report.state), OverrideId(report.override_id)
        ended = active = None
        if state is OverrideState.ENDED:
            ended = end_cause(report.cause) or EndCause.FAILED
            session.ask_again = True
        elif state in (OverrideState.ACTIVE, OverrideState.DELIVERED):
            active = state is OverrideState.ACTIVE
        else:
            return
        changed = await self.ask(
            lambda desk: desk.reported(
                name, place, now_ms, active=active, ended=ended, green=green_of(report, place)
            )
        )
        if ended is not None:
            self._push(changed)  # over everywhere else, too, if it is
        else:
            self.changed(changed)

    def _push(self, changed: Sequence[Override]) -> None:
        """Bring what changed to the controllers that are there."""
        self.changed(changed)
        for override in changed:
            for leg in override.request.legs:
                session = self._city.by_name[str(leg.intersection_id)]
                if session.stream is not None:
                    self._push_to(session, session.stream, override)

    def _push_to(self, session: Session, stream: PlanStream, override: Override) -> None:
        place = session.intersection.intersection_id
        leg = override.leg(place)
        told = override.live or place in override.delivered or override.ending_unix_ms
        waits = override.state is OverrideState.AWAITING_APPROVAL
        if leg is None or place in override.gone or waits or not told:
            return
        stream.push_override(
            push_of(override, leg, self._city.clock.unix_ms(), epoch=self._city.epoch)
        )

    def _check_reachable(self, request: OverrideRequest) -> None:
        """Commands are never kept for a controller that is not there, or that listens to nobody."""
        for leg in request.legs:
            session = self._city.by_name[str(leg.intersection_id)]
            if session.stream is None:
                raise OverrideRefusedError(
                    RefusalCode.OFFLINE,
                    "the controller is not connected",
                    where=f"intersection {session.name}",
                    remedy="ask again when it is back; commands are not kept for it",
                )
            if session.mode == common_pb2.MODE_FAILED:
                raise OverrideRefusedError(
                    RefusalCode.LOCAL,
                    "the intersection has a fault",
                    where=f"intersection {session.name}",
                    found=session.cause,
                    remedy="ask again when the fault is cleared at the cabinet",
                )
