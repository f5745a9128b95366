"""What a controller has to send and has not seen acknowledged: kept over a break of the link."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar

CAPACITY = 10_000
"""Batches kept at most; then the oldest are dropped, and the server finds them missing."""


class Numbered(Protocol):
    """A batch with a sequence number."""

    seq: int


Batch = TypeVar("Batch", bound=Numbered)


class UploadBuffer(Generic[Batch]):
    """Batches by sequence number, from 1 at every boot."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._waiting: deque[Batch] = deque()
        self._capacity = capacity
        self._sent = 0
        self.last_seq = 0
        """Number of the newest batch."""
        self.acked_seq = 0
        """The server has this one and all before."""
        self.dropped = 0
        """Batches given up because nobody took them."""

    @property
    def all_acknowledged(self) -> bool:
        """Nothing waits."""
        return self.acked_seq == self.last_seq

    def put(self, batch: Batch) -> None:
        """A new batch; it gets its number."""
        self.last_seq += 1
        batch.seq = self.last_seq
        self._waiting.append(batch)
        if len(self._waiting) > self._capacity:
            self._waiting.popleft()
            self.dropped += 1
            self._sent = max(0, self._sent - 1)

    def next(self) -> Batch | None:
        """The next one to send, None if all are on their way."""
        if self._sent == len(self._waiting):
            return None
        batch = self._waiting[self._sent]
        self._sent += 1
        return batch

    def acknowledge(self, seq: int) -> None:
        """The server has everything up to this number."""
        self.acked_seq = max(self.acked_seq, min(seq, self.last_seq))
        while self._waiting and self._waiting[0].seq <= self.acked_seq:
            self._waiting.popleft()
            self._sent = max(0, self._sent - 1)

    def rewind(self) -> list[Batch]:
        """After a break everything not acknowledged is sent again; what that is."""
        self._sent = 0
        return list(self._waiting)
