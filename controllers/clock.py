"""Time, handed in from outside: the wall clock, or a simulation's.

Nothing in a controller or a server asks the operating system for the time by itself. What lasts
(leases, validities, timeouts) is measured on the monotonic clock, which nobody can set.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def unix_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. [ms]"""
        ...

    def mono_ms(self) -> int:
        """Milliseconds since any origin, never set back. [ms]"""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def unix_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. [ms]"""
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        """Milliseconds since the machine started. [ms]"""
        return time.monotonic_ns() // 1_000_000


class SimulatedClock:
    """Stands still until it is moved; second t of a simulation is Unix second t."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        """Both clocks. [ms]"""

    def unix_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. [ms]"""
        return self.now_ms

    def mono_ms(self) -> int:
        """The same number. [ms]"""
        return self.now_ms
