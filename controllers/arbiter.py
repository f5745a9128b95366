"""Who has the say at one intersection: a local fault, then overrides, then the strategy, then the plan.

The arbiter stands between everybody who wants something and the local controller. It keeps the leases
of overrides, drops each one at its expiry by its own clock whether or not anybody is heard from, and
lets the highest that has something to say at this moment choose the stage. What the others want is kept
and counts again when the higher one is over. Nothing reaches a lamp but through the interlock of the
controller, so no override shortens a minimum green or an intergreen.

Standard library only: it stands at the roadside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from ampelwerk.controllers.local import FAR_DS, LocalController
from ampelwerk.controllers.modes import Mode
from ampelwerk.controllers.steering import (
    DISPLAYS,
    QUEUE_AHEAD_DS,
    Lease,
    Steer,
    steering,
    with_plans_of,
)
from ampelwerk.models.errors import OverrideRefusedError, RefusalCode
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.override import EndCause, GreenGiven

MOST_REMEMBERED = 256
"""Overrides that are over and must not be brought back by a late message."""


class Say(StrEnum):
    """Who decides what is shown."""

    FAULT = "fault"
    LOCAL = "local"
    OVERRIDE = "override"
    STRATEGY = "strategy"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a lease."""

    override_id: str
    """Name of the override."""
    at_ds: int
    """When. [ds]"""
    active: bool
    """The lamps follow it."""
    cause: EndCause | None = None
    """Why it is over; None while it is not."""


class _Green(NamedTuple):
    """A green of the group of a vehicle that is expected."""

    from_ds: int
    """Its begin, or when it was seen first. [ds]"""
    to_ds: int | None
    """When it or the lease was over, None before. [ds]"""


@dataclass(slots=True)
class _Held:
    """A lease at work."""

    lease: Lease
    site: Intersection
    steer: Steer
    active: bool = False


