"""Published plans at the controller: believed, checked again, kept on disk, taking over at their time.

A published plan is the controller's own plan from its takeover on: it is followed whenever nobody asks
for anything else, on every step of the ladder that follows a plan. Nothing of it reaches a lamp but
through the interlock. Whatever is wrong with a new one, the one held stays.

A plan that takes over together with others is prepared, and forgotten when the stream ends; from
`FINAL_MS` before the moment that all were told, it takes over whatever happens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.plan_check import CheckedPlan, check_plan
from ampelwerk.controllers.plan_file import KeptPlans, PlanFile
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.models.plan_schedule import StageSchedule
from ampelwerk.proto.v1 import common_pb2, controller_pb2, plan_pb2

FINAL_MS = 1_000
"""So long before its moment a prepared plan is final. [ms]"""
LONGEST_WAIT_CYCLES = 2
"""A plan that waits for another stage waits no longer than so many cycles of the old plan."""
Report = Callable[..., None]
"""Tells the server: nonce, version, state, cause, findings."""
log = logging.getLogger("ampelwerk.client")


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A plan that has been accepted or prepared and has not taken over."""

    signed: plan_pb2.SignedPlan
    plan: plan_pb2.Plan
    schedule: StageSchedule
    batch_id: str
    from_ms: int
    """It takes over no earlier. [ms]"""
    told: bool = False
    """The moment of its batch is known."""
    clock_ds: int | None = None
    """Cycle clock of the new plan at the last tick. [ds]"""
    stage: int | None = None
    """Stage that the old plan wanted then."""
    since_ds: int | None = None
    """When it began to wait for its activation. [ds]"""


