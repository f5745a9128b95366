"""The desk of plans: what people publish is stored and recorded before a controller hears of it.

A plan comes here when it has been verified. It is kept under the next version of its intersection,
signed, in one transaction with the audit record of who asked for it; what becomes of it is recorded,
too (`plan.outcome`). Plans that take over together stay VERIFIED until all controllers have accepted
them; then all are PUBLISHED in one transaction, or none is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ampelwerk.controllers.requests import SERVER, Decision, decide_once
from ampelwerk.controllers.signing import PlanSigner
from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.controllers.store.plans import STANDS, PlanKind, PlanState, StoredPlan
from ampelwerk.controllers.store.store import Change, Store
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import (
    Finding,
    PlanRefusedError,
    RefusalCode,
    Severity,
    UnsafePlanError,
)
from ampelwerk.proto.v1 import common_pb2, plan_pb2

MOST_NAME = 255
"""Letters of a plan's name in the list."""
REFUSED = (PlanState.REJECTED, PlanState.QUARANTINED)
"""States of what a controller has refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPlan:
    """A plan that may be published."""

    plan: plan_pb2.Plan
    """All but epoch and version."""
    name: str
    """Its plans by name."""
    expected_version: int
    """Newest version that the author has seen."""
    certificates: bytes
    """What the verification said."""
    findings: tuple[common_pb2.Finding, ...]
    """Warnings."""

    @property
    def place(self) -> IntersectionId:
        """Where it is for."""
        return IntersectionId(self.plan.intersection_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Who asks for it, and how."""

    entry: AuditEntry
    """For the audit."""
    key: str
    """Idempotency key."""
    body: bytes
    """The request as it came."""