class Arbiter:
    """Lays overrides over one local controller.

    Parameters
    ----------
    controller : carries out what is decided.
    """

    def __init__(self, controller: LocalController) -> None:
        self.controller = controller
        self.say = Say.PLAN
        """Who decided at the last tick."""
        self.holder = ""
        """The override that decided, empty without one."""
        self.local = False
        """Somebody at the cabinet has the say."""
        self._held: dict[str, _Held] = {}
        self._over: dict[str, EndCause] = {}
        self._greens: dict[str, _Green] = {}
        self._reports: list[Report] = []
        self._wish: int | None = None
        self._wish_until_ds = -FAR_DS

    @property
    def leases(self) -> tuple[Lease, ...]:
        """Leases kept, by name."""
        return tuple(self._held[name].lease for name in sorted(self._held))

    @property
    def steered(self) -> bool:
        """An override has the say, or somebody at the cabinet: what a strategy wants waits."""
        return self.say in (Say.OVERRIDE, Say.LOCAL, Say.FAULT)

    @property
    def on_plan(self) -> bool:
        """The plan is executed, for nobody wants anything else."""
        return self.controller.on_plan and not self.steered

    def reports(self) -> list[Report]:
        """What became of leases since the call before."""
        found, self._reports = self._reports, []
        return found

    def set(self, lease: Lease, now_ds: int) -> None:
        """Take a lease, or renew the one of the same name.

        Raises
        ------
        OverrideRefusedError : somebody at the cabinet has the say, or the lamps are off by a fault.
        """
        if self.local or self._faulty:
            raise OverrideRefusedError(
                RefusalCode.LOCAL,
                "the cabinet has the say" if self.local else "the intersection has a fault",
                where=f"intersection {self.controller.intersection.intersection_id}",
                remedy="ask again when it is over",
            )
        over = self._over.get(lease.override_id)
        if over is not None or lease.over_ds <= now_ds:
            # A renewal that crossed the report of an end on its way brings nothing back to life.
            self.end(lease.override_id, over or EndCause.EXPIRED, now_ds)
            return
        held = self._held.get(lease.override_id)
        if held is None:
            # The server grants one of a precedence: a new one means that the old one is over.
            for name, other in list(self._held.items()):
                if other.lease.precedence is lease.precedence:
                    self.end(name, EndCause.SUPERSEDED, now_ds)
            site = self.site_for(lease.override_id)
            self._held[lease.override_id] = _Held(lease, site, steering(site, lease))
        else:  # what it keeps in mind stays
            held.lease = replace(held.lease, expiry_ds=lease.expiry_ds)

    def site_for(self, override_id: str) -> Intersection:
        """The intersection whose stages, plans and groups a lease counts.

        A lease that is kept stays with the plans there were when it came.
        """
        held = self._held.get(override_id)
        if held is not None:
            return held.site
        return with_plans_of(self.controller.intersection, self.controller.schedule)

    def end(self, override_id: str, cause: EndCause, now_ds: int) -> None:
        """Drop a lease; one that is not there is over already, and reported so."""
        self._held.pop(override_id, None)
        green = self._greens.get(override_id)
        if green is not None and green.to_ds is None:
            self._greens[override_id] = _Green(green.from_ds, now_ds)
        cause = self._over.setdefault(override_id, cause)
        if len(self._over) > MOST_REMEMBERED:
            forgotten = next(iter(self._over))
            self._over.pop(forgotten)
            self._greens.pop(forgotten, None)
        self._reports.append(
            Report(override_id=override_id, at_ds=now_ds, active=False, cause=cause)
        )

    def take_local(self, now_ds: int) -> None:
        """The cabinet takes the say: every override is over."""
        self.local = True
        self._drop_all(EndCause.LOCAL, now_ds)

    def give_back(self) -> None:
        """The cabinet gives the say back."""
        self.local = False

    def want(self, stage: int, until_ds: int) -> None:
        """What the strategy wants; it waits while somebody higher has the say."""
        self._wish, self._wish_until_ds = stage, until_ds
        if not self.steered:
            self.controller.want(stage, until_ds)

    def hold(self) -> None:
        """The strategy keeps greens back; what an override asks for is not kept back."""
        if not self.steered:
            self.controller.hold()

    def renew(self, until_ds: int) -> None:
        """The strategy goes on with what is shown."""
        if self.steered:
            if self._wish is not None:
                self._wish_until_ds = until_ds
        else:
            self._wish_until_ds = until_ds
            self.controller.renew(until_ds)

    def follow_plan(self) -> None:
        """The strategy wants nothing any more: the plan, once no override has the say."""
        self._wish, self._wish_until_ds = None, -FAR_DS
        if not self.steered:
            self.controller.follow_plan()

    def follows(self, override_id: str) -> bool:
        """Whether the lamps have followed a lease that is kept."""
        held = self._held.get(override_id)
        return held is not None and held.active

    def over(self, override_id: str) -> EndCause | None:
        """Why a lease is over here, None if that is not known."""
        return self._over.get(override_id)

    def given(self, override_id: str) -> GreenGiven | None:
        """The last green that a vehicle was given while its lease was kept, in Unix time."""
        green = self._greens.get(override_id)
        if green is None:
            return None
        return GreenGiven(
            intersection_id=self.controller.intersection.intersection_id,
            from_unix_ms=green.from_ds * 100,
            length_ms=0 if green.to_ds is None else (green.to_ds - green.from_ds) * 100,
        )

    def tick(self, now_ds: int) -> bool:
        """Decide, then one tick of the controller; True if the output changed."""
        if self._held or self.steered or self.local or self._faulty:
            self._decide(now_ds)
        changed = self.controller.tick(now_ds)
        if self._held:
            self._watch_greens(now_ds)
        if not self.steered:
            self.say = Say.PLAN if self.controller.on_plan else Say.STRATEGY
        return changed

    @property
    def _faulty(self) -> bool:
        """Nobody from outside is listened to."""
        return self.controller.mode is Mode.FAILED or self.controller.isolated

    def _decide(self, now_ds: int) -> None:
        """Drop what is over, and let the highest that has something to say choose."""
        for name, held in list(self._held.items()):
            if held.lease.over_ds <= now_ds:
                expired = held.lease.expiry_ds <= now_ds
                self.end(name, EndCause.EXPIRED if expired else EndCause.SERVED, now_ds)
        if self._faulty:
            self._drop_all(EndCause.FAILED, now_ds)
        in_force = [held for held in self._held.values() if held.lease.effective_ds <= now_ds]
        in_force.sort(key=lambda held: (-held.lease.precedence, held.lease.override_id))
        for held in in_force:
            display = DISPLAYS.get(held.lease.action)
            stage = held.steer(self.controller, now_ds)
            if display is not None or stage is not None:
                self._follow(held, display is not None, stage, now_ds)
                return
        self._follow_nobody(now_ds)

    def _watch_greens(self, now_ds: int) -> None:
        """Note the greens of vehicles that are expected, whoever has brought them about."""
        for name, held in self._held.items():
            lease, before = held.lease, self._greens.get(name)
            if lease.action not in QUEUE_AHEAD_DS or now_ds < lease.effective_ds:
                continue
            runs = before is not None and before.to_ds is None
            is_green = bool(self.controller.green_mask >> lease.target & 1)
            if is_green == runs:
                continue
            self._greens[name] = (
                _Green(now_ds, None)
                if before is None or is_green
                else _Green(before.from_ds, now_ds)
            )
            self._reports.append(Report(override_id=name, at_ds=now_ds, active=held.active))

    def _follow(self, held: _Held, is_display: bool, stage: int | None, now_ds: int) -> None:
        """An override has the say."""
        if not is_display:
            self.controller.switch(None)
        elif self.holder != held.lease.override_id or self.controller.mode is Mode.RUN:
            # In RUN although it was ordered off: a gap of the clock made the interlock start anew.
            self.controller.switch(DISPLAYS[held.lease.action])
        if stage is not None:
            self.controller.want(stage, now_ds + 1)
        self.say, self.holder = Say.OVERRIDE, held.lease.override_id
        if not held.active:
            held.active = True
            self._reports.append(
                Report(override_id=held.lease.override_id, at_ds=now_ds, active=True)
            )

    def _follow_nobody(self, now_ds: int) -> None:
        """No override has something to say: the cabinet, the strategy or the plan has it."""
        was_steered = self.steered
        self.holder = ""
        if self.local or self._faulty:
            self.controller.switch(None)
            self.controller.want(self.controller.stage, now_ds)  # lapses at once: the plan
            self.say = Say.FAULT if self._faulty else Say.LOCAL
            return
        self.say = Say.PLAN
        if was_steered:
            self.controller.switch(None)
            if self._wish is not None and now_ds < self._wish_until_ds:
                # The strategy goes on from what is shown; it was not asked what it wants instead.
                self.controller.want(self.controller.stage, self._wish_until_ds)

    def _drop_all(self, cause: EndCause, now_ds: int) -> None:
        for name in list(self._held):
            self.end(name, cause, now_ds)
