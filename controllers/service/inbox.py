"""Uploaded batches of one controller in their order: duplicates dropped, gaps waited for.

The first batch seen of a boot begins the count. A batch that comes before one with a lower number
is held until that one comes or the wait for it is over; then the gap is given up, and the numbers
in it are acknowledged, so that the controller does not keep what nobody will read.
"""

from __future__ import annotations

from typing import Generic

from ampelwerk.controllers.uploads import Batch

REORDER_MS = 5_000
"""A missing batch is waited for this long. [ms]"""
MOST_HELD = 256
"""Batches held at most behind a gap."""
MOST_MISSING = 64
"""Missing numbers told in one acknowledgement."""


class Inbox(Generic[Batch]):
    """Batches of one kind from one controller."""

    def __init__(self) -> None:
        self._boot_id = b""
        self._held: dict[int, Batch] = {}
        self._gap_since_ms = 0
        self.acked_seq = 0
        """Everything up to here was taken, refused or given up."""
        self.duplicates = self.given_up = 0
        """Batches that came again, and numbers that never came."""

    def take(self, boot_id: bytes, batch: Batch, now_ms: int) -> list[Batch]:
        """Batches that are due now, in order."""
        if boot_id != self._boot_id:
            self._boot_id, self.acked_seq = boot_id, batch.seq - 1
            self._held.clear()
        if batch.seq <= self.acked_seq or batch.seq in self._held:
            self.duplicates += 1
            return []
        if batch.seq == self.acked_seq + 1 and not self._held:
            self.acked_seq = batch.seq
            return [batch]
        if not self._held:
            self._gap_since_ms = now_ms
        self._held[batch.seq] = batch
        return self.due(now_ms)

    def due(self, now_ms: int) -> list[Batch]:
        """Batches that are due now because a gap has closed or was given up."""
        if not self._held:
            return []
        found = self._in_order()
        if self._held and (
            now_ms - self._gap_since_ms >= REORDER_MS or len(self._held) > MOST_HELD
        ):
            first = min(self._held)
            self.given_up += first - self.acked_seq - 1
            self.acked_seq = first - 1
            found += self._in_order()
        return found

    def missing(self) -> list[int]:
        """Numbers below a held one that have not come."""
        if not self._held:
            return []
        newest = max(self._held)
        gap = range(self.acked_seq + 1, min(newest, self.acked_seq + 1 + MOST_HELD))
        return [seq for seq in gap if seq not in self._held][:MOST_MISSING]

    def _in_order(self) -> list[Batch]:
        found = []
        while (batch := self._held.pop(self.acked_seq + 1, None)) is not None:
            self.acked_seq += 1
            found.append(batch)
        return found
