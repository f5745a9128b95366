"""How often one holder may call a method: a token bucket each, so that nobody crowds out others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import grpc

from ampelwerk.controllers.identity import Identity
from ampelwerk.controllers.service.errors import Refused

REFUSALS = "refusals"
"""Records in the audit of commands that the gate has refused: who may nothing shall not fill it."""


class Rate(NamedTuple):
    """Calls of one holder."""

    per_s: float
    """In the long run. [1/s]"""
    burst: int
    """At once, after a rest."""


RATES: Mapping[str, Rate] = {
    "/ampelwerk.v1.ControllerService/Register": Rate(1.0, 5),
    "/ampelwerk.v1.ControllerService/GetPlan": Rate(1.0, 5),
    "/ampelwerk.v1.ControllerService/RequestPriority": Rate(1.0, 5),
    "/ampelwerk.v1.TelemetryService/ReportAlarms": Rate(1.0, 5),
    "/ampelwerk.v1.NetworkService/Get": Rate(5.0, 20),
    "/ampelwerk.v1.DecisionService/Explain": Rate(5.0, 20),
    "/ampelwerk.v1.AlarmService/List": Rate(5.0, 20),
    "/ampelwerk.v1.OverrideService/List": Rate(5.0, 20),
    "/ampelwerk.v1.PlanService/List": Rate(5.0, 20),
    "/ampelwerk.v1.PlanService/Get": Rate(5.0, 20),
    "/ampelwerk.v1.PlanService/Verify": Rate(10.0, 100),
    "/ampelwerk.v1.PlanService/Publish": Rate(10.0, 100),
    "/ampelwerk.v1.PlanService/PublishTogether": Rate(1.0, 5),
    "/ampelwerk.v1.PlanService/Rollback": Rate(10.0, 100),
    "/ampelwerk.v1.OverrideService/Preview": Rate(1.0, 5),
    "/ampelwerk.v1.OverrideService/Request": Rate(1.0, 5),
    "/ampelwerk.v1.OverrideService/Renew": Rate(1.0, 5),
    "/ampelwerk.v1.OverrideService/Approve": Rate(1.0, 5),
    "/ampelwerk.v1.AuditService/Query": Rate(1.0, 5),
    "/ampelwerk.v1.AuditService/GetCheckpoint": Rate(1.0, 5),
    REFUSALS: Rate(1.0, 5),
}
"""Methods that are limited, and records of refusals; the others are not. Release never is."""


class Buckets:
    """What is left to every holder. There are no more of them than certificates."""

    def __init__(self, mono_ms: Callable[[], int], rates: Mapping[str, Rate] = RATES) -> None:
        self._mono_ms, self._rates = mono_ms, rates
        self._left: dict[tuple[str, str], tuple[float, int]] = {}

    def left(self, method: str, identity: Identity) -> bool:
        """Count a call if it may be; whether it may."""
        try:
            self.take(method, identity)
        except Refused:
            return False
        return True

    def take(self, method: str, identity: Identity) -> None:
        """Count a call.

        Raises
        ------
        Refused : there were too many; it says when the next one may come.
        """
        rate = self._rates.get(method)
        if rate is None:
            return
        now_ms, key = self._mono_ms(), (method, identity.uri)
        left, at_ms = self._left.get(key, (float(rate.burst), now_ms))
        left = min(float(rate.burst), left + (now_ms - at_ms) / 1000 * rate.per_s)
        if left < 1.0:
            self._left[key] = left, now_ms
            wait_ms = round((1.0 - left) / rate.per_s * 1000)
            raise Refused(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "RATE",
                f"too many calls; the next one may come in {wait_ms} ms",
                retry_after_ms=wait_ms,
            )
        self._left[key] = left - 1.0, now_ms
