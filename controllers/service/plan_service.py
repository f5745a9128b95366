"""PlanService: cyclic plans and calendars that people publish."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import grpc

from ampelwerk.controllers.convert import ruleset_sha256
from ampelwerk.controllers.override_convert import check_reason, key_of
from ampelwerk.controllers.plan_check import CheckedPlan, check_plan
from ampelwerk.controllers.plan_desk import PlanRequest, VerifiedPlan, state_number
from ampelwerk.controllers.service.clerk import Clerk
from ampelwerk.controllers.service.errors import Refused
from ampelwerk.controllers.service.gate import Context, identity_of
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.plan_dispatch import PlanDispatch
from ampelwerk.controllers.service.session import Session
from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.controllers.store.plans import StoredPlan
from ampelwerk.models.errors import InvalidInputError, PlanRefusedError, RefusalCode
from ampelwerk.proto.v1 import common_pb2, plan_pb2
from ampelwerk.proto.v1.plan_pb2_grpc import PlanServiceServicer

MOST_TOGETHER = 64
"""Plans of one batch."""
BATCH_FROM_MS, BATCH_TO_MS = 20_000, 600_000
"""A batch takes over so far ahead at a moment that is named: prepared plans wait on open lines. [ms]"""
FARTHEST_MS = 366 * 86_400_000
"""A plan takes over within a year. [ms]"""
MOST_LISTED, MOST_CAUSE = 10_000, 200
"""Versions in one list, and letters of a cause there."""
Publish = plan_pb2.PublishRequest | plan_pb2.RollbackRequest | plan_pb2.PublishTogetherRequest


class PlanService(PlanServiceServicer):
    """For the control room."""

    def __init__(self, city: LiveCity, dispatch: PlanDispatch, clerk: Clerk) -> None:
        self._city, self._dispatch, self._clerk = city, dispatch, clerk
        self._pool = ThreadPoolExecutor(1, "plan-check")

    def close(self) -> None:
        """End the thread that verifies."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def List(
        self, request: plan_pb2.ListPlansRequest, context: Context
    ) -> plan_pb2.ListPlansReply:
        """Versions by intersection and number; of all intersections each one's newest ones."""
        place = request.intersection_id
        if place:
            self._session(place)
        found = await self._dispatch.ask(lambda desk: desk.listed(place))
        return plan_pb2.ListPlansReply(plans=[_version(stored) for stored in _newest(found)])

    async def Get(
        self, request: plan_pb2.GetStoredPlanRequest, context: Context
    ) -> plan_pb2.GetStoredPlanReply:
        """One version."""
        stored = await self._stored(self._session(request.intersection_id), request.version)
        return plan_pb2.GetStoredPlanReply(
            signed_plan=self._dispatch.signed(stored), plan=_version(stored)
        )

    async def Verify(
        self, request: plan_pb2.VerifyRequest, context: Context
    ) -> plan_pb2.VerifyReply:
        """Everything that a check finds; nothing is changed or recorded."""
        _, checked = await self._checked(request.plan)
        return plan_pb2.VerifyReply(findings=checked.findings)

    async def Publish(
        self, request: plan_pb2.PublishRequest, context: Context
    ) -> plan_pb2.PublishReply:
        """Verify, store, push."""
        who = identity_of(context)
        entry = self._clerk.entry(who, "plan.publish", request.plan.intersection_id, request.reason)
        try:
            asked = _asked(request, entry)
            if request.batch_id:
                raise InvalidInputError(
                    "one plan is no batch", where="batch_id", remedy="use PublishTogether"
                )
            plan = self._timed(request.plan, request.activation, request.at_unix_ms)
            wanted = await self._verified(plan, request.expected_version)
        except _REFUSED as error:
            await self._refuse(error, entry)
        return await self._dispatch.publish(asked, wanted)

    async def PublishTogether(
        self, request: plan_pb2.PublishTogetherRequest, context: Context
    ) -> plan_pb2.PublishTogetherReply:
        """Verify and store all, then let their controllers prepare them."""
        who, now_ms = identity_of(context), self._city.clock.unix_ms()
        names = [one.plan.intersection_id for one in request.plans]
        entry = self._clerk.entry(who, "plan.publishtogether", " ".join(names), request.reason)
        try:
            asked = _asked(request, entry)
            if not 1 <= len(names) <= MOST_TOGETHER or len(set(names)) != len(names):
                raise InvalidInputError(
                    "a batch has one plan for each of its intersections",
                    where="plans",
                    found=str(len(names)),
                    limit=f"1 to {MOST_TOGETHER}",
                )
            ahead_ms = request.at_unix_ms - now_ms
            at = request.activation == plan_pb2.ACTIVATION_AT
            if at and not BATCH_FROM_MS <= ahead_ms <= BATCH_TO_MS:
                raise InvalidInputError(
                    "a batch does not wait so long, or not long enough",
                    where="at_unix_ms",
                    limit=f"{BATCH_FROM_MS // 1000} to {BATCH_TO_MS // 1000} s ahead",
                )
            wanted = [
                await self._verified(
                    self._timed(one.plan, request.activation, request.at_unix_ms),
                    one.expected_version,
                )
                for one in request.plans
            ]
        except _REFUSED as error:
            await self._refuse(error, entry)
        return await self._dispatch.publish_together(asked, wanted, request.at_unix_ms)

    async def Rollback(
        self, request: plan_pb2.RollbackRequest, context: Context
    ) -> plan_pb2.PublishReply:
        """The content of an old version under a new one, verified anew."""
        who = identity_of(context)
        entry = self._clerk.entry(who, "plan.rollback", request.intersection_id, request.reason)
        try:
            asked = _asked(request, entry)
            session = self._session(request.intersection_id)
            old = await self._stored(session, request.to_version)
            before = plan_pb2.Plan.FromString(old.content)
            again = plan_pb2.Plan(intersection_id=session.name)
            again.MergeFrom(_body(before))
            plan = self._timed(again, plan_pb2.ACTIVATION_CYCLE_START, 0)
            wanted = await self._verified(plan, request.expected_version)
        except _REFUSED as error:
            await self._refuse(error, entry)
        return await self._dispatch.publish(asked, wanted)

    def _session(self, name: str) -> Session:
        """An intersection that is there."""
        session = self._city.by_name.get(name)
        if session is None:
            raise PlanRefusedError(
                RefusalCode.UNKNOWN_ID,
                "no such intersection in this city",
                where=f"intersection {name[:64]!r}",
            )
        return session

    async def _stored(self, session: Session, version: int) -> StoredPlan:
        versions = await self._dispatch.ask(lambda desk: desk.listed(session.name))
        found = next((stored for stored in versions if stored.version == version), None)
        if found is None:
            raise PlanRefusedError(
                RefusalCode.UNKNOWN_ID,
                "no such version",
                where=f"intersection {session.name}",
                found=str(version),
                limit=f"1 to {versions[-1].version}" if versions else "there is none yet",
            )
        return found

    def _timed(
        self, plan: plan_pb2.Plan, activation: plan_pb2.Activation, at_unix_ms: int
    ) -> plan_pb2.Plan:
        """The plan with the moment at which it takes over; it says nothing that is not its own."""
        own = (plan.epoch, plan.version, plan.not_before_unix_ms, plan.not_after_unix_ms)
        if any(own) or plan.decision_id or plan.activation:
            raise InvalidInputError(
                "the server sets epoch, version, times and decision",
                where="plan",
                remedy="leave them empty",
            )
        known = plan_pb2.Activation.values()[1:]
        at = activation == plan_pb2.ACTIVATION_AT
        if activation not in known or bool(at_unix_ms) != at:
            raise InvalidInputError(
                "it is not said when the plan takes over",
                where="activation",
                limit="CYCLE_START, NEXT_STAGE, or AT with at_unix_ms",
            )
        now_ms = self._city.clock.unix_ms()
        if at and (not now_ms < at_unix_ms <= now_ms + FARTHEST_MS or at_unix_ms % 100):
            raise InvalidInputError(
                "a plan takes over in the future",
                where="at_unix_ms",
                found=str(at_unix_ms),
                limit="within a year from now, whole tenths of a second",
            )
        timed = plan_pb2.Plan()
        timed.CopyFrom(plan)
        timed.activation, timed.not_before_unix_ms = activation, at_unix_ms
        return timed

    async def _checked(self, plan: plan_pb2.Plan) -> tuple[plan_pb2.Plan, CheckedPlan]:
        """A plan with the names of envelope and rule set, held against both."""
        session = self._session(plan.intersection_id)
        full = plan_pb2.Plan()
        full.CopyFrom(plan)
        full.envelope_sha256 = full.envelope_sha256 or session.envelope_hash
        full.ruleset_sha256 = full.ruleset_sha256 or ruleset_sha256(session.intersection.envelope)
        now_ms = self._city.clock.unix_ms()

        def check() -> CheckedPlan:
            return check_plan(
                full,
                session.intersection,
                envelope_hash=session.envelope_hash,
                now_unix_ms=now_ms,
            )

        return full, await asyncio.get_running_loop().run_in_executor(self._pool, check)

    async def _verified(self, plan: plan_pb2.Plan, expected_version: int) -> VerifiedPlan:
        """A plan that may be published.

        Raises
        ------
        Refused : UNSAFE, with findings.
        """
        full, checked = await self._checked(plan)
        if checked.content is None:
            errors = [f for f in checked.findings if f.severity == common_pb2.SEVERITY_ERROR]
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                "UNSAFE",
                f"intersection {plan.intersection_id}: the plan breaks {len(errors)} rules, first: "
                f"{errors[0].message} Verify tells them all",
                findings=errors,
            )
        return VerifiedPlan(
            plan=full,
            name=checked.content.name,
            expected_version=expected_version,
            certificates=checked.certificates,
            findings=checked.findings,
        )

    async def _refuse(self, error: Exception, entry: AuditEntry) -> NoReturn:
        """Record a refusal, then tell it."""
        await self._clerk.refuse(error, entry)
        raise error


