"""The store: one transaction holds a change and the record of it, and is on disk before any effect.

    with store.change() as change:
        version = change.publish(...)
        change.record(AuditEntry(...))
    # from here on it may be pushed

A change that records nothing is refused at its end. What nobody asked for, as an alarm that a
controller has raised, is kept without a record (`keep`). Whoever leads holds an epoch; a server whose
epoch is over can change nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from ampelwerk.controllers.store import audit, database, schema
from ampelwerk.controllers.store.alarms import Alarms
from ampelwerk.controllers.store.audit import AuditEntry, AuditRecord
from ampelwerk.controllers.store.envelopes import Envelopes
from ampelwerk.controllers.store.overrides import Overrides
from ampelwerk.controllers.store.plans import Plans
from ampelwerk.controllers.store.replies import Replies
from ampelwerk.models.errors import NotLeaderError, StoreError

EPOCH = "epoch"
"""Name in `meta` of the present leader's term."""


class Reading:
    """What the store holds at one moment.

    Parameters
    ----------
    connection : in a transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.plans = Plans(connection)
        self.overrides = Overrides(connection)
        self.envelopes = Envelopes(connection)
        self.alarms = Alarms(connection)
        self.replies = Replies(connection)

    @property
    def epoch(self) -> int:
        """Term of the present leader, 0 before the first."""
        return self._meta(EPOCH)

    @property
    def audit_seq(self) -> int:
        """Number of the last audit record."""
        return self._meta(audit.HEAD)

    def _meta(self, name: str) -> int:
        value = self.connection.execute(
            sa.select(schema.meta.c.value).where(schema.meta.c.name == name)
        ).scalar()
        return int(value or 0)


class Change(Reading):
    """A change in the making."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        self.recorded: list[AuditRecord] = []
        """Audit records of this change."""

    def record(self, entry: AuditEntry) -> AuditRecord:
        """Put the change, or why there is none, into the audit."""
        record = audit.append(self.connection, entry)
        self.recorded.append(record)
        return record

    def set_meta(self, name: str, value: int) -> None:
        """Keep a number."""
        self.connection.execute(
            sa.update(schema.meta).where(schema.meta.c.name == name).values(value=value)
        )


class Store:
    """Plans, calendars, overrides and audit in one database.

    Parameters
    ----------
    place : a file's path, or a database's URL such as ``postgresql://user@host/name``.
    look : only look: nothing is made, brought up to date or written on opening.

    Raises
    ------
    InvalidInputError : no such kind of database.
    StoreError : it cannot be reached, or a newer version wrote it.
    """

    def __init__(self, place: str, *, look: bool = False) -> None:
        self.engine = database.connect(place)
        self.epoch: int | None = None
        """The term this server leads in; None for a tool that leads nothing and may change anything."""
        if look:
            database.require_newest(self.engine)
            return
        database.upgrade(self.engine)
        with database.writing(self.engine) as connection:
            known = set(connection.execute(sa.select(schema.meta.c.name)).scalars())
            for name in (EPOCH, audit.HEAD):
                if name not in known:
                    connection.execute(sa.insert(schema.meta).values(name=name, value=0))

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A transaction: all of it, record included, is on disk afterwards, or nothing of it.

        Raises
        ------
        StoreError : the database fails, or nothing was recorded.
        NotLeaderError : another server leads since.
        """
        with self._leading() as connection:
            change = Change(connection)
            yield change
            if not change.recorded:
                raise StoreError("a change without an audit record is no change")

    @contextmanager
    def keep(self) -> Iterator[Alarms]:
        """A transaction for what controllers have measured; errors as in `change`."""
        with self._leading() as connection:
            yield Alarms(connection)

    @contextmanager
    def _leading(self) -> Iterator[sa.Connection]:
        """A transaction of the server that leads."""
        with database.writing(self.engine) as connection:
            # The row is also the write lock of PostgreSQL; SQLite holds its own since the begin.
            epoch = connection.execute(
                sa.select(schema.meta.c.value).where(schema.meta.c.name == EPOCH).with_for_update()
            ).scalar_one()
            if self.epoch is not None and epoch != self.epoch:
                raise NotLeaderError(
                    "another server leads since",
                    where=database.describe(self.engine),
                    found=f"epoch {epoch}",
                    limit=f"epoch {self.epoch}",
                    remedy="send the request to that server",
                )
            yield connection

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """One state of the store, however long it takes to look at it."""
        with database.reading(self.engine) as connection:
            yield Reading(connection)

    def lead(self, actor: str, at_unix_ms: int) -> int:
        """Begin a new term; every server that led before can change nothing from now on. The epoch."""
        self.epoch = None
        with self.change() as change:
            epoch = change.epoch + 1
            change.set_meta(EPOCH, epoch)
            change.record(
                AuditEntry(
                    at_unix_ms=at_unix_ms,
                    actor=actor,
                    role="server",
                    method="server.lead",
                    target=f"epoch {epoch}",
                    result="ok",
                )
            )
        self.epoch = epoch
        return epoch

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()
