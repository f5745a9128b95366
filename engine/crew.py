"""Threads that share out the intersections of a city.

Kernels run without the interpreter lock, so ordinary threads carry them side by side. No intersection
writes what another one reads within one piece of work, so the result does not depend on who did
what, or on how many did it. Numba's own parallel loops would do the same; they allow one caller
at a time in the whole process and have every kernel compiled a second time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

CHUNK, TURNS = 32, 32
"""Items taken at a time, at least; and how often each worker comes back for more, so that all end at
about the same time. A turn costs some 20 µs, to hand a hundred arrays to a kernel."""

# Asked once: a pinned caller sees its own processor alone.
_PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

Work = Callable[[int, int, int], None]
"""Does something for the items from the first to before the last, as the worker of that number."""


class Crew:
    """A fixed number of workers; the caller is one of them."""

    def __init__(self, workers: int | None = None, *, pin: bool = False) -> None:
        """Start the threads.

        Parameters
        ----------
        workers : how many; as many as there are processors if not given.
        pin : each worker, the caller too, stays on a processor of its own from its first work on
            (Linux). For machines whose scheduler packs the threads of a process together.
        """
        self.workers = workers or len(_PROCESSORS) or os.cpu_count() or 1
        self._pinned_to = _PROCESSORS if pin else []
        self._pool = ThreadPoolExecutor(self.workers - 1) if self.workers > 1 else None
        self._lock = threading.Lock()
        self._next = 0

    def share(self, work: Work, size: int) -> None:
        """Have all items done, and wait for it. What is about a millisecond the caller does alone."""
        if self._pool is None or size <= 2 * CHUNK:
            work(0, size, 0)
            return
        self._next = 0
        chunk = max(CHUNK, size // (self.workers * TURNS))
        others = [
            self._pool.submit(self._labour, work, size, chunk, worker)
            for worker in range(1, min(self.workers, -(-size // chunk)))
        ]
        try:
            self._labour(work, size, chunk, 0)
        finally:
            for other in others:
                other.result()

    def _labour(self, work: Work, size: int, chunk: int, worker: int) -> None:
        """Take chunk after chunk until none is left."""
        if self._pinned_to:
            os.sched_setaffinity(0, {self._pinned_to[worker % len(self._pinned_to)]})
        while True:
            with self._lock:
                first = self._next
                self._next += chunk
            if first >= size:
                return
            work(first, min(first + chunk, size), worker)


SOLO = Crew(1)
"""The caller alone."""
