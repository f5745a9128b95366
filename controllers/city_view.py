"""A city as somebody in the control room sees it: what stands, what changes, alarms, and why.

Watching goes on by itself after a break, from the last cursor, and says when the line was gone and when it
is back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.city_words import (
    LineState,
    Seen,
    SeenAlarm,
    SeenDecision,
    SeenIntersection,
    seen_alarm,
    seen_decision,
    seen_event,
    seen_intersection,
)
from ampelwerk.controllers.errors_told import as_error
from ampelwerk.controllers.line import Line, told
from ampelwerk.proto.v1 import alarm_pb2, decision_pb2, network_pb2
from ampelwerk.proto.v1.alarm_pb2_grpc import AlarmServiceStub
from ampelwerk.proto.v1.decision_pb2_grpc import DecisionServiceStub
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceStub

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 10.0
"""A lost line is dialled again after this time, which doubles up to the second. [s]"""
_PASSING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)
"""With these a line that has worked is dialled again."""


class CityView(Line):
    """What a viewer may look at, and an operator acknowledge."""

    def __init__(self, address: str, credentials: Credentials) -> None:
        super().__init__(address, credentials)
        self._network: Any = NetworkServiceStub(self._channel)
        self._alarms: Any = AlarmServiceStub(self._channel)
        self._decisions: Any = DecisionServiceStub(self._channel)

    def intersections(self, names: Sequence[str] = ()) -> tuple[list[SeenIntersection], int]:
        """Intersections as they stand, and the server's clock. [ms]"""
        reply = told(self._network.Get, network_pb2.GetNetworkRequest(intersection_ids=names))
        return [seen_intersection(status) for status in reply.intersections], reply.server_unix_ms

    def alarms(self, intersection: str = "", *, with_inactive: bool = False) -> list[SeenAlarm]:
        """Alarms, the newest first."""
        request = alarm_pb2.ListAlarmsRequest(
            intersection_id=intersection, with_inactive=with_inactive
        )
        return [seen_alarm(alarm) for alarm in told(self._alarms.List, request).alarms]

    def acknowledge(self, intersection: str, alarm_id: str) -> SeenAlarm:
        """Say that one has seen an alarm."""
        request = alarm_pb2.AcknowledgeAlarmRequest(intersection_id=intersection, alarm_id=alarm_id)
        return seen_alarm(told(self._alarms.Acknowledge, request).alarm)

    def decision(self, intersection: str, at_unix_ms: int = 0) -> SeenDecision:
        """The decision in force at a moment; the last one without."""
        request = decision_pb2.ExplainRequest(intersection_id=intersection)
        if at_unix_ms:
            request.at_unix_ms = at_unix_ms
        return seen_decision(told(self._decisions.Explain, request))

    def watch(self, names: Sequence[str] = ()) -> Iterator[Seen]:
        """Everything as it stands, then what changes, until nobody wants more.

        A line that has worked once is dialled again for ever; one that never has is an error.
        """
        cursor, wait_s, worked, up = 0, FIRST_RETRY_S, False, True
        while True:
            request = network_pb2.WatchNetworkRequest(intersection_ids=names, after_cursor=cursor)
            call, why = self._network.Watch(request), "the server has ended the line"
            try:
                call.initial_metadata()  # comes at once, whether or not there is news
                if not up and call.is_active():
                    up = True
                    yield LineState(up=True, text="the server is back")
                for event in call:
                    worked, wait_s = True, FIRST_RETRY_S
                    cursor = event.cursor or cursor
                    change = seen_event(event)
                    if change is not None:
                        yield change
            except grpc.RpcError as error:
                passing: Any = error
                if not worked or passing.code() not in _PASSING:
                    raise as_error(error) from error
                why = f"the server is gone ({passing.code().name.lower()})"
            finally:
                call.cancel()
            if up:
                up = False
                yield LineState(up=False, text=f"{why}; dialling until it is back")
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)