_REFUSED = (InvalidInputError, PlanRefusedError, Refused)
"""What is recorded before it is told."""


def _asked(request: Publish, entry: AuditEntry) -> PlanRequest:
    """A request that may be recorded.

    Raises
    ------
    InvalidInputError : no key, or no reason.
    """
    check_reason(request.reason, needed=True)
    key = key_of(request.idempotency_key)
    body = request.DESCRIPTOR.name.encode() + request.SerializeToString(deterministic=True)
    return PlanRequest(entry=entry, key=key, body=body)


def _body(plan: plan_pb2.Plan) -> plan_pb2.Plan:
    """What a plan says, without when and for whom."""
    if plan.HasField("calendar"):
        return plan_pb2.Plan(calendar=plan.calendar)
    return plan_pb2.Plan(cyclic=plan.cyclic)


def _version(stored: StoredPlan) -> plan_pb2.PlanVersion:
    return plan_pb2.PlanVersion(
        intersection_id=stored.intersection_id,
        version=stored.version,
        state=state_number(stored.state),
        plan_id=stored.name,
        author=stored.author,
        published_unix_ms=stored.published_unix_ms,
        cause=stored.cause[:MOST_CAUSE],
    )


def _newest(found: Sequence[StoredPlan]) -> list[StoredPlan]:
    """As many as one list holds: the newest of every intersection before older ones."""
    rank: dict[str, int] = {}
    ranked = []
    for stored in reversed(found):
        age = rank.get(str(stored.intersection_id), 0)
        rank[str(stored.intersection_id)] = age + 1
        ranked.append((age, stored))
    ranked.sort(key=lambda pair: pair[0])
    kept = [stored for _, stored in ranked[:MOST_LISTED]]
    return sorted(kept, key=lambda stored: (stored.intersection_id, stored.version))
