"""AuditService: the chain of records, as they were hashed, for supervisors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from functools import partial

from ampelwerk.controllers.service.clerk import Clerk
from ampelwerk.controllers.service.gate import Context
from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.proto.v1 import audit_pb2
from ampelwerk.proto.v1.audit_pb2_grpc import AuditServiceServicer

AT_ONCE = 500
"""Records read at once: the clerk is kept no longer than that takes."""
LAST_SEQ = 2**63 - 1
"""Highest number of a record."""


class AuditService(AuditServiceServicer):
    """For supervisors."""

    def __init__(self, clerk: Clerk) -> None:
        self._clerk = clerk

    async def Query(
        self, request: audit_pb2.QueryAuditRequest, context: Context
    ) -> AsyncIterator[audit_pb2.AuditEntry]:
        """Records by number, those that fit, up to the last one of this moment."""
        first, last = max(1, request.from_seq), request.to_seq or LAST_SEQ
        if first > LAST_SEQ or last > LAST_SEQ:
            raise InvalidInputError("no such record", limit=f"1 to {LAST_SEQ}")
        store = self._clerk.store
        last = min(last, await self._clerk.run(lambda: _head(store)))
        while first <= last:
            end = min(last, first + AT_ONCE - 1)
            for raw in await self._clerk.run(partial(_page, store, first, end, request)):
                yield audit_pb2.AuditEntry(record=raw.content, sha256=bytes.fromhex(raw.sha256))
            first = end + 1

    async def GetCheckpoint(
        self, request: audit_pb2.GetCheckpointRequest, context: Context
    ) -> audit_pb2.Checkpoint:
        """The last signed record."""
        store = self._clerk.store
        found = await self._clerk.run(lambda: _checkpoint(store))
        if found is None:
            return audit_pb2.Checkpoint()
        content = json.loads(found.content)
        return audit_pb2.Checkpoint(
            seq=found.seq,
            sha256=bytes.fromhex(content["sha256"]),
            signature=found.signature,
            key_id=bytes.fromhex(found.key_id),
            at_unix_ms=content["at_unix_ms"],
        )


def _head(store: Store) -> int:
    with store.read() as reading:
        return reading.audit_seq


def _checkpoint(store: Store) -> audit.RawCheckpoint | None:
    with store.read() as reading:
        return max(audit.checkpoints(reading.connection), default=None)


def _page(
    store: Store, first: int, last: int, request: audit_pb2.QueryAuditRequest
) -> Sequence[audit.Raw]:
    """Records of a range that fit."""
    with store.read() as reading:
        rows = audit.raw_records(reading.connection, first=first, last=last)
        return [
            row
            for row in rows
            if any(
                audit.fitting(
                    (row,), actor=request.actor, target=request.target, method=request.kind
                )
            )
        ]
