"""Alarms of a city: raised and cleared by controllers and by the server, seen by people, kept in the store.

An alarm is known by its id at its intersection. Whoever sees it first is noted, for as long as the same
alarm stands: raised anew it is another one. What is told again changes nothing, so controllers tell all of
theirs after every connect. Alarms of the server have ids that begin with ``server:``: loops that its
engine does not believe, and plans that a controller has refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import grpc

from ampelwerk.controllers.identity import Identity, valid_id
from ampelwerk.controllers.service.clerk import Clerk, entry_of
from ampelwerk.controllers.service.errors import Refused
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.session import Session
from ampelwerk.controllers.site import loop_owners
from ampelwerk.controllers.store.alarms import Alarms
from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.models.detection import LoopAlarm
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.override import FAR_UNIX_MS
from ampelwerk.proto.v1 import alarm_pb2, telemetry_pb2

MOST_ALARMS = 256
"""In one report, and kept of one controller."""
MOST_TEXT = 500
"""Longest text of an alarm."""
OWN = "server:"
"""Ids of the server's own alarms begin so."""
SOUND = "sound"
"""Fault of a loop that has healed."""
RESUMED_MS = 3_600_000
"""An alarm of the server's own that stood when the last one ended goes on, with who has seen it, if this
one is of the same opinion within so long of its start. [ms]"""
Result = TypeVar("Result")
Changed = Mapping[str, alarm_pb2.Alarm | None]
"""Alarms by id as they are to be kept, None for one that is forgotten."""


