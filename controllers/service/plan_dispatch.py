"""Published plans between the desk and the controllers.

The server keeps for each intersection the newest version that stands and pushes it to a controller
that holds another one, whenever it connects. A version that a controller refuses is quarantined: never
pushed again, and an alarm stands until a newer one is accepted.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

from ampelwerk.controllers.plan_desk import PlanDesk, PlanRequest, VerifiedPlan
from ampelwerk.controllers.service.clerk import Clerk
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.plan_batch import Phase, PlanBatch
from ampelwerk.controllers.service.session import (
    PlanStream,
    PublishedPlan,
    RefusedPlan,
    Session,
    fit_to_show,
)
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.controllers.store.plans import STANDS, PlanState, StoredPlan
from ampelwerk.models.errors import PlanRefusedError, RefusalCode
from ampelwerk.proto.v1 import controller_pb2, plan_pb2

Result = TypeVar("Result")
MOST_CAUSE = 400
"""Letters kept of why a controller refuses a plan."""
SAID = {
    plan_pb2.PLAN_STATE_ACCEPTED: PlanState.ACCEPTED,
    plan_pb2.PLAN_STATE_APPLIED: PlanState.APPLIED,
    plan_pb2.PLAN_STATE_REJECTED: PlanState.REJECTED,
    plan_pb2.PLAN_STATE_REVERTED: PlanState.REVERTED,
}
"""What a controller may say of a published plan."""
log = logging.getLogger("ampelwerk.server")


class PlanDispatch:
    """The desk of plans of a live city.

    Parameters
    ----------
    clerk : keeps the store.
    ack_timeout_ms : a push is answered within this time. [ms]
    """

    def __init__(self, city: LiveCity, clerk: Clerk, ack_timeout_ms: int) -> None:
        self._city, self._clerk, self._signer = city, clerk, city.signer
        self._desk = PlanDesk(clerk.store, city.signer, city.epoch)
        self._ack_timeout_ms = ack_timeout_ms
        self._batches: list[PlanBatch] = []
        now_ms = city.clock.unix_ms()
        for stored in self._desk.recover(now_ms):
            self._stand(stored)
        for stored in self._desk.refused():
            session = city.by_name.get(str(stored.intersection_id))
            if session is not None:
                session.published_refused = RefusedPlan(stored.version, stored.cause)

    async def ask(self, call: Callable[[PlanDesk], Result]) -> Result:
        """Run something at the desk."""
        return await self._clerk.run(lambda: call(self._desk))

    async def publish(self, request: PlanRequest, wanted: VerifiedPlan) -> plan_pb2.PublishReply:
        """Publish one plan, and push it."""
        return await self._clerk.carry_out(self._publish(request, wanted))

    async def publish_together(
        self, request: PlanRequest, wanted: Sequence[VerifiedPlan], at_unix_ms: int
    ) -> plan_pb2.PublishTogetherReply:
        """Begin a batch."""
        return await self._clerk.carry_out(self._publish_together(request, wanted, at_unix_ms))

    def greet(self, session: Session, stream: PlanStream, held: tuple[int, int]) -> None:
        """A controller has connected, with epoch and version of the plan it holds, (0, 0) for none."""
        self._clerk.start(self._greet(session, stream, held))

    async def reported(self, session: Session, report: controller_pb2.PlanReport) -> None:
        """A controller says what became of a published plan; its next message waits meanwhile."""
        await self._clerk.carry_out(self._reported(session, report))

    def tick(self) -> None:
        """Look after the batches."""
        clock = self._city.clock
        for batch in list(self._batches):
            if batch.phase is Phase.DECIDED:
                self._record_end(batch)  # again, if the store has failed
                continue
            trouble = batch.trouble(clock.mono_ms(), self._ack_timeout_ms)
            if trouble:
                self._settle(batch, trouble)
            elif batch.due(clock.unix_ms()):
                self._settle(batch, batch.complete)

    async def _publish(self, request: PlanRequest, wanted: VerifiedPlan) -> plan_pb2.PublishReply:
        reply, new = await self.ask(lambda desk: desk.publish(request, wanted))
        for stored in new:
            self._stand(stored)
            session = self._city.by_name[str(stored.intersection_id)]
            self._push(session, session.stream)
        return reply

    async def _publish_together(
        self, request: PlanRequest, wanted: Sequence[VerifiedPlan], at_unix_ms: int
    ) -> plan_pb2.PublishTogetherReply:
        sessions = [self._city.by_name[str(one.place)] for one in wanted]
        batch_id = f"b{secrets.token_hex(6)}"

        def prepare(
            desk: PlanDesk,
        ) -> tuple[plan_pb2.PublishTogetherReply, Sequence[StoredPlan]]:
            return desk.prepare(request, batch_id, wanted, lambda: _check_there(sessions))

        reply, new = await self.ask(prepare)
        if new:
            batch = PlanBatch(
                batch_id,
                new,
                sessions,
                at_unix_ms=at_unix_ms,
                now_mono_ms=self._city.clock.mono_ms(),
            )
            self._batches.append(batch)
            batch.push(self._city.epoch, [self.signed(stored) for stored in new])
        return reply

    async def _greet(self, session: Session, stream: PlanStream, held: tuple[int, int]) -> None:
        """Push what it shall have, take back what it shall not have."""
        published = session.published
        if published is not None and held == (published.epoch, published.version):
            return
        if held[1]:
            versions = await self.ask(lambda desk: desk.listed(session.name))
            known = next((s for s in versions if (s.epoch, s.version) == held), None)
            about = {"intersection": session.name, "version": held[1]}
            if known is None:
                log.warning(
                    "the controller holds a plan that this store does not know", extra=about
                )
            elif known.state in (PlanState.REVERTED, PlanState.QUARANTINED):
                log.warning("plan taken back", extra=about)
                revoke = controller_pb2.PlanPush(
                    kind=controller_pb2.PUSH_KIND_REVOKE,
                    epoch=self._city.epoch,
                    version=held[1],
                    published=True,
                )
                stream.push_published(controller_pb2.ServerMessage(plan_push=revoke))
        self._push(session, stream)

    async def _reported(self, session: Session, report: controller_pb2.PlanReport) -> None:
        said = SAID.get(report.state)
        if said is None:
            return
        now_ms, version = self._city.clock.unix_ms(), report.version
        batch = next((b for b in self._batches if b.has(session, version)), None)
        if batch is not None and said is PlanState.ACCEPTED:
            trouble = batch.answered(session, now_ms)
            if trouble:
                self._settle(batch, trouble)
            return
        if batch is not None and batch.phase is Phase.DECIDED and said is PlanState.REVERTED:
            return  # the answer to the end of the batch, which is being recorded
        out = said in (PlanState.REJECTED, PlanState.REVERTED)
        if out and session.published is not None and session.published.version == version:
            session.published = None  # from this moment on it is not pushed again
        findings = "; ".join(finding.message for finding in report.findings[:5])
        cause = f"{report.cause}: {findings}" if findings else report.cause
        text = fit_to_show(cause, MOST_CAUSE)
        stored = await self.ask(
            lambda desk: desk.reported(session.name, version, said, text, now_ms)
        )
        if said is PlanState.APPLIED:
            self._city.took_over(session, version)
        if stored is None:
            return
        if out:
            await self._fall_back(session)
            if said is PlanState.REJECTED:
                session.published_refused = RefusedPlan(version, stored.cause)
            if batch is not None:
                self._settle(batch, f"{session.name} has refused its plan")
        elif stored.state in STANDS:
            refused = session.published_refused
            if refused is not None and version > refused.version:
                session.published_refused = None
        session.changed += 1

    async def _fall_back(self, session: Session) -> None:
        """What it shall have now that the newest is out."""
        stands = await self.ask(lambda desk: desk.stands(session.name))
        session.published = None
        if stands is not None:
            self._stand(stands)

    def _settle(self, batch: PlanBatch, cause: str) -> None:
        """All of a batch take over, or with a cause none does."""
        if batch.phase is Phase.DECIDED:
            return
        batch.over = cause
        if cause:
            batch.abort()
        batch.phase = Phase.DECIDED
        self._record_end(batch)

    def _record_end(self, batch: PlanBatch) -> None:
        if not batch.recording:
            batch.recording = True
            self._clerk.start(self._settled(batch))

    async def _settled(self, batch: PlanBatch) -> None:
        now_ms = self._city.clock.unix_ms()
        try:
            stand = await self.ask(
                lambda desk: desk.settle(batch.batch_id, batch.plans, now_ms, cause=batch.over)
            )
        except Exception as error:
            # What is not on disk has no effect; that nothing comes of it is recorded when it can be.
            if not batch.over:
                batch.over = f"it could not be recorded: {type(error).__name__}"
                batch.abort()
            raise
        finally:
            batch.recording = False
        self._batches.remove(batch)
        for stored in stand:
            self._stand(stored)
        if batch.over:
            log.warning("batch is over", extra={"batch": batch.batch_id, "cause": batch.over})

    def _stand(self, stored: StoredPlan) -> None:
        """From now on its controller shall have it."""
        session = self._city.by_name.get(str(stored.intersection_id))
        if session is None:
            return
        signed = self.signed(stored)
        wrong = PlanVerifier(self._signer.public_key).wrong_with(signed)
        if wrong:
            log.error(
                "stored plan not pushed: %s; publish it anew",
                wrong,
                extra={"intersection": session.name, "version": stored.version},
            )
            return
        session.published = PublishedPlan(stored.epoch, stored.version, signed)
        session.changed += 1

    def signed(self, stored: StoredPlan) -> plan_pb2.SignedPlan:
        """As it was signed when it was published."""
        return plan_pb2.SignedPlan(
            plan=stored.content,
            sha256=bytes.fromhex(stored.sha256),
            signature=stored.signature,
            key_id=self._signer.key_id,
            certificate=stored.certificate,
        )

    def _push(self, session: Session, stream: PlanStream | None) -> None:
        published = session.published
        if published is None or not session.takes_published or session.stream is not stream:
            return
        assert stream is not None
        push = controller_pb2.PlanPush(
            kind=controller_pb2.PUSH_KIND_FULL,
            epoch=self._city.epoch,
            version=published.version,
            signed_plan=published.signed,
            published=True,
        )
        stream.push_published(controller_pb2.ServerMessage(plan_push=push))


def _check_there(sessions: Sequence[Session]) -> None:
    """A batch begins with all of its controllers.

    Raises
    ------
    PlanRefusedError : OFFLINE, with those that are not there.
    """
    absent = [session.name for session in sessions if not session.takes_published]
    if absent:
        raise PlanRefusedError(
            RefusalCode.OFFLINE,
            "controllers of the batch are not connected, or too old for published plans",
            where="intersection " + ", ".join(absent),
            remedy="try again when they are back, or publish without taking over together",
        )
