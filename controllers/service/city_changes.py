"""What has changed in a city, in the order of the last change of each thing.

It keeps no history: of a thing that changes five times between two looks, whoever watches gets the state
after the fifth. A cursor is the number of a change; what changed after it can be told for an hour.
Cursors of another start of the server are not known here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.models.override import Override, OverrideId
from ampelwerk.proto.v1 import alarm_pb2, controller_pb2

KEPT_MS = 3_600_000
"""A change is remembered so long. [ms]"""
PER_MS = 1 << 20
"""Changes that a millisecond may bring: it keeps cursors of two starts apart."""

PUBLISHED = "published"
"""Name of the published plan of an intersection among its changes."""


class Kind(Enum):
    """What may change."""

    INTERSECTION = "intersection"
    OVERRIDE = "override"
    ALARM = "alarm"
    PLAN = "plan"


class Subject(NamedTuple):
    """One thing that changes."""

    kind: Kind
    place: str
    """Intersection, empty for an override."""
    name: str = ""
    """Name of the override or the alarm; of a plan only whether it is a published one."""


class _Change(NamedTuple):
    cursor: int
    at_ms: int


class CityChanges:
    """Changes of intersections, alarms, plans and overrides."""

    def __init__(self, city: LiveCity) -> None:
        self._city = city
        self._last = self._floor = city.clock.unix_ms() * PER_MS
        self._changes: OrderedDict[Subject, _Change] = OrderedDict()
        self._overrides: dict[OverrideId, Override] = {}
        self._seen = [0] * len(city.sessions)
        self._alarms: list[Mapping[str, alarm_pb2.Alarm]] = [{} for _ in city.sessions]
        self._plans: list[dict[bool, controller_pb2.PlanReport]] = [{} for _ in city.sessions]

    @property
    def cursor(self) -> int:
        """Number of the last change."""
        return self._last

    def override(self, name: str) -> Override:
        """An override as it was after its last change."""
        return self._overrides[OverrideId(name)]

    def take_overrides(self, changed: Iterable[Override]) -> None:
        """Overrides have changed."""
        for override in changed:
            self._overrides[override.override_id] = override
            self._note(Subject(Kind.OVERRIDE, "", str(override.override_id)))

    def look(self) -> None:
        """Gather what has changed at the intersections, and forget what is older than an hour."""
        for number, session in enumerate(self._city.sessions):
            if session.changed == self._seen[number]:
                continue
            self._seen[number] = session.changed
            self._note(Subject(Kind.INTERSECTION, session.name))
            before, now = self._alarms[number], session.alarms
            if now is not before:
                self._alarms[number] = now
                for name in now.keys() | before.keys():
                    if now.get(name) != before.get(name):
                        self._note(Subject(Kind.ALARM, session.name, name))
            for published, report in session.plan_reports.items():
                if report is not self._plans[number].get(published):
                    self._plans[number][published] = report
                    self._note(Subject(Kind.PLAN, session.name, PUBLISHED if published else ""))
        now_ms = self._city.clock.mono_ms()
        while self._changes:
            subject, change = next(iter(self._changes.items()))
            if now_ms - change.at_ms <= KEPT_MS:
                break
            del self._changes[subject]
            self._floor = change.cursor
            self._overrides.pop(OverrideId(subject.name), None)

    def since(self, cursor: int) -> list[tuple[int, Subject]] | None:
        """What changed after a cursor, with the cursor of each; None if that is not known here."""
        if not self._floor <= cursor <= self._last:
            return None
        found = []
        for subject, change in reversed(self._changes.items()):
            if change.cursor <= cursor:
                break
            found.append((change.cursor, subject))
        return found[::-1]

    def _note(self, subject: Subject) -> None:
        self._last += 1
        self._changes[subject] = _Change(self._last, self._city.clock.mono_ms())
        self._changes.move_to_end(subject)