class AlarmBook:
    """Alarms of all sessions.

    Parameters
    ----------
    clerk : has the store; without one alarms live as long as the server.
    """

    def __init__(self, city: LiveCity, clerk: Clerk | None) -> None:
        self._city, self._clerk = city, clerk
        self._lock = asyncio.Lock()
        self._loops_seen = 0
        self._begun_ms = city.clock.unix_ms()
        self._owners = loop_owners(city.network)
        if clerk is not None:
            self._restore(clerk)

    def _restore(self, clerk: Clerk) -> None:
        """As the last server left them; its own opinions are formed anew."""
        with clerk.store.read() as reading:
            for place, content in reading.alarms.list():
                session = self._city.by_name.get(place)
                if session is None:
                    continue
                alarm = alarm_pb2.Alarm.FromString(content)
                if alarm.alarm_id.startswith(OWN) and alarm.active:
                    alarm = _cleared(alarm, self._begun_ms)
                session.alarms[alarm.alarm_id] = alarm
                session.changed += 1

    async def report(self, session: Session, request: telemetry_pb2.ReportAlarmsRequest) -> None:
        """What a controller says.

        Raises
        ------
        InvalidInputError : one of them cannot be.
        StoreError : it could not be kept; nothing was changed.
        """
        if len(request.alarms) > MOST_ALARMS:
            raise InvalidInputError(
                "too many alarms", found=str(len(request.alarms)), limit=str(MOST_ALARMS)
            )
        for alarm in request.alarms:
            _check(alarm)
        await self._whole(self._report(session, request))

    async def _report(self, session: Session, request: telemetry_pb2.ReportAlarmsRequest) -> None:
        async with self._lock:
            now_ms, told = self._city.clock.unix_ms(), {a.alarm_id: a for a in request.alarms}
            if request.complete:
                for name, alarm in session.alarms.items():
                    if alarm.active and name not in told and not name.startswith(OWN):
                        told[name] = _cleared(alarm, now_ms)
            await self._take(session, told.values(), now_ms)

    async def acknowledge(self, session: Session, alarm_id: str, who: Identity) -> alarm_pb2.Alarm:
        """Note who has seen an alarm; the first stays.

        Raises
        ------
        Refused : there is no such alarm.
        StoreError : it could not be kept; nothing was changed.
        """
        return await self._whole(self._acknowledge(session, alarm_id, who))

    async def _acknowledge(self, session: Session, alarm_id: str, who: Identity) -> alarm_pb2.Alarm:
        async with self._lock:
            alarm = session.alarms.get(alarm_id)
            entry = entry_of(
                who,
                self._city.clock.unix_ms(),
                "alarm.acknowledge",
                f"{session.name} {alarm_id[:64]}",
            )
            if alarm is None:
                await self._record(replace(entry, result="UNKNOWN_ID"))
                raise Refused(
                    grpc.StatusCode.NOT_FOUND, "UNKNOWN_ID", f"no alarm {alarm_id[:64]!r}"
                )
            seen = alarm_pb2.Alarm()
            seen.CopyFrom(alarm)
            seen.acked_by = alarm.acked_by or who.name
            await self._keep(session, {alarm_id: seen}, entry)
            return seen

    def tick(self) -> None:
        """Look at what the server itself has noticed."""
        if self._clerk is not None and not self._lock.locked():
            self._clerk.start(self.look())

    async def look(self) -> None:
        """Raise and clear the server's own alarms."""
        async with self._lock:
            now_ms, control = self._city.clock.unix_ms(), self._city.control
            known = () if control is None else control.alarms
            found: dict[int, list[alarm_pb2.Alarm]] = {}
            for session, alarm in (
                *self._of_loops(known[self._loops_seen :], now_ms),
                *self._of_plans(now_ms),
            ):
                found.setdefault(session.number, []).append(alarm)
            for number, alarms in found.items():
                await self._take(self._city.sessions[number], alarms, now_ms)
            self._loops_seen = len(known)

    def _of_loops(
        self, news: Sequence[LoopAlarm], now_ms: int
    ) -> Iterator[tuple[Session, alarm_pb2.Alarm]]:
        """What the engine has found out about loops since the look before."""
        for number, found in {alarm.loop: alarm for alarm in news}.items():
            owner, name = self._owners[number], str(self._city.network.loops[number].loop_id)
            if owner is not None:
                session = self._city.sessions[owner]
                for alarm in self._own(
                    session,
                    name,
                    now_ms,
                    active=found.fault != SOUND,
                    code=f"detector_{found.fault.replace('-', '_').replace(' ', '_')}",
                    component=name,
                    severity=alarm_pb2.ALARM_SEVERITY_MINOR,
                    text="the engine does without this loop until it counts as it should",
                ):
                    yield session, alarm

    def _of_plans(self, now_ms: int) -> Iterator[tuple[Session, alarm_pb2.Alarm]]:
        """Controllers that have refused what they were sent, until they accept something newer."""
        for session in self._city.sessions:
            if session.quarantined:
                for alarm in self._own(
                    session,
                    "plan",
                    now_ms,
                    active=max(session.quarantined) > session.accepted_version,
                    code="plan_rejected",
                    component=f"version {max(session.quarantined)}",
                    severity=alarm_pb2.ALARM_SEVERITY_MAJOR,
                    text="the controller has refused a plan; it stays with the one it has",
                ):
                    yield session, alarm
            refused = session.published_refused
            for alarm in self._own(
                session,
                "published-plan",
                now_ms,
                active=refused is not None,
                code="published_plan_rejected",
                component=f"version {refused.version}" if refused is not None else "",
                severity=alarm_pb2.ALARM_SEVERITY_MINOR,
                text=f"the controller has refused it: {refused.cause}"
                if refused is not None
                else "",
            ):
                yield session, alarm

    def _own(
        self, session: Session, name: str, now_ms: int, *, active: bool, code: str, **more: Any
    ) -> Iterator[alarm_pb2.Alarm]:
        """An alarm of the server as it is now; nothing for one that was never raised."""
        before = session.alarms.get(OWN + name)
        stands = before is not None and before.active
        if active:
            goes_on = before is not None and (stands or self._resumed(before, code, now_ms))
            yield alarm_pb2.Alarm(
                alarm_id=OWN + name,
                active=True,
                code=code,
                raised_unix_ms=before.raised_unix_ms if before is not None and goes_on else now_ms,
                **more,
            )
        elif before is not None and stands:
            yield _cleared(before, now_ms)

    def _resumed(self, before: alarm_pb2.Alarm, code: str, now_ms: int) -> bool:
        """It was over only because the server began anew."""
        return (
            before.code == code
            and before.cleared_unix_ms == self._begun_ms
            and now_ms - self._begun_ms < RESUMED_MS
        )

    async def _take(self, session: Session, told: Iterable[alarm_pb2.Alarm], now_ms: int) -> None:
        """Keep what has changed; what somebody has seen stays seen."""
        changed: dict[str, alarm_pb2.Alarm | None] = {}
        for fresh in told:
            before = session.alarms.get(fresh.alarm_id)
            alarm = alarm_pb2.Alarm()
            alarm.CopyFrom(fresh)
            alarm.intersection_id, alarm.acked_by = session.name, ""
            if not alarm.raised_unix_ms:
                alarm.raised_unix_ms = before.raised_unix_ms if before else now_ms
            if before is not None and before.raised_unix_ms == alarm.raised_unix_ms:
                alarm.acked_by = before.acked_by
            if alarm.active:
                alarm.cleared_unix_ms = 0
            elif not alarm.cleared_unix_ms:
                alarm.cleared_unix_ms = before.cleared_unix_ms if before else 0
                alarm.cleared_unix_ms = alarm.cleared_unix_ms or now_ms
            if alarm != before:
                changed[alarm.alarm_id] = alarm
        kept = _merged(session.alarms, changed)
        if len(kept) > MOST_ALARMS:
            inactive = [name for name, alarm in kept.items() if not alarm.active]
            changed.update(dict.fromkeys(inactive[: len(kept) - MOST_ALARMS]))
        if len(_merged(session.alarms, changed)) > MOST_ALARMS:
            raise InvalidInputError("too many alarms are active", limit=str(MOST_ALARMS))
        await self._keep(session, changed, None)

    async def _keep(self, session: Session, changed: Changed, entry: AuditEntry | None) -> None:
        """Make a change durable, with its record if somebody has asked for it, and then so."""
        if not changed:
            return
        if self._clerk is not None:
            store, place = self._clerk.store, session.name

            def write() -> None:
                if entry is None:
                    with store.keep() as alarms:
                        _write(alarms, place, changed)
                else:
                    with store.change() as change:
                        _write(change.alarms, place, changed)
                        change.record(entry)

            await self._clerk.run(write)
        session.alarms = _merged(session.alarms, changed)
        session.changed += 1

    async def _whole(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Carry something to its end, even if whoever asked has gone meanwhile."""
        if self._clerk is not None:
            return await self._clerk.carry_out(work)
        return await work

    async def _record(self, entry: AuditEntry) -> None:
        if self._clerk is not None:
            await self._clerk.record(entry)


def _check(alarm: alarm_pb2.Alarm) -> None:
    """Whether a controller may say this.

    Raises
    ------
    InvalidInputError : with what is wrong.
    """
    if not valid_id(alarm.alarm_id) or not valid_id(alarm.code):
        raise InvalidInputError("an alarm has no valid id or code")
    if alarm.alarm_id.startswith(OWN):
        raise InvalidInputError("this is an id of the server", where="alarm_id")
    for field, text in (("component", alarm.component), ("text", alarm.text)):
        if len(text) > MOST_TEXT or not text.isprintable():
            raise InvalidInputError(
                "an alarm has a text that cannot be shown",
                where=field,
                limit=f"at most {MOST_TEXT} characters that print",
            )
    for field, at_ms in (
        ("raised_unix_ms", alarm.raised_unix_ms),
        ("cleared_unix_ms", alarm.cleared_unix_ms),
    ):
        if not 0 <= at_ms < FAR_UNIX_MS:
            raise InvalidInputError("no such time", where=field, found=str(at_ms))


def _cleared(alarm: alarm_pb2.Alarm, now_ms: int) -> alarm_pb2.Alarm:
    """The same, over."""
    over = alarm_pb2.Alarm()
    over.CopyFrom(alarm)
    over.active, over.cleared_unix_ms = False, now_ms
    return over


def _merged(alarms: Mapping[str, alarm_pb2.Alarm], changed: Changed) -> dict[str, alarm_pb2.Alarm]:
    merged = {**alarms, **changed}
    return {name: alarm for name, alarm in merged.items() if alarm is not None}


def _write(alarms: Alarms, place: str, changed: Changed) -> None:
    for name, alarm in changed.items():
        if alarm is None:
            alarms.drop(place, name)
        else:
            alarms.put(place, name, alarm.SerializeToString())
