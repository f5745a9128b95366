"""Replies to requests that may come again: the same request under the same key has no second effect."""

from __future__ import annotations

import sqlalchemy as sa

from ampelwerk.controllers.store import schema
from ampelwerk.models.errors import KeyReusedError

REMEMBERED_MS = 86_400_000
"""A reply is kept a day. [ms]"""


class Replies:
    """Replies within one transaction of the store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, actor: str, key: str, request_sha256: str, now_unix_ms: int) -> bytes | None:
        """The reply given before to the same request, None if it is new.

        Raises
        ------
        KeyReusedError : the key was used for another request.
        """
        row = self._connection.execute(
            sa.select(schema.idempotency)
            .where(schema.idempotency.c.actor == actor)
            .where(schema.idempotency.c.key == key)
            .where(schema.idempotency.c.expires_unix_ms > now_unix_ms)
        ).first()
        if row is None:
            return None
        if row.request_sha256 != request_sha256:
            raise KeyReusedError(key)
        return bytes(row.reply)

    def put(
        self, actor: str, key: str, request_sha256: str, reply: bytes, now_unix_ms: int
    ) -> None:
        """Keep a reply for a day, and forget older ones."""
        self._connection.execute(
            sa.delete(schema.idempotency).where(
                sa.or_(
                    schema.idempotency.c.expires_unix_ms <= now_unix_ms,
                    sa.and_(schema.idempotency.c.actor == actor, schema.idempotency.c.key == key),
                )
            )
        )
        self._connection.execute(
            sa.insert(schema.idempotency).values(
                actor=actor,
                key=key,
                request_sha256=request_sha256,
                reply=reply,
                expires_unix_ms=now_unix_ms + REMEMBERED_MS,
            )
        )