class PublishedPlans:
    """The published plan of one controller.

    Parameters
    ----------
    envelope_hash : name of the envelope held here.
    report : tells the server what became of a plan.
    beside : checks plans, which may take longer than a tick; without one they are checked at once.
    """

    def __init__(
        self,
        local: LocalController,
        verifier: PlanVerifier,
        clock: Clock,
        file: PlanFile,
        *,
        envelope_hash: bytes,
        report: Report,
        beside: Executor | None = None,
    ) -> None:
        self._beside = beside
        self._checking: tuple[controller_pb2.PlanPush, plan_pb2.Plan, Future[CheckedPlan]] | None
        self._checking = None
        self._local, self._verifier, self._clock = local, verifier, clock
        self._file, self._report = file, report
        self._envelope_hash = envelope_hash
        self._own = local.schedule
        self._kept, trouble = file.read()
        if trouble:
            log.error("kept plans cannot be read: %s", trouble)
        self._next: _Waiting | None = None
        """Takes over whatever happens to the line."""
        self._prepared: _Waiting | None = None
        """Takes over with others, or not at all."""
        self.version = 0
        """Version that has taken over, 0 while the controller follows the plan it came with."""
        self.rejected = 0
        """Plans refused."""
        self._restore()

    @property
    def held(self) -> tuple[int, int]:
        """Epoch and version of the plan accepted last, (0, 0) for none; prepared ones do not count."""
        if self._next is not None:
            return self._next.plan.epoch, self._next.plan.version
        return _pair(self._kept.current)

    def take(self, push: controller_pb2.PlanPush) -> None:
        """A push of a published plan, or one that takes a version back."""
        if push.kind == controller_pb2.PUSH_KIND_REVOKE:
            self._revoke(push.nonce, push.version)
            return
        plan, wrong = self._verifier.opened(push.signed_plan)
        pair = plan.epoch, plan.version
        if not wrong and plan.version != push.version:
            wrong = "it is another version than was announced"
        if not wrong and pair == self.held and self._is_held(push.signed_plan):
            self._report(push.nonce, plan.version, plan_pb2.PLAN_STATE_ACCEPTED)
            return
        if not wrong and pair <= self.held:
            wrong = f"version {plan.version} is not above {self.held[1]}"
        if wrong:
            self._reject(push, wrong, ())
            return
        if self._beside is None:
            self._decide(push, plan, self._check(plan))
        else:
            self._checking = push, plan, self._beside.submit(self._check, plan)

    def _check(self, plan: plan_pb2.Plan) -> CheckedPlan:
        return check_plan(
            plan,
            self._local.intersection,
            envelope_hash=self._envelope_hash,
            now_unix_ms=self._clock.unix_ms(),
        )

    def _decide(
        self, push: controller_pb2.PlanPush, plan: plan_pb2.Plan, checked: CheckedPlan
    ) -> None:
        """Accept a plan, or refuse it."""
        if checked.content is None:
            self._reject(push, "the plan breaks rules", checked.findings)
            return
        waiting = _Waiting(
            signed=push.signed_plan,
            plan=plan,
            schedule=checked.content.schedule,
            batch_id=push.batch_id,
            from_ms=plan.not_before_unix_ms,
        )
        if push.prepare_only:
            self._prepared = waiting
        elif self._keep(push.nonce, plan.version, next=push.signed_plan):
            self._next = waiting
        else:
            return
        self._report(push.nonce, plan.version, plan_pb2.PLAN_STATE_ACCEPTED)

    def activate(self, message: controller_pb2.Activate) -> None:
        """When a prepared plan takes over, or that it does not."""
        prepared = self._prepared
        if prepared is None or prepared.batch_id != message.batch_id:
            final = self._next is not None and self._next.batch_id == message.batch_id
            state = plan_pb2.PLAN_STATE_ACCEPTED if final else plan_pb2.PLAN_STATE_REVERTED
            version = self._next.plan.version if final and self._next is not None else 0
            self._report(message.nonce, version, state, "" if final else "no such batch here")
        elif message.abort:
            self._prepared = None
            state = plan_pb2.PLAN_STATE_REVERTED
            self._report(message.nonce, prepared.plan.version, state, "the batch is over")
        else:
            prepared.from_ms, prepared.told = max(prepared.from_ms, message.at_unix_ms), True
            self._report(message.nonce, prepared.plan.version, plan_pb2.PLAN_STATE_ACCEPTED)

    def connected(self) -> None:
        """Tell a server what is held, wherever it heard of it last."""
        if self.version:
            self._report(0, self.version, plan_pb2.PLAN_STATE_APPLIED)
        if self._next is not None:
            self._report(0, self._next.plan.version, plan_pb2.PLAN_STATE_ACCEPTED)

    def disconnected(self) -> None:
        """What is prepared and not yet final is forgotten, and so is a push not yet answered."""
        self._checking = self._prepared = None

    def tick(self, now_ds: int) -> None:
        """Before a tick of the local controller: let a plan take over whose time has come."""
        if self._checking is not None and self._checking[2].done():
            (push, plan, future), self._checking = self._checking, None
            self._decide(push, plan, future.result())
        prepared = self._prepared
        if prepared is not None and prepared.told and now_ds * 100 >= prepared.from_ms - FINAL_MS:
            self._prepared = None
            if self._keep(0, prepared.plan.version, next=prepared.signed):
                self._next = prepared
        if self._next is not None and self._is_due(self._next, now_ds):
            self._take_over(self._next)

    def _is_due(self, waiting: _Waiting, now_ds: int) -> bool:
        """Whether a plan takes over at this tick."""
        old, new = self._local.schedule, waiting.schedule
        clock_ds = new.plan_at(now_ds).cycle_clock_ds(now_ds)
        stage = old.stage_at(now_ds)
        begins = clock_ds == 0 or (waiting.clock_ds is not None and clock_ds < waiting.clock_ds)
        changes = waiting.stage is not None and stage != waiting.stage
        waiting.clock_ds, waiting.stage = clock_ds, stage
        if now_ds * 100 < waiting.from_ms:
            return False
        if waiting.since_ds is None:
            waiting.since_ds = now_ds
        if waiting.plan.activation == plan_pb2.ACTIVATION_CYCLE_START:
            return begins
        if waiting.plan.activation == plan_pb2.ACTIVATION_NEXT_STAGE:
            longest_ds = LONGEST_WAIT_CYCLES * old.plan_at(now_ds).cycle_ds
            return changes or now_ds - waiting.since_ds >= longest_ds
        return True

    def _take_over(self, waiting: _Waiting) -> None:
        self._next = None
        version = waiting.plan.version
        plans = KeptPlans(current=waiting.signed, before=self._kept.current)
        try:
            self._file.write(plans)
        except OSError as error:  # it is kept as the next one; after a restart it takes over again
            log.error("the takeover of plan %d is not on disk: %s", version, error)
        self._kept = plans
        self._local.take_plan(waiting.schedule)
        self.version = version
        self._report(0, version, plan_pb2.PLAN_STATE_APPLIED)

    def _revoke(self, nonce: int, version: int) -> None:
        """Take a version back: the plan before it, or the one the controller came with."""
        if self._next is not None and self._next.plan.version == version:
            self._next = None
            self._keep(0, version, next=None)
        elif self.version == version:
            self._kept = KeptPlans(current=self._kept.before)
            self._keep(0, version, next=None)
            self._restore()
        self._report(nonce, version, plan_pb2.PLAN_STATE_REVERTED, "revoked")

    def _restore(self) -> None:
        """Follow what is kept, if it may still be believed."""
        self._local.take_plan(self._own)
        self.version = 0
        current = self._schedule_of(self._kept.current)
        if current is None and self._kept.current is not None:
            self._kept = KeptPlans(current=self._kept.before, next=self._kept.next)
            current = self._schedule_of(self._kept.current)
        if current is not None:
            plan, schedule = current
            self._local.take_plan(schedule)
            self.version = plan.version
        ahead = self._schedule_of(self._kept.next)
        if ahead is not None and self._kept.next is not None:
            plan, schedule = ahead
            self._next = _Waiting(
                signed=self._kept.next,
                plan=plan,
                schedule=schedule,
                batch_id="",
                from_ms=plan.not_before_unix_ms,
            )

    def _schedule_of(
        self, signed: plan_pb2.SignedPlan | None
    ) -> tuple[plan_pb2.Plan, StageSchedule] | None:
        """A kept plan, checked as if it had just come."""
        if signed is None:
            return None
        plan, wrong = self._verifier.opened(signed)
        if wrong:
            log.error("a kept plan is not believed: %s", wrong)
            return None
        checked = self._check(plan)
        if checked.content is None:
            rules = ", ".join(finding.rule for finding in checked.findings)
            log.error("kept plan %d breaks rules here: %s", plan.version, rules)
            return None
        return plan, checked.content.schedule

    def _is_held(self, signed: plan_pb2.SignedPlan) -> bool:
        return any(
            kept is not None and kept.sha256 == signed.sha256
            for kept in (self._kept.current, self._kept.next)
        )

    def _keep(self, nonce: int, version: int, *, next: plan_pb2.SignedPlan | None) -> bool:
        """Keep the next plan beside the current one; whether it is on disk."""
        plans = self._kept._replace(next=next)
        try:
            self._file.write(plans)
        except OSError as error:
            log.error("plan %d cannot be kept: %s", version, error)
            state = plan_pb2.PLAN_STATE_REVERTED
            self._report(nonce, version, state, f"it cannot be kept: {error.strerror}")
            return False
        self._kept = plans
        return True

    def _reject(
        self,
        push: controller_pb2.PlanPush,
        cause: str,
        findings: tuple[common_pb2.Finding, ...],
    ) -> None:
        self.rejected += 1
        self._report(push.nonce, push.version, plan_pb2.PLAN_STATE_REJECTED, cause, findings)


def _pair(signed: plan_pb2.SignedPlan | None) -> tuple[int, int]:
    """Epoch and version of a kept plan, (0, 0) for none."""
    if signed is None:
        return 0, 0
    plan = plan_pb2.Plan.FromString(signed.plan)
    return plan.epoch, plan.version
