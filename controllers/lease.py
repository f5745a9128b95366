"""A controller's lease and clock: how long it may follow the server, and how true its time is.

A lease counts from the moment the answered heartbeat was *sent*, on the monotonic clock: however
late an answer comes, the controller never follows a lost server for longer than it was allowed. The
four times of a heartbeat and its reply tell how far the clock is off the server's.
"""

from __future__ import annotations

from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.ladder import Level
from ampelwerk.proto.v1 import common_pb2, controller_pb2

CLOCK_TOLERANCE_MS = 500
"""Plans that depend on the time of day need a clock as true as this. [ms]"""
HOLDOVER_MS = 6 * 3600 * 1000
"""A clock that was true this long ago still serves a coordinated plan. [ms]"""
STEP_MS = 2_000
"""A clock that moved by more than this against the monotonic one was set. [ms]"""
SYNCHRONISED = (
    common_pb2.CLOCK_SOURCE_NTP,
    common_pb2.CLOCK_SOURCE_GNSS,
    common_pb2.CLOCK_SOURCE_PTP,
    common_pb2.CLOCK_SOURCE_INJECTED,
)
"""Sources that are believed at start."""


class Lease:
    """Heartbeats on their way, the lease they carry, and the clock.

    Parameters
    ----------
    source : where the clock has its time from.
    """

    def __init__(self, clock: Clock, source: common_pb2.ClockSource) -> None:
        self._clock, self._source = clock, source
        self._seq = 0
        self._sent: dict[int, tuple[int, int]] = {}
        self._until_ms: int | None = None
        self._offset_ms = 0
        self._ahead_ms = clock.unix_ms() - clock.mono_ms()
        self._true_at_ms = clock.mono_ms() if source in SYNCHRONISED else None
        self._stepped = False

    @property
    def unanswered(self) -> int:
        """Heartbeats that were sent and not answered."""
        return len(self._sent)

    def forget(self) -> None:
        """The link is gone: nothing will be answered. The lease runs on."""
        self._sent.clear()

    def sent(self) -> tuple[int, int, int]:
        """A heartbeat is sent now: its number, Unix time and monotonic time. [ms]"""
        self._seq += 1
        times = self._clock.unix_ms(), self._clock.mono_ms()
        self._sent[self._seq] = times
        return self._seq, *times

    def answered(self, reply: controller_pb2.HeartbeatReply) -> None:
        """The server has answered; what answers nothing is ignored."""
        times = self._sent.pop(reply.seq, None)
        if times is None:
            return
        sent_unix_ms, sent_mono_ms = times
        unix_ms, mono_ms = self._clock.unix_ms(), self._clock.mono_ms()
        self._until_ms = sent_mono_ms + reply.lease_ms
        # Four times of two clocks, as NTP takes them (RFC 5905, section 8).
        ahead_ms = (sent_unix_ms - reply.received_unix_ms) + (unix_ms - reply.sent_unix_ms)
        self._offset_ms = round(ahead_ms / 2)
        self._stepped, self._ahead_ms = False, unix_ms - mono_ms
        if abs(self._offset_ms) <= CLOCK_TOLERANCE_MS:
            self._true_at_ms = mono_ms

    def watch_clock(self) -> None:
        """Notice a clock that was set; it is not believed until the server confirms it."""
        if abs(self._clock.unix_ms() - self._clock.mono_ms() - self._ahead_ms) > STEP_MS:
            self._stepped, self._true_at_ms = True, None

    @property
    def clock_is_true(self) -> bool:
        """It may serve a coordinated plan."""
        true_ms = self._true_at_ms
        return true_ms is not None and self._clock.mono_ms() - true_ms <= HOLDOVER_MS

    def best_level(self, *, server_has_answered: bool) -> tuple[Level, str]:
        """Best level whose needs are met, and why there is no better one.

        Parameters
        ----------
        server_has_answered : it has said what to follow, and that has not lapsed.
        """
        mono_ms = self._clock.mono_ms()
        if not self.clock_is_true:
            return Level.ISOLATED, "the clock was set" if self._stepped else "no true clock"
        if self._until_ms is None:
            return Level.COORDINATED, "no server"
        if mono_ms >= self._until_ms:
            return Level.COORDINATED, "the lease ran out"
        if abs(self._offset_ms) > CLOCK_TOLERANCE_MS:
            return Level.COORDINATED, f"the clock is {self._offset_ms} ms off the server's"
        if not server_has_answered:
            return Level.COORDINATED, "no valid schedule"
        return Level.ADAPTIVE, ""

    def clock_status(self) -> common_pb2.ClockStatus:
        """What is known about the own clock."""
        last_ms = 0
        if self._true_at_ms is not None:
            last_ms = self._clock.unix_ms() - (self._clock.mono_ms() - self._true_at_ms)
        return common_pb2.ClockStatus(
            source=self._source,
            offset_ms=self._offset_ms,
            last_sync_unix_ms=last_ms,
            stepped=self._stepped,
        )
