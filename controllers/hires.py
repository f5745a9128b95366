"""Hi-resolution events of one controller: what its signal groups and detectors did, in 0.1 s.

Codes are those of the Indiana enumeration (Sturdevant et al., Indiana Traffic Signal Hi Resolution
Data Logger Enumerations, Purdue University, 2012). The enumeration counts phases; a signal group
takes the place of one, number 1 being the first of the envelope. Red-amber has no code and begins
no green. The red clearance of a group is the longest intergreen it owes to anybody, less its amber
(NTCIP knows one value per group, not a matrix); a group without conflicts owes none.

Nothing is reported of what began before the first call: its begin is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from ampelwerk.models.envelope import Aspect, Envelope, RoadUser
from ampelwerk.models.plan import CyclicPlan

FREE = 254
"""Pattern number of control without a plan (NTCIP 1202, coordPatternStatus)."""
NOT_FLASHING, FLASHING = 2, 3
"""Parameter of FLASH_STATUS: not in flash, in flash by order (NTCIP 1202, unitFlashStatus)."""
NEVER_DS = 2**62
"""A moment that never comes. [ds]"""


class EventCode(IntEnum):
    """Codes that are written; the parameter is the group, detector, pattern or seconds named."""

    BEGIN_GREEN = 1
    MINIMUM_GREEN_REACHED = 3
    GAP_OUT = 4
    MAX_OUT = 5
    FORCE_OFF = 6
    END_GREEN = 7
    BEGIN_AMBER = 8
    END_AMBER = 9
    BEGIN_RED_CLEARANCE = 10
    END_RED_CLEARANCE = 11
    BEGIN_WALK = 21
    BEGIN_PEDESTRIAN_CLEARANCE = 22
    BEGIN_DONT_WALK = 23
    DETECTOR_OFF = 81
    DETECTOR_ON = 82
    PEDESTRIAN_DETECTOR_OFF = 89
    PEDESTRIAN_DETECTOR_ON = 90
    PATTERN = 131
    CYCLE_TIME = 132
    OFFSET = 133
    FLASH_STATUS = 173


class Event(NamedTuple):
    """One row of the log."""

    at_ds: int
    """When. [ds]"""
    code: EventCode
    """What."""
    parameter: int
    """Number of the signal group, detector or pattern; cycle time and offset. [s]"""


class SignalEvents:
    """Turns the aspects of one controller, tick after tick, into events.

    Parameters
    ----------
    plans : the controller's plans; pattern 1 is the first.
    """

    def __init__(self, envelope: Envelope, plans: Sequence[CyclicPlan]) -> None:
        self._groups, self._plans = envelope.groups, plans
        self._clearance_ds = [
            max(0, max((gap for gap in row if gap is not None), default=0) - group.amber_ds)
            for group, row in zip(envelope.groups, envelope.intergreen_ds, strict=True)
        ]
        self._aspects: tuple[int, ...] | None = None
        self._minimum_ds = [NEVER_DS] * envelope.size
        self._cleared_ds = [NEVER_DS] * envelope.size
        self._due_ds = NEVER_DS
        self._pattern = -1
        self._flashing = False

    def see(
        self,
        now_ds: int,
        aspects: tuple[int, ...],
        *,
        pattern: int,
        ended_by: EventCode = EventCode.FORCE_OFF,
        flashing: bool = False,
    ) -> Iterator[Event]:
        """Events of one tick, by time.

        Parameters
        ----------
        aspects : (n,) what the groups show from now on.
        pattern : number of the plan in force, counted from 1, or `FREE`.
        ended_by : why greens that end now do so: GAP_OUT, MAX_OUT or FORCE_OFF.
        flashing : the lamps flash in place of showing aspects.
        """
        if pattern != self._pattern:
            self._pattern = pattern
            yield from self._pattern_events(now_ds, pattern)
        if flashing != self._flashing:
            self._flashing = flashing
            yield Event(now_ds, EventCode.FLASH_STATUS, FLASHING if flashing else NOT_FLASHING)
        if now_ds >= self._due_ds:
            yield from self._due(now_ds)
        before, self._aspects = self._aspects, aspects
        if before is not None and aspects != before:
            for group, (was, aspect) in enumerate(zip(before, aspects, strict=True)):
                if was != aspect:
                    yield from self._turn(now_ds, group, was, aspect, ended_by)
            self._due_ds = min(*self._minimum_ds, *self._cleared_ds)

    def _pattern_events(self, now_ds: int, pattern: int) -> Iterator[Event]:
        """Another plan, or none."""
        yield Event(now_ds, EventCode.PATTERN, pattern)
        if pattern != FREE:
            plan = self._plans[pattern - 1]
            yield Event(now_ds, EventCode.CYCLE_TIME, round(plan.cycle_ds / 10))
            yield Event(now_ds, EventCode.OFFSET, round(plan.offset_ds % plan.cycle_ds / 10))

    def _due(self, now_ds: int) -> Iterator[Event]:
        """Minimum greens and clearances that are over by now."""
        found = []
        for group in range(len(self._groups)):
            if self._minimum_ds[group] <= now_ds:
                found.append(
                    Event(self._minimum_ds[group], EventCode.MINIMUM_GREEN_REACHED, group + 1)
                )
                self._minimum_ds[group] = NEVER_DS
            if self._cleared_ds[group] <= now_ds:
                found.append(self._cleared(self._cleared_ds[group], group))
        self._due_ds = min(*self._minimum_ds, *self._cleared_ds, NEVER_DS)
        yield from sorted(found)

    def _cleared(self, at_ds: int, group: int) -> Event:
        """A clearance is over."""
        self._cleared_ds[group] = NEVER_DS
        walks = self._groups[group].road_user is RoadUser.PEDESTRIAN
        code = EventCode.BEGIN_DONT_WALK if walks else EventCode.END_RED_CLEARANCE
        return Event(at_ds, code, group + 1)

    def _turn(
        self, now_ds: int, group: int, was: int, aspect: int, ended_by: EventCode
    ) -> Iterator[Event]:
        """One group changes its aspect."""
        number = group + 1
        times = self._groups[group]
        walks = times.road_user is RoadUser.PEDESTRIAN
        if was == Aspect.GREEN:
            self._minimum_ds[group] = NEVER_DS
            if walks:
                yield Event(now_ds, EventCode.BEGIN_PEDESTRIAN_CLEARANCE, number)
            else:
                yield Event(now_ds, ended_by, number)
                yield Event(now_ds, EventCode.END_GREEN, number)
        if aspect == Aspect.AMBER:
            yield Event(now_ds, EventCode.BEGIN_AMBER, number)
        elif aspect == Aspect.RED:
            if not walks:
                if was == Aspect.GREEN:  # no amber: tools still look for one
                    yield Event(now_ds, EventCode.BEGIN_AMBER, number)
                yield Event(now_ds, EventCode.END_AMBER, number)
                yield Event(now_ds, EventCode.BEGIN_RED_CLEARANCE, number)
            self._cleared_ds[group] = now_ds + self._clearance_ds[group]
            if self._cleared_ds[group] == now_ds:
                yield self._cleared(now_ds, group)
        elif aspect == Aspect.GREEN:
            if self._cleared_ds[group] != NEVER_DS:  # nobody who conflicts was served since
                yield self._cleared(now_ds, group)
            yield Event(now_ds, EventCode.BEGIN_WALK if walks else EventCode.BEGIN_GREEN, number)
            if not walks:
                self._minimum_ds[group] = now_ds + times.min_green_ds
