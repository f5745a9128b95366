"""What an override asks of a local controller from one moment to the next.

Each action looks at what the controller shows and answers with the stage that is wanted, or with nothing:
then whoever comes next in precedence has the say. Nothing here touches a lamp; the stage goes to the
interlock like any other wish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ampelwerk.controllers.local import FAR_DS
from ampelwerk.controllers.modes import Display
from ampelwerk.engine.lamp_program import required_gap_ds
from ampelwerk.models.errors import OverrideRefusedError, RefusalCode
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.override import OverrideAction, Precedence
from ampelwerk.models.plan_schedule import StageSchedule

DISPLAYS = {
    OverrideAction.ALL_RED: Display.ALL_RED,
    OverrideAction.FLASH: Display.FLASH,
    OverrideAction.DARK: Display.DARK,
}
"""Actions that end aspects altogether."""
QUEUE_AHEAD_DS = {OverrideAction.GREEN_WAVE: 150, OverrideAction.PRIORITY: 0}
"""Green before the vehicle arrives, so that those in front of it are gone. [ds]"""
LATE_DS = {OverrideAction.GREEN_WAVE: 150, OverrideAction.PRIORITY: 50}
"""Green after the time of arrival, since nobody arrives on the second. [ds]"""


class Shown(Protocol):
    """What a local controller shows."""

    stage: int
    """Stage requested."""
    decidable_from_ds: int
    """Moment from which another stage may be asked for. [ds]"""

    @property
    def green_mask(self) -> int:
        """Groups at green, group i at bit i."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """An override as one controller has it, in its own terms and on its own clock."""

    override_id: str
    """Name."""
    action: OverrideAction
    """What."""
    precedence: Precedence
    """Whom it outranks."""
    target: int = -1
    """Index of the stage, plan or signal group; -1 for none."""
    eta_ds: int = 0
    """When the vehicle is expected. [ds]"""
    max_green_ds: int = 0
    """Longest green under GATING. [ds]"""
    effective_ds: int
    """From when on. [ds]"""
    expiry_ds: int
    """Until when; nothing but a renewal moves it. [ds]"""

    @property
    def over_ds(self) -> int:
        """When it ends at the latest: at its expiry, or once the vehicle expected has passed. [ds]"""
        late_ds = LATE_DS.get(self.action)
        return self.expiry_ds if late_ds is None else min(self.expiry_ds, self.eta_ds + late_ds)


Steer = Callable[[Shown, int], int | None]
"""(what is shown, time [ds]) -> the stage wanted, or None for no wish."""


def with_plans_of(site: Intersection, schedule: StageSchedule) -> Intersection:
    """The intersection with the plans that its controller follows by now, which replace namesakes."""
    plans = {plan.plan_id: plan for plan in (*site.plans, *schedule.plans)}
    return replace(site, plans=tuple(plans.values()))


def resolve_target(site: Intersection, action: OverrideAction, name: str) -> int:
    """Index of what a target names, -1 where the action has none.

    Raises
    ------
    OverrideRefusedError : no such stage, plan or group, or one that cannot do what is asked.
    """
    kinds: dict[OverrideAction, tuple[str, list[str]]] = {
        OverrideAction.STAGE: ("stage", _selectable(site)),
        OverrideAction.HOLD: ("stage", _selectable(site)),
        OverrideAction.PLAN: ("plan", [plan.plan_id for plan in site.plans]),
    }
    groups = [str(group.group_id) for group in site.envelope.groups]
    kind, names = kinds.get(action, ("group", groups))
    if not name:
        return -1
    if name not in names:
        raise OverrideRefusedError(
            RefusalCode.UNKNOWN_ID,
            f"there is no such {kind}",
            where=f"intersection {site.intersection_id}",
            found=name,
            limit=", ".join(n for n in names if n),
        )
    number = names.index(name)
    wanted = action in (OverrideAction.GREEN_WAVE, OverrideAction.PRIORITY)
    if wanted and stage_serving(site, number, None) is None:
        raise OverrideRefusedError(
            RefusalCode.UNKNOWN_ID, "no stage shows this group green",
            where=f"intersection {site.intersection_id}", found=name,
        )  # fmt: skip
    if action is OverrideAction.GATING and stage_without(site, number, 0) is None:
        raise OverrideRefusedError(
            RefusalCode.UNKNOWN_ID, "every stage shows this group green, so it cannot be held back",
            where=f"intersection {site.intersection_id}", found=name,
        )  # fmt: skip
    return number


def _selectable(site: Intersection) -> list[str]:
    """Names of the stages that may be asked for, by index; empty where a stage may not."""
    return [str(stage.stage_id) if stage.selectable else "" for stage in site.stages]


def stage_serving(site: Intersection, group: int, shown: int | None) -> int | None:
    """The stage to show for a group: the one shown if it serves it, else where it gives way to nobody.

    Of several the scenario's own come first, then those with most groups.
    """
    if shown is not None and group in site.stages[shown].groups:
        return shown
    able = [
        number
        for number, stage in enumerate(site.stages)
        if stage.selectable and group in stage.groups
    ]
    return min(
        able,
        key=lambda number: (
            group in site.stages[number].permissive,
            not site.stages[number].delivered,
            -len(site.stages[number].groups),
            number,
        ),
        default=None,
    )


def stage_without(site: Intersection, group: int, shown: int) -> int | None:
    """The next stage in order that does not serve a group, the scenario's own first."""
    count = len(site.stages)
    around = [(shown + k) % count for k in range(1, count + 1)]
    able = [
        number
        for number in around
        if site.stages[number].selectable
        and site.stages[number].groups
        and group not in site.stages[number].groups
    ]
    return next(
        (number for number in able if site.stages[number].delivered), next(iter(able), None)
    )


