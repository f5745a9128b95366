"""All overrides of a city and their life: asked for, granted, delivered, active, over.

Every method says what would change and changes nothing; `take` makes it so. In between lies the store:
what is not durable has no effect. Rules:

- Precedence follows from the action. An intersection holds one override of each precedence; the highest
  that has something to say decides, the lower ones wait beneath it.
- A request for several intersections is delivered to all of them, or it is over everywhere.
- Of equal precedence the first holds. Who asks with `supersede` takes its place if it is his own or his
  role is higher; otherwise he is told who holds it and until when.
- Everything ends: at its expiry, when it is released, when a controller did not take it within `DELIVERY_MS`;
  and ENDING is over after `ENDING_MS` at the latest, for a controller drops a lease by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ampelwerk.controllers.override_policy import (
    Policy,
    check_role,
    check_times,
    check_ttl,
    rank,
)
from ampelwerk.controllers.steering import resolve_target
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import OverrideRefusedError, RefusalCode
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.override import (
    EndCause,
    GreenGiven,
    Override,
    OverrideId,
    OverrideRequest,
    OverrideState,
    Role,
)

DELIVERY_MS = 15_000
"""A granted override that no controller has by then is over. [ms]"""
ENDING_MS = 120_000
"""By then every controller has dropped it by itself and is back. [ms]"""


class OverrideBook:
    """Overrides that are not over.

    Parameters
    ----------
    sites : intersections that may be named.
    kept : overrides as the store has them.
    """

    def __init__(
        self,
        sites: Mapping[IntersectionId, Intersection],
        policy: Policy | None = None,
        kept: Iterable[Override] = (),
    ) -> None:
        self._sites, self.policy = sites, policy or Policy()
        self._open: dict[OverrideId, Override] = {}
        self.take(kept)

    def take(self, changed: Iterable[Override]) -> None:
        """Make changes so."""
        for override in changed:
            if override.over:
                self._open.pop(override.override_id, None)
            else:
                self._open[override.override_id] = override

    def all(self) -> list[Override]:
        """Overrides that are not over, by name."""
        return [self._open[name] for name in sorted(self._open)]

    def in_force(self, place: IntersectionId, now_unix_ms: int) -> list[Override]:
        """Overrides whose time is now at an intersection, highest first."""
        return sorted(
            (
                override
                for override in self._open.values()
                if override.leg(place) is not None and override.in_force(now_unix_ms)
            ),
            key=lambda override: (-override.request.precedence, override.override_id),
        )

    def due(self, place: IntersectionId) -> list[Override]:
        """What a controller that comes (back) must have: live overrides, by name."""
        return [o for o in self.all() if o.live and o.leg(place) is not None]

    def open_at(self, place: IntersectionId) -> list[Override]:
        """What is not over at an intersection, what is ending included, by name."""
        return [o for o in self.all() if o.leg(place) is not None and place not in o.gone]

    def strays(self, place: IntersectionId, held: Iterable[OverrideId]) -> list[OverrideId]:
        """Of the leases that a controller says it has, those that are over; tell it to end them."""
        due = {override.override_id for override in self.due(place)}
        return [name for name in held if name not in due]

    def request(self, request: OverrideRequest, now_unix_ms: int) -> list[Override]:
        """Grant a request, the new override last; those it takes the place of before it.

        Raises
        ------
        InvalidInputError : a time that cannot be.
        OverrideRefusedError : HELD, ROLE or UNKNOWN_ID.
        """
        self.check(request, now_unix_ms)
        name = _name(request, now_unix_ms)
        asks = request.action in self.policy.second_person or len(request.legs) > self.policy.area
        effective_ms = max(now_unix_ms, request.not_before_unix_ms)
        fresh = Override(
            override_id=name,
            request=request,
            state=OverrideState.AWAITING_APPROVAL if asks else OverrideState.GRANTED,
            asked_unix_ms=now_unix_ms,
            effective_unix_ms=effective_ms,
            expiry_unix_ms=effective_ms + request.ttl_ms,
        )
        return [*self._displaced(request, now_unix_ms), fresh]

    def check(self, request: OverrideRequest, now_unix_ms: int) -> None:
        """Whether it may be asked for, whoever holds what.

        Raises
        ------
        InvalidInputError : a time that cannot be.
        OverrideRefusedError : ROLE or UNKNOWN_ID.
        """
        check_role(request)
        check_times(request, now_unix_ms, self.policy)
        for leg in request.legs:
            site = self._sites.get(leg.intersection_id)
            if site is None:
                raise OverrideRefusedError(
                    RefusalCode.UNKNOWN_ID,
                    "there is no such intersection",
                    found=str(leg.intersection_id),
                )
            resolve_target(site, request.action, leg.target)

    def rivals(self, request: OverrideRequest) -> list[Override]:
        """Overrides of equal precedence at any of its intersections."""
        places = {leg.intersection_id for leg in request.legs}
        return [
            override
            for override in self.all()
            if override.live
            and override.request.precedence == request.precedence
            and places & {leg.intersection_id for leg in override.request.legs}
        ]

    def approve(
        self, override_id: OverrideId, approver: str, role: Role, now_unix_ms: int
    ) -> list[Override]:
        """A second person agrees.

        Raises
        ------
        OverrideRefusedError : ROLE, UNKNOWN_ID, OVER, or HELD by somebody else since.
        """
        override = self.get(override_id)
        if override.state is not OverrideState.AWAITING_APPROVAL:
            raise _over(override, "nobody waits for an approval")
        if role is not Role.SUPERVISOR or approver == override.request.requester:
            raise OverrideRefusedError(
                RefusalCode.ROLE,
                "a second person must agree",
                where=f"override {override_id}",
                found=f"{approver} as {role}",
                limit=f"a supervisor other than {override.request.requester}",
            )
        effective_ms = max(now_unix_ms, override.effective_unix_ms)
        granted = replace(
            override,
            state=OverrideState.GRANTED,
            approver=approver,
            asked_unix_ms=now_unix_ms,
            effective_unix_ms=effective_ms,
            expiry_unix_ms=effective_ms + override.request.ttl_ms,
        )
        return [*self._displaced(override.request, now_unix_ms, but=override_id), granted]

    def renew(
        self, override_id: OverrideId, ttl_ms: int, requester: str, role: Role, now_unix_ms: int
    ) -> list[Override]:
        """Let it last so long from now.

        Raises
        ------
        InvalidInputError : no such duration.
        OverrideRefusedError : ROLE, UNKNOWN_ID or OVER.
        """
        override = self._own(override_id, requester, role)
        if not override.live or now_unix_ms >= override.expiry_unix_ms:
            raise _over(override, "it cannot be renewed: ask for a new one")
        check_ttl(replace(override.request, ttl_ms=ttl_ms), role, self.policy)
        expiry_ms = max(now_unix_ms, override.effective_unix_ms) + ttl_ms
        return [replace(override, expiry_unix_ms=expiry_ms)]

    def release(
        self, override_id: OverrideId, requester: str, role: Role, now_unix_ms: int
    ) -> list[Override]:
        """End it.

        Raises
        ------
        OverrideRefusedError : ROLE, UNKNOWN_ID or OVER.
        """
        override = self._own(override_id, requester, role)
        if override.state is OverrideState.AWAITING_APPROVAL:
            own = override.request.requester == requester
            cause = EndCause.RELEASED if own else EndCause.DECLINED
            return [override.ended(cause, now_unix_ms)]
        if not override.live:
            raise _over(override, "it is ending already")
        return [override.ended(EndCause.RELEASED, now_unix_ms)]

    def reported(
        self,
        override_id: OverrideId,
        place: IntersectionId,
        now_unix_ms: int,
        *,
        active: bool | None = None,
        ended: EndCause | None = None,
        green: GreenGiven | None = None,
    ) -> list[Override]:
        """What a controller says: it has the lease; its lamps follow it (`active`); it is over there.

        A controller that still has what is over here is no news: its lease ends by itself.
        """
        before = self._open.get(override_id)
        if before is None or before.leg(place) is None:
            return []
        override = before.given(green)
        if ended is None:
            changed = self._has_it(override, place, active is True)
            return [changed] if changed != before else []
        left = tuple(name for name in override.active if name != place)
        gone = tuple(sorted({*override.gone, place}))
        changed = replace(override, active=left, gone=gone)
        everywhere = len(gone) == len(override.request.legs)
        if override.live and everywhere:
            changed = changed.ended(ended, now_unix_ms)
        elif override.state is OverrideState.ENDING and set(override.delivered) <= set(gone):
            changed = replace(changed, state=OverrideState.ENDED)
        return [changed] if changed != before else []

    def passed(self, now_unix_ms: int) -> list[Override]:
        """What the time that passed changes."""
        found = []
        for override in self.all():
            fresh = override
            if override.state is OverrideState.ENDING:
                if now_unix_ms - override.ending_unix_ms >= ENDING_MS:
                    fresh = replace(override, state=OverrideState.ENDED, active=())
            elif now_unix_ms >= override.expiry_unix_ms:
                fresh = override.ended(EndCause.EXPIRED, now_unix_ms)
            elif (
                override.state is OverrideState.GRANTED  # some controller does not have it
                and now_unix_ms - override.asked_unix_ms >= DELIVERY_MS
            ):
                fresh = override.ended(EndCause.UNDELIVERED, now_unix_ms)
            if fresh != override:
                found.append(fresh)
        return found

    def get(self, override_id: OverrideId) -> Override:
        """An override that is not over.

        Raises
        ------
        OverrideRefusedError : UNKNOWN_ID.
        """
        override = self._open.get(override_id)
        if override is None:
            raise OverrideRefusedError(
                RefusalCode.UNKNOWN_ID,
                "there is no such override, or it is over",
                where=f"override {override_id[:64]}",
            )
        return override

    def _has_it(self, override: Override, place: IntersectionId, active: bool) -> Override:
        """A controller has the lease, and perhaps follows it; it is granted until all have it."""
        if not override.live:
            return override
        delivered = tuple(sorted({*override.delivered, place}))
        following = tuple(sorted({*override.active, *((place,) if active else ())}))
        state = override.state
        if len(delivered) == len(override.request.legs):
            was_active = state is OverrideState.ACTIVE
            state = OverrideState.ACTIVE if following or was_active else OverrideState.DELIVERED
        return replace(override, state=state, delivered=delivered, active=following)

    def _own(self, override_id: OverrideId, requester: str, role: Role) -> Override:
        """An override that somebody may end or renew: his own, or any for a supervisor."""
        override = self.get(override_id)
        own = override.request.requester == requester and rank(role) >= 0
        if not own and role is not Role.SUPERVISOR:
            raise OverrideRefusedError(
                RefusalCode.ROLE,
                "it belongs to somebody else",
                where=f"override {override_id}",
                found=f"{requester} as {role}",
                limit=f"{override.request.requester}, or a supervisor",
                holder=override.request.requester,
                expires_unix_ms=override.expiry_unix_ms,
            )
        return override

    def _displaced(
        self, request: OverrideRequest, now_unix_ms: int, but: OverrideId | None = None
    ) -> list[Override]:
        """Overrides that make way for a request, ended; or HELD."""
        found = []
        for override in self.rivals(request):
            if override.override_id == but:
                continue
            own = override.request.requester == request.requester
            above = rank(request.role) > rank(override.request.role)
            if not request.supersede or not (own or above):
                raise OverrideRefusedError(
                    RefusalCode.HELD,
                    f"{override.request.requester} holds it with {override.request.action}",
                    found=f"override {override.override_id}",
                    remedy="ask with supersede: it is yours"
                    if own
                    else "wait, ask the holder, or ask with supersede if your role is higher",
                    holder=override.request.requester,
                    expires_unix_ms=override.expiry_unix_ms,
                )
            found.append(override.ended(EndCause.SUPERSEDED, now_unix_ms))
        return found


def _name(request: OverrideRequest, now_unix_ms: int) -> OverrideId:
    """Name of the override of a request; a key may be used again when its reply is forgotten."""
    text = f"{request.requester}\0{request.key}\0{now_unix_ms}".encode()
    return OverrideId("o" + hashlib.sha256(text).hexdigest()[:15])


def _over(override: Override, what: str) -> OverrideRefusedError:
    return OverrideRefusedError(
        RefusalCode.OVER,
        what,
        where=f"override {override.override_id}",
        found=str(override.state),
        holder=override.request.requester,
        expires_unix_ms=override.expiry_unix_ms,
    )