class PlanDesk:
    """Published plans over a store.

    Parameters
    ----------
    epoch : term of this server, part of every plan it publishes.
    """

    def __init__(self, store: Store, signer: PlanSigner, epoch: int) -> None:
        self._store, self._signer, self._epoch = store, signer, epoch

    def publish(
        self, request: PlanRequest, wanted: VerifiedPlan
    ) -> tuple[plan_pb2.PublishReply, Sequence[StoredPlan]]:
        """Publish one plan: the reply, and what is new.

        Raises
        ------
        PlanRefusedError : VERSION, HELD or KEY_REUSED.
        UnsafePlanError : the controller has refused this very plan.
        StoreError : it could not be made durable, and has no effect.
        """
        made: list[StoredPlan] = []

        def decide(change: Change) -> Decision:
            made.append(self._keep(change, request.entry, wanted, PlanState.PUBLISHED))
            also = self._supersede(change, made[0], request.entry)
            return Decision(
                reply=lambda seq: _reply(made[0], wanted, seq).SerializeToString(),
                target=_target(made[0]),
                also=also,
            )

        content, _ = decide_once(
            self._store, request.entry, key=request.key, body=request.body, decide=decide
        )
        return plan_pb2.PublishReply.FromString(content), made

    def prepare(
        self,
        request: PlanRequest,
        batch_id: str,
        wanted: Sequence[VerifiedPlan],
        check: Callable[[], None] = lambda: None,
    ) -> tuple[plan_pb2.PublishTogetherReply, Sequence[StoredPlan]]:
        """Keep plans that take over together; errors as in `publish`.

        Parameters
        ----------
        check : refuses what cannot begin now.
        """
        made: list[StoredPlan] = []

        def reply(seq: int) -> bytes:
            return plan_pb2.PublishTogetherReply(
                batch_id=batch_id,
                plans=[_reply(s, w, seq) for s, w in zip(made, wanted, strict=True)],
            ).SerializeToString()

        def decide(change: Change) -> Decision:
            check()
            made.extend(
                self._keep(change, request.entry, one, PlanState.VERIFIED) for one in wanted
            )
            names = ", ".join(_target(stored) for stored in made)
            return Decision(reply=reply, target=f"{batch_id}: {names}")

        content, _ = decide_once(
            self._store, request.entry, key=request.key, body=request.body, decide=decide
        )
        return plan_pb2.PublishTogetherReply.FromString(content), made

    def settle(
        self, batch_id: str, plans: Sequence[StoredPlan], now_unix_ms: int, *, cause: str = ""
    ) -> Sequence[StoredPlan]:
        """All plans of a batch take over, or with a cause none does; those that stand from now on."""
        with self._store.change() as change:
            stand = []
            for stored in plans:
                if cause:
                    now = change.plans.get(stored.intersection_id, stored.version)
                    if now.state is not PlanState.VERIFIED:
                        continue  # its controller has refused it, and that is recorded
                    self._become(change, stored, PlanState.REVERTED, now_unix_ms, SERVER, cause)
                    continue
                said = f"all of {batch_id} have accepted"
                now = self._become(change, stored, PlanState.PUBLISHED, now_unix_ms, SERVER, said)
                now = self._become(change, now, PlanState.ACCEPTED, now_unix_ms, SERVER)
                entry = _outcome(now, now_unix_ms, SERVER)
                for other in self._supersede(change, now, entry):
                    change.record(other)
                stand.append(now)
            if not change.recorded:
                change.record(replace(_entry(now_unix_ms, SERVER), target=batch_id, result="over"))
        return stand

    def reported(
        self, place: str, version: int, state: PlanState, cause: str, now_unix_ms: int
    ) -> StoredPlan | None:
        """What a controller says became of a version; the version, None if it is not known here."""
        name = IntersectionId(place)
        with self._store.read() as reading:
            known = [stored for stored in reading.plans.list(name) if stored.version == version]
        if not known:
            return None
        before = known[0]
        steps = _steps(before.state, state)
        if not steps:
            return before
        now = before
        with self._store.change() as change:
            for step in steps:
                now = self._become(change, now, step, now_unix_ms, place, cause)
            if now.state is PlanState.APPLIED:
                for other in self._supersede(change, now, _outcome(now, now_unix_ms, place)):
                    change.record(other)
        return now

    def recover(self, now_unix_ms: int) -> Sequence[StoredPlan]:
        """After a start: batches that were under way are over. What controllers shall have."""
        with self._store.read() as reading:
            open_ = reading.plans.list(states=[PlanState.VERIFIED])
        if open_:
            with self._store.change() as change:
                for stored in open_:
                    cause = "the server was started anew before all had accepted"
                    self._become(change, stored, PlanState.REVERTED, now_unix_ms, SERVER, cause)
        with self._store.read() as reading:
            return list(reading.plans.standing().values())

    def refused(self) -> Sequence[StoredPlan]:
        """Newest versions that their controllers have refused."""
        with self._store.read() as reading:
            newest = {stored.intersection_id: stored for stored in reading.plans.list()}
        return [stored for stored in newest.values() if stored.state in REFUSED]

    def listed(self, place: str) -> Sequence[StoredPlan]:
        """Versions of an intersection, or all."""
        with self._store.read() as reading:
            return reading.plans.list(IntersectionId(place) if place else None)

    def stands(self, place: str) -> StoredPlan | None:
        """The version that a controller shall have."""
        standing = [stored for stored in self.listed(place) if stored.state in STANDS]
        return standing[-1] if standing else None

    def _keep(
        self, change: Change, entry: AuditEntry, wanted: VerifiedPlan, state: PlanState
    ) -> StoredPlan:
        """Keep a plan under the next version."""
        known = change.plans.list(wanted.place)
        newest = known[-1].version if known else 0
        where = f"intersection {wanted.place}"
        if any(stored.state is PlanState.VERIFIED for stored in known):
            raise PlanRefusedError(
                RefusalCode.HELD,
                "a batch with a plan for it is under way",
                where=where,
                holder=known[-1].author,
                remedy="wait until it has taken over or is over; see `ampelwerk plan list`",
            )
        if wanted.expected_version != newest:
            raise PlanRefusedError(
                RefusalCode.VERSION,
                "somebody else has published a plan since",
                where=where,
                found=f"version {newest}",
                limit=f"version {wanted.expected_version}",
                remedy="read the newest version, then decide again",
            )
        for stored in known:
            if stored.state in REFUSED and _same(stored, wanted.plan):
                raise UnsafePlanError((_quarantined(stored),))
        plan = plan_pb2.Plan()
        plan.CopyFrom(wanted.plan)
        plan.epoch, plan.version = self._epoch, newest + 1
        signed = self._signer.signed(plan)
        return change.plans.publish(
            wanted.place,
            signed.plan,
            epoch=self._epoch,
            kind=PlanKind(str(plan.WhichOneof("body"))),
            name=wanted.name[:MOST_NAME],
            author=entry.actor,
            at_unix_ms=entry.at_unix_ms,
            signature=signed.signature,
            certificate=wanted.certificates,
            state=state,
        )

    def _supersede(self, change: Change, new: StoredPlan, by: AuditEntry) -> list[AuditEntry]:
        """Older versions have no say any more: all once it has taken over, else those never accepted."""
        over = STANDS if new.state is PlanState.APPLIED else (PlanState.PUBLISHED,)
        found = []
        for stored in change.plans.list(new.intersection_id, over):
            if stored.version < new.version:
                cause = f"version {new.version}"
                now = change.plans.become(
                    new.intersection_id, stored.version, PlanState.SUPERSEDED, cause
                )
                found.append(_outcome(now, by.at_unix_ms, SERVER))
        return found

    def _become(
        self,
        change: Change,
        stored: StoredPlan,
        state: PlanState,
        now_unix_ms: int,
        actor: str,
        cause: str = "",
    ) -> StoredPlan:
        now = change.plans.become(stored.intersection_id, stored.version, state, cause)
        change.record(_outcome(now, now_unix_ms, actor))
        return now


