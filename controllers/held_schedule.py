"""The rolling schedule that a controller holds, and whether its server has said what to follow."""

from __future__ import annotations

from collections.abc import Callable

from ampelwerk.controllers import convert
from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.schedule import Schedule, schedule_of
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.models.errors import UnsafePlanError
from ampelwerk.models.intersection import Intersection
from ampelwerk.proto.v1 import common_pb2, controller_pb2, plan_pb2


class HeldSchedule:
    """Takes pushes of schedules; what is held stays if anything is wrong with a new one.

    Parameters
    ----------
    report : tells the server: nonce, version, state, cause, findings.
    """

    def __init__(
        self,
        intersection: Intersection,
        envelope_hash: bytes,
        verifier: PlanVerifier,
        clock: Clock,
        report: Callable[..., None],
    ) -> None:
        self._intersection, self._envelope_hash = intersection, envelope_hash
        self._verifier, self._clock, self._report = verifier, clock, report
        self.epoch = self.version = 0
        """Highest ones: of a server that has answered, and of a schedule that was accepted."""
        self.schedule: Schedule | None = None
        """What is held."""
        self.answered = False
        """The server has said what to follow, and that has not lapsed."""
        self.rejected = 0
        """Schedules refused."""
        self._server_has_none = False
        self._until_ms = 0

    def take(self, push: controller_pb2.PlanPush) -> None:
        """A push about schedules."""
        if push.kind == controller_pb2.PUSH_KIND_HEARTBEAT:
            self.answered = push.version in (0, self.version)
            self._server_has_none = push.version == 0
            self._report(push.nonce, push.version, plan_pb2.PLAN_STATE_ACCEPTED)
        elif push.kind == controller_pb2.PUSH_KIND_FULL:
            self._take_plan(push)
        elif push.kind == controller_pb2.PUSH_KIND_NO_PLAN:
            self.answered = False
            self._report(push.nonce, push.version, plan_pb2.PLAN_STATE_ACCEPTED)
        elif push.kind == controller_pb2.PUSH_KIND_REVOKE:
            if self.schedule is not None and self.schedule.version == push.version:
                self.schedule, self.answered = None, False
            self._report(push.nonce, push.version, plan_pb2.PLAN_STATE_REVERTED, "revoked")

    def lapse(self) -> None:
        """Before a tick: drop a schedule that was not renewed."""
        if self.schedule is not None and self._clock.mono_ms() >= self._until_ms:
            # A server that was started anew and has decided nothing yet leaves us to our plan.
            version, self.schedule = self.schedule.version, None
            self.answered = self._server_has_none
            self._report(0, version, plan_pb2.PLAN_STATE_EXPIRED, "not renewed in time")

    def _take_plan(self, push: controller_pb2.PlanPush) -> None:
        """Believe, decode, check."""
        plan, wrong = self._verifier.opened(push.signed_plan)
        if not wrong and plan.epoch < self.epoch:
            wrong = f"epoch {plan.epoch} is below {self.epoch}"
        if not wrong and plan.epoch == self.epoch and plan.version <= self.version:
            wrong = f"version {plan.version} is not above {self.version}"
        if wrong:
            self._reject(push, wrong, ())
            return
        try:
            schedule = schedule_of(
                plan,
                self._intersection,
                envelope_hash=self._envelope_hash,
                unix_ms=self._clock.unix_ms(),
                nonce=push.nonce,
            )
        except UnsafePlanError as error:
            findings = tuple(convert.finding_message(finding) for finding in error.findings)
            self._reject(push, "the plan breaks rules", findings)
            return
        self.epoch, self.version = plan.epoch, plan.version
        self.schedule, self.answered, self._server_has_none = schedule, True, False
        self._until_ms = self._clock.mono_ms() + (
            schedule.valid_until_unix_ms - self._clock.unix_ms()
        )
        self._report(push.nonce, plan.version, plan_pb2.PLAN_STATE_ACCEPTED)

    def _reject(
        self,
        push: controller_pb2.PlanPush,
        cause: str,
        findings: tuple[common_pb2.Finding, ...],
    ) -> None:
        self.rejected += 1
        self._report(push.nonce, push.version, plan_pb2.PLAN_STATE_REJECTED, cause, findings)
