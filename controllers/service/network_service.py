"""NetworkService: the intersections as they stand, and whatever changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import grpc

from ampelwerk.controllers.override_convert import override_message
from ampelwerk.controllers.service.city_changes import PUBLISHED, CityChanges, Kind, Subject
from ampelwerk.controllers.service.errors import Refused
from ampelwerk.controllers.service.gate import Context
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.override_dispatch import OverrideDispatch
from ampelwerk.controllers.service.session import Session
from ampelwerk.models.override import Override
from ampelwerk.proto.v1 import network_pb2
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceServicer

LOOK_S = 0.2
"""Of one thing at most one change is told in this time. [s]"""
LONGEST_LOOK_S = 5.0
"""And at least one in this, however much there is to do. [s]"""
MAKE_WAY = 20.0
"""A look that comes late puts off the next by so many times as much: controllers go first."""


def pause_s(late_s: float) -> float:
    """Time to the next look after one that came so late. [s]"""
    return min(LONGEST_LOOK_S, max(LOOK_S, MAKE_WAY * late_s))


def sessions_of(city: LiveCity, names: Iterable[str]) -> Sequence[Session]:
    """Sessions of some intersections, or of all if none is named.

    Raises
    ------
    Refused : an intersection is not there.
    """
    found = []
    for name in names:
        session = city.by_name.get(name)
        if session is None:
            raise Refused(grpc.StatusCode.NOT_FOUND, "UNKNOWN_ID", f"no intersection {name[:64]!r}")
        found.append(session)
    return found or city.sessions


class NetworkService(NetworkServiceServicer):
    """For the control room."""

    def __init__(
        self, city: LiveCity, overrides: OverrideDispatch | None, stopping: asyncio.Event
    ) -> None:
        self._city, self._overrides, self._stopping = city, overrides, stopping
        self._changes, self._looked_s = CityChanges(city), -LOOK_S
        if overrides is not None:
            overrides.changed = self._changes.take_overrides

    async def Get(
        self, request: network_pb2.GetNetworkRequest, context: Context
    ) -> network_pb2.GetNetworkReply:
        """Everything as it stands."""
        sessions = sessions_of(self._city, request.intersection_ids)
        return network_pb2.GetNetworkReply(
            intersections=[session.status() for session in sessions],
            server_unix_ms=self._city.clock.unix_ms(),
        )

    async def Watch(
        self, request: network_pb2.WatchNetworkRequest, context: Context
    ) -> AsyncIterator[network_pb2.NetworkEvent]:
        """Everything as it stands, or what changed since the cursor; then what changes."""
        sessions = {s.name: s for s in sessions_of(self._city, request.intersection_ids)}
        cursor = request.after_cursor
        await context.send_initial_metadata(())
        loop, wait_s = asyncio.get_running_loop(), LOOK_S
        while not self._stopping.is_set():
            self._look()
            due = self._changes.since(cursor) if cursor else None
            if due is None:
                cursor = self._changes.cursor
                for event in await self._snapshot(sessions, cursor):
                    yield event
            for number, subject in due or ():
                cursor = number
                event = network_pb2.NetworkEvent(cursor=number)
                if self._fill(event, subject, sessions):
                    yield event
            due_s = loop.time() + wait_s
            await asyncio.sleep(wait_s)
            wait_s = pause_s(loop.time() - due_s)

    def _look(self) -> None:
        """Gather changes, however many watch."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s >= LOOK_S / 2:
            self._looked_s = now_s
            self._changes.look()

    async def _snapshot(
        self, sessions: dict[str, Session], cursor: int
    ) -> list[network_pb2.NetworkEvent]:
        """Everything as it stands; what changes meanwhile is told once more afterwards."""
        now_ms = self._city.clock.unix_ms()
        begin = network_pb2.Snapshot(server_unix_ms=now_ms)
        events = [network_pb2.NetworkEvent(snapshot=begin)]
        for session in sessions.values():
            events.append(network_pb2.NetworkEvent(intersection=session.status()))
            events += [network_pb2.NetworkEvent(alarm=alarm) for alarm in session.alarms.values()]
            events += [
                network_pb2.NetworkEvent(plan=_plan_event(session, published))
                for published in session.plan_reports
            ]
        if self._overrides is not None:
            for override in await self._overrides.ask(lambda desk: desk.book.all()):
                if _is_at(override, sessions):
                    events.append(network_pb2.NetworkEvent(override=override_message(override)))
        end = network_pb2.Snapshot(complete=True, server_unix_ms=now_ms)
        return [*events, network_pb2.NetworkEvent(cursor=cursor, snapshot=end)]

    def _fill(
        self, event: network_pb2.NetworkEvent, subject: Subject, sessions: dict[str, Session]
    ) -> bool:
        """Put a thing as it is now into an event; False if it is of no interest or gone."""
        if subject.kind is Kind.OVERRIDE:
            override = self._changes.override(subject.name)
            if not _is_at(override, sessions):
                return False
            event.override.CopyFrom(override_message(override))
            return True
        session = sessions.get(subject.place)
        if session is None:
            return False
        if subject.kind is Kind.INTERSECTION:
            event.intersection.CopyFrom(session.status())
        elif subject.kind is Kind.PLAN:
            event.plan.CopyFrom(_plan_event(session, subject.name == PUBLISHED))
        elif subject.name in session.alarms:
            event.alarm.CopyFrom(session.alarms[subject.name])
        else:
            return False
        return True


def _is_at(override: Override, sessions: dict[str, Session]) -> bool:
    return any(str(leg.intersection_id) in sessions for leg in override.request.legs)


def _plan_event(session: Session, published: bool) -> network_pb2.PlanEvent:
    """What the controller has said of a plan last."""
    report = session.plan_reports[published]
    return network_pb2.PlanEvent(
        intersection_id=session.name,
        version=report.version,
        state=report.state,
        cause=report.cause,
        published=published,
    )