def _steps(before: PlanState, said: PlanState) -> tuple[PlanState, ...]:
    """Steps of the life cycle from one state to what a controller says; none if it is no news."""
    if said is PlanState.ACCEPTED and before is PlanState.PUBLISHED:
        return (PlanState.ACCEPTED,)
    if said is PlanState.APPLIED and before in (PlanState.PUBLISHED, PlanState.ACCEPTED):
        return (PlanState.ACCEPTED, PlanState.APPLIED)[before is PlanState.ACCEPTED :]
    if before in (PlanState.VERIFIED, *STANDS):
        if said is PlanState.REJECTED:
            return (PlanState.REJECTED, PlanState.QUARANTINED)
        if said is PlanState.REVERTED:
            return (PlanState.REVERTED,)
    return ()


def _same(stored: StoredPlan, plan: plan_pb2.Plan) -> bool:
    """Whether it would be the same on the street."""
    before = plan_pb2.Plan.FromString(stored.content)
    return bool(before.cyclic == plan.cyclic and before.calendar == plan.calendar)


def _quarantined(stored: StoredPlan) -> Finding:
    return Finding(
        rule="quarantined",
        severity=Severity.ERROR,
        where=f"intersection {stored.intersection_id}",
        message=f"The controller has refused this very plan as version {stored.version}"
        + (f": {stored.cause}." if stored.cause else "."),
        remedy="Correct the plan.",
    )


def _target(stored: StoredPlan) -> str:
    return f"{stored.intersection_id} version {stored.version}"


def _reply(stored: StoredPlan, wanted: VerifiedPlan, seq: int) -> plan_pb2.PublishReply:
    return plan_pb2.PublishReply(
        version=stored.version,
        state=state_number(stored.state),
        findings=wanted.findings,
        audit_seq=seq,
    )


def state_number(state: PlanState) -> plan_pb2.PlanState:
    """A state on the wire."""
    return getattr(plan_pb2, f"PLAN_STATE_{state.name}")  # type: ignore[no-any-return]


def _entry(now_unix_ms: int, actor: str) -> AuditEntry:
    return AuditEntry(
        at_unix_ms=now_unix_ms,
        actor=actor,
        role=SERVER if actor == SERVER else "controller",
        method="plan.outcome",
        target="",
        result="",
    )


def _outcome(stored: StoredPlan, now_unix_ms: int, actor: str) -> AuditEntry:
    """What became of a version."""
    return replace(
        _entry(now_unix_ms, actor),
        target=_target(stored),
        result=stored.state.value,
        detail=stored.cause,
    )
