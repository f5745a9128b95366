"""Signed safety data that a server may hand out: taken only with a trusted signature."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ampelwerk.controllers.signed_envelope import SignedEnvelope, read_envelope, verify
from ampelwerk.controllers.store import schema
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import StoreError


class Envelopes:
    """Safety data within one transaction of the store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self, envelope: SignedEnvelope, trusted: Iterable[Ed25519PublicKey], at_unix_ms: int
    ) -> bool:
        """Keep safety data; False if the very same are there.

        Raises
        ------
        InvalidInputError : not signed with a trusted key, or changed since.
        """
        place = envelope.data.intersection.intersection_id
        verify(envelope, trusted, f"intersection {place}")
        there = self._connection.execute(
            sa.select(schema.envelope.c.sha256).where(schema.envelope.c.sha256 == envelope.sha256)
        ).first()
        if there is not None:
            return False
        self._connection.execute(
            sa.insert(schema.envelope).values(
                sha256=envelope.sha256,
                intersection_id=str(place),
                content=envelope.to_bytes(),
                added_unix_ms=at_unix_ms,
            )
        )
        return True

    def get(self, sha256: str) -> SignedEnvelope | None:
        """Safety data by name, None if there are none.

        Raises
        ------
        StoreError : they are not what was taken.
        """
        row = self._connection.execute(
            sa.select(schema.envelope).where(schema.envelope.c.sha256 == sha256)
        ).first()
        return None if row is None else _read(row.sha256, bytes(row.content))

    def newest(self) -> dict[IntersectionId, SignedEnvelope]:
        """The safety data taken last for each intersection.

        Raises
        ------
        StoreError : some are not what was taken.
        """
        query = sa.select(schema.envelope).order_by(
            schema.envelope.c.added_unix_ms, schema.envelope.c.sha256
        )
        return {
            IntersectionId(row.intersection_id): _read(row.sha256, bytes(row.content))
            for row in self._connection.execute(query)
        }


def _read(sha256: str, content: bytes) -> SignedEnvelope:
    """Safety data, if they are still what was taken."""
    envelope = read_envelope(content, f"envelope {sha256}")
    if envelope.sha256 != sha256:
        raise StoreError(
            "stored safety data are damaged",
            where=f"envelope {sha256}",
            found=f"SHA-256 {envelope.sha256}",
            remedy="load the signed file again",
        )
    return envelope
