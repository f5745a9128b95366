"""TelemetryService: detector data, signal states and alarms up, acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

from ampelwerk.controllers import convert
from ampelwerk.controllers.service.alarm_book import AlarmBook
from ampelwerk.controllers.service.controller_service import session_of
from ampelwerk.controllers.service.gate import Context
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.session import Session
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.proto.v1 import telemetry_pb2
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceServicer

OLDEST_MS, AHEAD_MS = 120_000, 2_000
"""Batches of this age, and this far in the future, may still serve control. [ms]"""
LONGEST_INTERVAL_MS = 3_600_000
"""Of one batch. [ms]"""


class TelemetryService(TelemetryServiceServicer):
    """For controllers."""

    def __init__(self, city: LiveCity, alarms: AlarmBook) -> None:
        self._city, self._alarms = city, alarms
        self.refused: Counter[str] = Counter()
        """Batches refused, by rule."""
        self.batches = 0
        """Batches of detector data taken."""

    async def UploadDetectors(
        self,
        requests: AsyncIterator[telemetry_pb2.DetectorBatch],
        context: Context,
    ) -> None:
        """Take batches in order, acknowledge each."""
        session = session_of(self._city, context)
        inbox = session.detector_inbox
        async for batch in requests:
            ack = telemetry_pb2.UploadAck()
            reason = self._reason_to_refuse(batch, session)
            if reason in ("BOOT", "EMPTY"):  # its number means nothing
                self._refuse(ack, batch.seq, reason)
            else:
                if reason:
                    self._refuse(ack, batch.seq, reason)
                    batch.ClearField("edges")
                for due in inbox.take(batch.boot_id, batch, self._city.clock.mono_ms()):
                    self._city.take_edges(session, due)
                    self.batches += 1
            ack.acked_seq = inbox.acked_seq
            ack.missing.extend(inbox.missing())
            await context.write(ack)

    async def UploadEvents(
        self,
        requests: AsyncIterator[telemetry_pb2.EventBatch],
        context: Context,
    ) -> None:
        """Take signal states in order, acknowledge each."""
        session = session_of(self._city, context)
        inbox = session.event_inbox
        async for batch in requests:
            ack = telemetry_pb2.UploadAck()
            if batch.boot_id != session.boot_id or not batch.seq:
                self._refuse(ack, batch.seq, "BOOT" if batch.seq else "EMPTY")
            else:
                for due in inbox.take(batch.boot_id, batch, self._city.clock.mono_ms()):
                    if due.HasField("state"):
                        self._show(due.state, session)
            ack.acked_seq = inbox.acked_seq
            ack.missing.extend(inbox.missing())
            await context.write(ack)

    async def ReportAlarms(
        self,
        request: telemetry_pb2.ReportAlarmsRequest,
        context: Context,
    ) -> telemetry_pb2.ReportAlarmsReply:
        """Keep alarms by their id; what somebody has acknowledged stays acknowledged."""
        await self._alarms.report(session_of(self._city, context), request)
        return telemetry_pb2.ReportAlarmsReply()

    def _reason_to_refuse(self, batch: telemetry_pb2.DetectorBatch, session: Session) -> str:
        """Why a batch is not taken, empty if it is."""
        if not batch.seq:
            return "EMPTY"
        if batch.boot_id != session.boot_id:
            return "BOOT"
        now_ms = self._city.clock.unix_ms()
        end_ms = batch.from_unix_ms + batch.interval_ms
        too_old = end_ms < now_ms - OLDEST_MS
        if batch.interval_ms > LONGEST_INTERVAL_MS or end_ms > now_ms + AHEAD_MS or too_old:
            return "TIME"
        return convert.reason_to_refuse(batch, session.detectors)

    def _refuse(self, ack: telemetry_pb2.UploadAck, seq: int, rule: str) -> None:
        self.refused[rule] += 1
        ack.rejected.add(seq=seq, rule=rule)

    def _show(self, state: telemetry_pb2.SignalState, session: Session) -> None:
        """What the controller shows, for the engine and for the control room."""
        try:
            shown = convert.shown_signals(state, session.intersection)
        except InvalidInputError:
            self.refused["STATE"] += 1
            return
        session.signals = state
        session.changed += 1
        self._city.take_signals(session, shown)
