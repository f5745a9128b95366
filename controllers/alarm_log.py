"""What is wrong at one controller, as alarms with an id each.

A condition is looked at every tick; only when it comes or goes there is something to tell. All alarms are
told after every connect, those that are over too, so that the server agrees whatever it has missed.
"""

from __future__ import annotations

from ampelwerk.controllers.clock import Clock
from ampelwerk.proto.v1 import alarm_pb2, telemetry_pb2

MINOR, MAJOR = alarm_pb2.ALARM_SEVERITY_MINOR, alarm_pb2.ALARM_SEVERITY_MAJOR


class AlarmLog:
    """Alarms since the start of the controller's program, by code and component."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alarms: dict[str, alarm_pb2.Alarm] = {}
        self.news = False
        """Something came or went since the report before."""

    def set(
        self,
        code: str,
        wrong: bool,
        *,
        severity: alarm_pb2.AlarmSeverity,
        component: str = "",
        text: str = "",
    ) -> None:
        """Say whether something is wrong now.

        Parameters
        ----------
        component : part it is about; each has an alarm of its own.
        """
        name = f"{code}:{component}" if component else code
        before = self._alarms.get(name)
        if (before is not None and before.active) == wrong:
            return
        now_ms = self._clock.unix_ms()
        alarm = alarm_pb2.Alarm(
            alarm_id=name,
            code=code,
            severity=severity,
            component=component,
            active=wrong,
            text=text,
        )
        if wrong or before is None:
            alarm.raised_unix_ms = now_ms
        else:
            alarm.raised_unix_ms, alarm.cleared_unix_ms = before.raised_unix_ms, now_ms
            alarm.text = before.text
        self._alarms[name] = alarm
        self.news = True

    def report(self) -> telemetry_pb2.ReportAlarmsRequest:
        """All of them."""
        self.news = False
        return telemetry_pb2.ReportAlarmsRequest(alarms=self._alarms.values(), complete=True)