def lead_ds(site: Intersection, group: int) -> int:
    """Longest time from a wish to the green of a group: minimum greens, then intergreens. [ds]"""
    envelope = site.envelope
    foes = [i for i in range(envelope.size) if envelope.conflict[i][group]]
    return max(
        (
            envelope.groups[i].red_amber_ds
            + envelope.groups[i].min_green_ds
            + required_gap_ds(envelope, i, group)
            for i in foes
        ),
        default=0,
    )


def steering(site: Intersection, lease: Lease) -> Steer:
    """How a lease steers; keeps in mind what it must."""
    action, target = lease.action, lease.target
    if action is OverrideAction.STAGE:
        return lambda shown, now_ds: target
    if action is OverrideAction.HOLD:
        return _Hold(target).steer
    if action is OverrideAction.PLAN:
        plan = site.plans[target]
        return lambda shown, now_ds: plan.stage_at(now_ds)
    if action in QUEUE_AHEAD_DS:
        first_ds = lease.eta_ds - QUEUE_AHEAD_DS[action] - lead_ds(site, target)

        def expected(shown: Shown, now_ds: int) -> int | None:
            if now_ds < first_ds:
                return None
            return stage_serving(site, target, shown.stage)

        return expected
    if action is OverrideAction.GATING:
        return _Gate(site, target, lease.max_green_ds).steer
    return lambda shown, now_ds: None  # a display: no stage is wanted


class _Hold:
    """Stay in a stage: the one shown, or a certain one once it is shown."""

    def __init__(self, target: int) -> None:
        self._target, self._held = target, -1

    def steer(self, shown: Shown, now_ds: int) -> int | None:
        if self._held < 0 and self._target in (-1, shown.stage):
            self._held = shown.stage
        return self._held if self._held >= 0 else None


class _Gate:
    """No more green at a time for a group than so long, then something else in full."""

    def __init__(self, site: Intersection, group: int, max_green_ds: int) -> None:
        self._site, self._group, self._max_green_ds = site, group, max_green_ds
        self._since_ds: int | None = None
        self._instead: int | None = None

    def steer(self, shown: Shown, now_ds: int) -> int | None:
        green = shown.green_mask >> self._group & 1
        if not green:
            self._since_ds = None
        elif self._since_ds is None:
            self._since_ds = now_ds
        if self._instead is not None:
            served = shown.stage == self._instead and shown.decidable_from_ds <= now_ds
            if not green and served and shown.decidable_from_ds != FAR_DS:
                self._instead = None
        elif self._since_ds is not None and now_ds - self._since_ds >= self._max_green_ds:
            self._instead = stage_without(self._site, self._group, shown.stage)
        return self._instead
