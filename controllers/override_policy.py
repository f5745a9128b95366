"""What may be asked for at all: by whom, for how long, how far ahead, and with whose consent."""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.models.errors import InvalidInputError, OverrideRefusedError, RefusalCode
from ampelwerk.models.override import WITH_ETA, OverrideAction, OverrideRequest, Role

AHEAD_MS = 86_400_000
"""An override may begin so far ahead. [ms]"""
RANK = {Role.CONTROLLER: 0, Role.OPERATOR: 1, Role.SUPERVISOR: 2}
"""Roles that may ask, the higher the more."""


def rank(role: Role) -> int:
    """Rank of a role, -1 where it may not ask."""
    return RANK.get(role, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a city settles for itself."""

    longest_ms: int = 3_600_000
    """Longest lease. [ms]"""
    longest_plan_ms: int = 28_800_000
    """Longest lease of a plan that a supervisor selects. [ms]"""
    second_person: frozenset[OverrideAction] = frozenset(
        {OverrideAction.FLASH, OverrideAction.DARK, OverrideAction.ALL_RED}
    )
    """Actions that a second person must agree to."""
    area: int = 10
    """Requests for more intersections than this need a second person, too."""


def check_role(request: OverrideRequest) -> None:
    """Whether the role may ask for the action.

    Raises
    ------
    OverrideRefusedError : ROLE.
    """
    least = Role.CONTROLLER if request.action is OverrideAction.PRIORITY else Role.OPERATOR
    if rank(request.role) < RANK[least]:
        raise OverrideRefusedError(
            RefusalCode.ROLE,
            f"the role may not ask for {request.action}",
            where=request.label,
            found=str(request.role),
            limit=", ".join(role for role in RANK if RANK[role] >= RANK[least]),
        )


def check_times(request: OverrideRequest, now_unix_ms: int, policy: Policy) -> None:
    """Begin, duration and arrivals lie where they can.

    Raises
    ------
    InvalidInputError : one does not.
    """
    where = request.label
    check_ttl(request, request.role, policy)
    if request.not_before_unix_ms > now_unix_ms + AHEAD_MS:
        raise InvalidInputError(
            "it begins too far ahead", where=where, limit=f"{AHEAD_MS // 3_600_000} h ahead"
        )
    expiry_ms = max(now_unix_ms, request.not_before_unix_ms) + request.ttl_ms
    for leg in request.legs if request.action in WITH_ETA else ():
        if not now_unix_ms <= leg.eta_unix_ms <= expiry_ms:
            raise InvalidInputError(
                "the vehicle does not arrive while it lasts",
                where=f"{where}, intersection {leg.intersection_id}",
                found=f"arrival in {(leg.eta_unix_ms - now_unix_ms) / 1000:g} s",
                limit=f"in 0 to {(expiry_ms - now_unix_ms) / 1000:g} s",
                remedy="correct the time of arrival, or let it last longer",
            )


def check_ttl(request: OverrideRequest, role: Role, policy: Policy) -> None:
    """Longest duration by action and role.

    Raises
    ------
    InvalidInputError : longer, or shorter than a second.
    """
    plan = request.action is OverrideAction.PLAN and role is Role.SUPERVISOR
    longest_ms = policy.longest_plan_ms if plan else policy.longest_ms
    if not 1_000 <= request.ttl_ms <= longest_ms:
        raise InvalidInputError(
            "no such duration",
            where=request.label,
            found=f"{request.ttl_ms / 1000:g} s",
            limit=f"1 to {longest_ms / 1000:g} s for {request.action} as {role}",
            remedy="ask for less and renew it",
        )
