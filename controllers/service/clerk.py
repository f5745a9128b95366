"""The clerk: keeps the store of a live system in a thread of its own, one call after another.

A write waits for the disk, and the event loop must not. What has begun is carried to its end, even if
whoever asked for it has gone meanwhile. The clerk also signs the audit now and then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ampelwerk.controllers.identity import Identity
from ampelwerk.controllers.requests import refuse
from ampelwerk.controllers.service.errors import Refused
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.store import audit, database
from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.errors import StoreError

Result = TypeVar("Result")
SIGN_MS, SIGN_RECORDS = 60_000, 1_000
"""The audit is signed so often, if there is something new: after this time [ms], or so many records."""
log = logging.getLogger("ampelwerk.server")


class Clerk:
    """The store's thread.

    Parameters
    ----------
    store : closed with the clerk.
    key : signs checkpoints of the audit; None: they are not signed.
    """

    def __init__(self, city: LiveCity, store: Store, key: Ed25519PrivateKey | None = None) -> None:
        self._city, self.store = city, store
        self._pool = ThreadPoolExecutor(1, "clerk")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._key, self._signed_ms, self._signed_seq = key, city.clock.mono_ms(), 0

    async def run(self, call: Callable[[], Result]) -> Result:
        """Run something in the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Begin what will be carried to its end."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def carry_out(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Begin it, and wait; it goes on if whoever waits is gone."""
        return await asyncio.shield(self.start(work))

    def entry(self, who: Identity, method: str, target: str, reason: str = "") -> AuditEntry:
        """Somebody asks for something, now."""
        return entry_of(who, self._city.clock.unix_ms(), method, target, reason)

    async def record(self, entry: AuditEntry) -> None:
        """Put something that changes nothing into the audit."""

        def write() -> None:
            with self.store.change() as change:
                change.record(entry)

        await self.carry_out(self.run(write))

    async def refuse(self, error: Exception, entry: AuditEntry) -> None:
        """Record a refusal that no desk has seen."""
        await self.carry_out(self.run(lambda: refuse(self.store, error, bounded(entry))))

    async def turned_away(self, method: str, identity: Identity, error: Refused) -> None:
        """Record a command that was refused before anybody looked at what it asks for.

        Parameters
        ----------
        method : of the interface, or as the audit names it.
        """
        await self.record(
            replace(
                self.entry(identity, audited_method(method), ""),
                result=error.code,
                detail=str(error),
            )
        )

    async def sign(self, now_unix_ms: int) -> None:
        """Sign the audit's last record when that is due."""
        if self._key is not None:
            await self.run(lambda: self._sign(now_unix_ms))

    @property
    def idle(self) -> bool:
        """Nothing is being done."""
        return not self._tasks

    async def settled(self) -> None:
        """Until all that has begun is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Finish what has begun, and let go of the store."""
        await self.settled()
        self._pool.shutdown()
        self.store.close()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._city.progressed()
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreError):
            log.error("the store failed: %s", error)

    def _sign(self, now_unix_ms: int) -> None:
        assert self._key is not None
        with self.store.read() as reading:
            seq = reading.audit_seq
        mono_ms = self._city.clock.mono_ms()
        if mono_ms - self._signed_ms < SIGN_MS and seq - self._signed_seq < SIGN_RECORDS:
            return
        with database.writing(self.store.engine) as connection:
            audit.add_checkpoint(connection, self._key, now_unix_ms)
        self._signed_ms, self._signed_seq = mono_ms, seq


def entry_of(
    who: Identity, at_unix_ms: int, method: str, target: str, reason: str = ""
) -> AuditEntry:
    """Somebody asks for something; the result is ok until it is known to be another."""
    return AuditEntry(
        at_unix_ms=at_unix_ms,
        actor=who.name,
        role=who.kind.value,
        method=method,
        target=target,
        result="ok",
        reason=reason,
    )


def audited_method(method: str) -> str:
    """A method of the interface as the audit names it, such as ``override.request``."""
    service, _, name = method.rpartition("/")
    if not service:
        return method
    kind = service.rpartition(".")[2].removesuffix("Service").lower()
    return f"{kind}.{name.lower()}"


def bounded(entry: AuditEntry, most: int = 1_000) -> AuditEntry:
    """An entry whose texts, which a stranger may have sent, have an end."""
    return replace(entry, target=entry.target[:most], reason=entry.reason[:most])
