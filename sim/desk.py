"""The desk of a simulated control room: called directly, or behind a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from ampelwerk.controllers.arbiter import Arbiter
from ampelwerk.controllers.lease_of import lease_of
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import RequestRefusedError
from ampelwerk.models.override import Override, OverrideId, OverrideRequest, Role


class Desk(Protocol):
    """Decides requests and brings them to the controllers; errors as those of `OverrideDesk`."""

    def request(self, request: OverrideRequest, now_ms: int) -> Override:
        """Ask for an override."""
        ...

    def approve(
        self, name: OverrideId, approver: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """Agree as the second person."""
        ...

    def renew(
        self, name: OverrideId, ttl_ms: int, requester: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """Let it last so long from now."""
        ...

    def release(
        self, name: OverrideId, requester: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """End it."""
        ...

    def tick(self, now_ms: int) -> None:
        """Let what is over end."""
        ...

    def listen(self, now_ms: int) -> None:
        """Take what the controllers report."""
        ...

    def changes(self) -> list[Override]:
        """Overrides that changed since the call before, in that order."""
        ...

    def find(self, name: OverrideId) -> Override | None:
        """An override that is not over."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class DirectDesk:
    """The desk in this process.

    Parameters
    ----------
    arbiters : one for each intersection.
    store : file of the store, new.
    """

    def __init__(self, arbiters: Mapping[IntersectionId, Arbiter], store: Path) -> None:
        self._arbiters = arbiters
        self._sites = {name: a.controller.intersection for name, a in arbiters.items()}
        self._store = Store(str(store))
        self._desk = OverrideDesk(self._store, self._sites)
        self._changes: list[Override] = []

    def request(self, request: OverrideRequest, now_ms: int) -> Override:
        """Ask for an override."""
        reply, changed = self._desk.request(request, now_ms)
        self._push(changed, now_ms)
        return reply

    def approve(
        self, name: OverrideId, approver: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """Agree as the second person."""
        reply, changed = self._desk.approve(name, approver, role, now_ms, key=key)
        self._push(changed, now_ms)
        return reply

    def renew(
        self, name: OverrideId, ttl_ms: int, requester: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """Let it last so long from now."""
        reply, changed = self._desk.renew(name, ttl_ms, requester, role, now_ms, key=key)
        self._push(changed, now_ms)
        return reply

    def release(
        self, name: OverrideId, requester: str, role: Role, now_ms: int, *, key: str
    ) -> Override:
        """End it."""
        reply, changed = self._desk.release(name, requester, role, now_ms, key=key)
        self._push(changed, now_ms)
        return reply

    def tick(self, now_ms: int) -> None:
        """Let what is over end."""
        self._push(self._desk.tick(now_ms), now_ms)

    def listen(self, now_ms: int) -> None:
        """Take what the controllers report."""
        for place, arbiter in self._arbiters.items():
            for report in arbiter.reports():
                self._changes += self._desk.reported(
                    OverrideId(report.override_id),
                    place,
                    now_ms,
                    active=report.active,
                    ended=report.cause,
                    green=arbiter.given(report.override_id),
                )

    def changes(self) -> list[Override]:
        """Overrides that changed since the call before, in that order."""
        found, self._changes = self._changes, []
        return found

    def find(self, name: OverrideId) -> Override | None:
        """An override that is not over."""
        try:
            return self._desk.book.get(name)
        except RequestRefusedError:
            return None

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _push(self, changed: Iterable[Override], now_ms: int) -> None:
        """Bring what changed to the controllers, as a server would."""
        changed = list(changed)
        self._changes += changed
        now_ds = now_ms // 100
        for override in changed:
            for leg in override.request.legs:
                arbiter, place = self._arbiters[leg.intersection_id], leg.intersection_id
                if place in override.gone:
                    continue
                if override.live:
                    arbiter.set(lease_of(override, leg, self._sites[place], zero_unix_ms=0), now_ds)
                    self._changes += self._desk.reported(override.override_id, place, now_ms)
                elif override.cause is not None:
                    arbiter.end(str(override.override_id), override.cause, now_ds)
