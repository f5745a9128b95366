"""AlarmService: what is wrong at the controllers, and who has seen it."""

from __future__ import annotations

from ampelwerk.controllers.service.alarm_book import AlarmBook
from ampelwerk.controllers.service.gate import Context, identity_of
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.network_service import sessions_of
from ampelwerk.proto.v1 import alarm_pb2
from ampelwerk.proto.v1.alarm_pb2_grpc import AlarmServiceServicer


class AlarmService(AlarmServiceServicer):
    """For the control room."""

    def __init__(self, city: LiveCity, alarms: AlarmBook) -> None:
        self._city, self._alarms = city, alarms

    async def List(
        self, request: alarm_pb2.ListAlarmsRequest, context: Context
    ) -> alarm_pb2.ListAlarmsReply:
        """Alarms, the newest first."""
        names = [request.intersection_id] if request.intersection_id else []
        alarms = [
            alarm
            for session in sessions_of(self._city, names)
            for alarm in session.alarms.values()
            if alarm.active or request.with_inactive
        ]
        alarms.sort(key=lambda alarm: -alarm.raised_unix_ms)
        return alarm_pb2.ListAlarmsReply(alarms=alarms)

    async def Acknowledge(
        self, request: alarm_pb2.AcknowledgeAlarmRequest, context: Context
    ) -> alarm_pb2.AcknowledgeAlarmReply:
        """Note who has seen an alarm; the first stays."""
        session = sessions_of(self._city, [request.intersection_id])[0]
        alarm = await self._alarms.acknowledge(session, request.alarm_id, identity_of(context))
        return alarm_pb2.AcknowledgeAlarmReply(alarm=alarm)
