"""Overrides at the roadside: pushes become leases of the arbiter, what becomes of them is reported.

A lease ends at the controller by its own monotonic clock, whether or not the server is heard from. The
arbiter counts in deciseconds of the day's clock, which may be set; whichever of the two says first that
the time is over is believed.
"""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.controllers.arbiter import Arbiter
from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.override_convert import cause_name, end_cause, pushed_lease
from ampelwerk.models.errors import InvalidInputError, OverrideRefusedError, RefusalCode
from ampelwerk.models.override import EndCause
from ampelwerk.proto.v1 import controller_pb2, override_pb2


class OverrideLeases:
    """What the server has asked one arbiter for.

    Parameters
    ----------
    clock : of the controller.
    """

    def __init__(self, arbiter: Arbiter, clock: Clock) -> None:
        self._arbiter, self._clock = arbiter, clock
        self._until_ms: dict[str, int] = {}

    @property
    def names(self) -> Sequence[str]:
        """Overrides whose leases are kept."""
        return [lease.override_id for lease in self._arbiter.leases]

    def take(self, push: controller_pb2.OverridePush) -> controller_pb2.OverrideReport:
        """Do what a push says; the answer. What cannot be done is over, with its cause."""
        now_ds = self._clock.unix_ms() // 100
        name = push.override_id
        if push.kind == controller_pb2.OVERRIDE_KIND_END:
            self._arbiter.end(name, end_cause(push.cause) or EndCause.RELEASED, now_ds)
        else:
            try:
                lease = pushed_lease(push, self._arbiter.site_for(name), now_ds)
                self._arbiter.set(lease, now_ds)
            except OverrideRefusedError as error:
                local = error.code is RefusalCode.LOCAL
                self._arbiter.end(name, EndCause.LOCAL if local else EndCause.FAILED, now_ds)
            except InvalidInputError:
                self._arbiter.end(name, EndCause.FAILED, now_ds)
        report = controller_pb2.OverrideReport(nonce=push.nonce, override_id=name)
        kept = {lease.override_id: lease for lease in self._arbiter.leases}
        if name in kept:
            self._until_ms[name] = self._clock.mono_ms() + push.ttl_ms
            follows = self._arbiter.follows(name)
            report.state = (
                override_pb2.OVERRIDE_STATE_ACTIVE
                if follows
                else override_pb2.OVERRIDE_STATE_DELIVERED
            )
            report.remaining_ms = push.ttl_ms
        else:
            report.state = override_pb2.OVERRIDE_STATE_ENDED
            report.cause = cause_name(self._arbiter.over(name) or EndCause.RELEASED)
        self._tell_green(report)
        return report

    def expire(self, now_ds: int) -> None:
        """End what is over by the monotonic clock."""
        mono_ms = self._clock.mono_ms()
        for name in [name for name, until_ms in self._until_ms.items() if until_ms <= mono_ms]:
            del self._until_ms[name]
            if name in self.names:
                self._arbiter.end(name, EndCause.EXPIRED, now_ds)

    def reports(self) -> list[controller_pb2.OverrideReport]:
        """What became of leases since the call before."""
        mono_ms, found = self._clock.mono_ms(), []
        for report in self._arbiter.reports():
            name = report.override_id
            message = controller_pb2.OverrideReport(
                override_id=name,
                state=override_pb2.OVERRIDE_STATE_ACTIVE
                if report.active
                else override_pb2.OVERRIDE_STATE_DELIVERED,
                remaining_ms=max(0, self._until_ms.get(name, mono_ms) - mono_ms),
            )
            if report.cause is not None:
                message.state = override_pb2.OVERRIDE_STATE_ENDED
                message.cause = cause_name(report.cause)
                self._until_ms.pop(name, None)
            self._tell_green(message)
            found.append(message)
        return found

    def _tell_green(self, report: controller_pb2.OverrideReport) -> None:
        """The green that the vehicle was given."""
        green = self._arbiter.given(report.override_id)
        if green is not None:
            report.green_from_unix_ms, report.green_ms = green.from_unix_ms, green.length_ms
