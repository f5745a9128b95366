"""Tables of the store, as the newest migration leaves them.

Rows that decide what a street shows carry `row_sha256`: a checksum over the table's name and all other
columns. SQLite's own checks find no flipped bit inside a page, and not every disk has checksums.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"""Single numbers: `epoch`, the term of the present leader; `audit_seq`, the last audit record."""

envelope = sa.Table(
    "envelope",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("intersection_id", sa.String(255), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("added_unix_ms", sa.BigInteger, nullable=False),
)
"""Signed safety data, the file's exact bytes."""

plan = sa.Table(
    "plan",
    metadata,
    sa.Column("intersection_id", sa.String(255), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("certificate", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("cause", sa.String(1000), nullable=False),
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("published_unix_ms", sa.BigInteger, nullable=False),
    sa.Column("row_sha256", sa.String(64), nullable=False),
)
"""Plans and calendars, one row a version."""

override = sa.Table(
    "override",
    metadata,
    sa.Column("override_id", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("expiry_unix_ms", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("row_sha256", sa.String(64), nullable=False),
    sa.Index("override_state", "state"),
)
"""Overrides, those that have ended included."""

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("actor", sa.String(255), primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("request_sha256", sa.String(64), nullable=False),
    sa.Column("reply", sa.LargeBinary, nullable=False),
    sa.Column("expires_unix_ms", sa.BigInteger, nullable=False),
    sa.Index("idempotency_expires", "expires_unix_ms"),
)
"""Replies to requests that may come again."""

alarm = sa.Table(
    "alarm",
    metadata,
    sa.Column("intersection_id", sa.String(255), primary_key=True),
    sa.Column("alarm_id", sa.String(255), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""Alarms of controllers and of the server, with who has seen them."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
"""The audit: exact bytes of each record, and the hash over the one before and these."""

checkpoint = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("key_id", sa.String(16), nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)
"""Signed states of the audit."""


def row_sha256(table: sa.Table, row: Mapping[str, Any]) -> str:
    """Checksum of a row: its table's name, then every column but the checksum, length before each."""
    digest = hashlib.sha256(table.name.encode())
    for column in table.columns:
        if column.name == "row_sha256":
            continue
        value = row[column.name]
        raw = value if isinstance(value, bytes) else str(value).encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
