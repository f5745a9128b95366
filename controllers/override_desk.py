"""The desk of the control room: every request is decided, recorded and durable before it has an effect.

One method a request. Each decides by the book, writes the change, the reply and the audit record in one
transaction, and only then makes it so. A refusal changes nothing and is recorded with its code. The
same request under the same key gives the same reply for a day; a refusal is not remembered, for it had
no effect and may be decided otherwise later. Whoever calls pushes what changed to the controllers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from ampelwerk.controllers.override_book import OverrideBook
from ampelwerk.controllers.override_policy import Policy
from ampelwerk.controllers.requests import SERVER, Decision, decide_once
from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.controllers.store.overrides import override_bytes, read_override
from ampelwerk.controllers.store.store import Change, Store
from ampelwerk.models.envelope import IntersectionId
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


class OverrideDesk:
    """Overrides over a store.

    Parameters
    ----------
    store : keeps them, and the audit.
    sites : intersections that may be named.
    reachable : refuses, OFFLINE or LOCAL, what no controller would hear.
    """

    def __init__(
        self,
        store: Store,
        sites: Mapping[IntersectionId, Intersection],
        policy: Policy | None = None,
        *,
        reachable: Callable[[OverrideRequest], None] = lambda request: None,
    ) -> None:
        self._store, self._reachable = store, reachable
        with store.read() as reading:
            kept = reading.overrides.list(set(OverrideState) - {OverrideState.ENDED})
        self.book = OverrideBook(sites, policy, kept)

    def request(
        self, request: OverrideRequest, now_unix_ms: int
    ) -> tuple[Override, Sequence[Override]]:
        """Ask for an override: the reply, and everything that changed.

        Raises
        ------
        InvalidInputError : a time that cannot be.
        OverrideRefusedError : HELD, ROLE, UNKNOWN_ID, KEY_REUSED, OFFLINE or LOCAL.
        StoreError : it could not be made durable, and has no effect.
        """
        return self._decide(
            lambda: self._reached(self.book.request(request, now_unix_ms)),
            body=asdict(request),
            key=request.key,
            entry=AuditEntry(
                at_unix_ms=now_unix_ms,
                actor=request.requester,
                role=request.role.value,
                method="override.request",
                target=" ".join(leg.intersection_id for leg in request.legs),
                result="ok",
                reason=request.reason,
                detail=str(request.action),
            ),
        )

    def approve(
        self,
        override_id: OverrideId,
        approver: str,
        role: Role,
        now_unix_ms: int,
        *,
        key: str,
        reason: str = "",
    ) -> tuple[Override, Sequence[Override]]:
        """Agree as the second person; errors as in `request`, and OVER."""
        return self._decide(
            lambda: self._reached(self.book.approve(override_id, approver, role, now_unix_ms)),
            body={"approve": override_id},
            key=key,
            entry=_entry(now_unix_ms, approver, role, "override.approve", override_id, reason),
        )

    def renew(
        self,
        override_id: OverrideId,
        ttl_ms: int,
        requester: str,
        role: Role,
        now_unix_ms: int,
        *,
        key: str,
        reason: str = "",
    ) -> tuple[Override, Sequence[Override]]:
        """Let it last so long from now; errors as in `request`, and OVER."""
        return self._decide(
            lambda: self.book.renew(override_id, ttl_ms, requester, role, now_unix_ms),
            body={"renew": override_id, "ttl_ms": ttl_ms},
            key=key,
            entry=_entry(now_unix_ms, requester, role, "override.renew", override_id, reason),
        )

    def release(
        self,
        override_id: OverrideId,
        requester: str,
        role: Role,
        now_unix_ms: int,
        *,
        key: str,
        reason: str = "",
    ) -> tuple[Override, Sequence[Override]]:
        """End it; errors as in `request`, and OVER."""
        return self._decide(
            lambda: self.book.release(override_id, requester, role, now_unix_ms),
            body={"release": override_id},
            key=key,
            entry=_entry(now_unix_ms, requester, role, "override.release", override_id, reason),
        )

    def reported(
        self,
        override_id: OverrideId,
        place: IntersectionId,
        now_unix_ms: int,
        *,
        active: bool | None = None,
        ended: EndCause | None = None,
        green: GreenGiven | None = None,
    ) -> Sequence[Override]:
        """Take what a controller says about a lease; what changed."""
        changed = self.book.reported(
            override_id, place, now_unix_ms, active=active, ended=ended, green=green
        )
        return self._happened(changed, now_unix_ms, actor=str(place), role=Role.CONTROLLER.value)

    def tick(self, now_unix_ms: int) -> Sequence[Override]:
        """Let what is over end; what changed."""
        return self._happened(self.book.passed(now_unix_ms), now_unix_ms, actor=SERVER, role=SERVER)

    def kept(self, most: int) -> Sequence[Override]:
        """Overrides that stand, and of those that are over the last ones, at most so many."""
        with self._store.read() as reading:
            return [*self.book.all(), *reading.overrides.ended(most)]

    def _reached(self, changed: Sequence[Override]) -> Sequence[Override]:
        """What would change, if the controllers can be told."""
        self._reachable(changed[-1].request)
        return changed

    def _decide(
        self,
        decide: Callable[[], Sequence[Override]],
        *,
        body: Mapping[str, object],
        key: str,
        entry: AuditEntry,
    ) -> tuple[Override, Sequence[Override]]:
        """Decide one request, durably."""
        changed: Sequence[Override] = ()

        def decided(change: Change) -> Decision:
            nonlocal changed
            changed = decide()
            for override in changed:
                change.overrides.put(override)
            reply = changed[-1]
            target = f"{reply.override_id} {entry.target}"
            return Decision(
                reply=lambda seq: override_bytes(reply),
                target=entry.target if reply.override_id in entry.target else target,
                also=[
                    _outcome(override, entry.at_unix_ms, entry.actor, entry.role)
                    for override in changed[:-1]
                ],
            )

        text = json.dumps(body, sort_keys=True, default=str).encode()
        reply, new = decide_once(self._store, entry, key=key, body=text, decide=decided)
        if new:
            self.book.take(changed)
        return read_override(reply), changed

    def _happened(
        self, changed: Sequence[Override], now_unix_ms: int, *, actor: str, role: str
    ) -> Sequence[Override]:
        """Make durable, and so, what nobody asked for."""
        if changed:
            with self._store.change() as change:
                for override in changed:
                    change.overrides.put(override)
                    change.record(_outcome(override, now_unix_ms, actor, role))
            self.book.take(changed)
        return changed


def _entry(
    now_unix_ms: int, actor: str, role: Role, method: str, target: str, reason: str
) -> AuditEntry:
    return AuditEntry(
        at_unix_ms=now_unix_ms,
        actor=actor,
        role=role.value,
        method=method,
        target=target,
        result="ok",
        reason=reason,
    )


def _outcome(override: Override, now_unix_ms: int, actor: str, role: str) -> AuditEntry:
    """What became of an override."""
    return AuditEntry(
        at_unix_ms=now_unix_ms,
        actor=actor,
        role=role,
        method="override.outcome",
        target=str(override.override_id),
        result=override.state.value,
        detail="; ".join(filter(None, (_came_to(override), *map(_told_green, override.greens)))),
    )


def _came_to(override: Override) -> str:
    """Why it is over, or where it is followed."""
    return override.cause.value if override.cause else " ".join(override.active)


def _told_green(green: GreenGiven) -> str:
    """For the audit, such as ``J7 green from 1700000000000 for 12000 ms``."""
    length = f" for {green.length_ms} ms" if green.length_ms else ""
    return f"{green.intersection_id} green from {green.from_unix_ms}{length}"
