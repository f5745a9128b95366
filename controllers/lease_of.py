"""An override in the terms of one controller: indices for names, its own clock for UTC."""

from __future__ import annotations

from ampelwerk.controllers.steering import Lease, resolve_target
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.override import Override, OverrideLeg


def lease_of(
    override: Override, leg: OverrideLeg, site: Intersection, *, zero_unix_ms: int
) -> Lease:
    """The lease of one leg.

    Parameters
    ----------
    zero_unix_ms : UTC at which the controller's clock shows 0. [ms]

    Raises
    ------
    OverrideRefusedError : the controller knows no such stage, plan or group.
    """
    request = override.request

    def clock_ds(unix_ms: int) -> int:
        return (unix_ms - zero_unix_ms) // 100

    return Lease(
        override_id=str(override.override_id),
        action=request.action,
        precedence=request.precedence,
        target=resolve_target(site, request.action, leg.target),
        eta_ds=clock_ds(leg.eta_unix_ms) if leg.eta_unix_ms else 0,
        max_green_ds=-(-request.max_green_ms // 100),
        effective_ds=clock_ds(override.effective_unix_ms),
        expiry_ds=clock_ds(override.expiry_unix_ms),
    )
