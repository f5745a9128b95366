"""A city on the wire in words: intersections, alarms, plans, decisions as a control room shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ampelwerk.controllers.control_room import SeenOverride, seen
from ampelwerk.proto.v1 import (
    alarm_pb2,
    common_pb2,
    decision_pb2,
    network_pb2,
    plan_pb2,
)

NOTED_OFFSET_MS = 100
"""A clock that is off by less is not remarked upon. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIntersection:
    """An intersection as it stands."""

    intersection: str
    """Name."""
    controller: str
    """Whether its controller is there: unknown, registered, leased, stale or lost."""
    mode: str
    """Mode of its interlock, such as run or failed."""
    level: str
    """What it follows: adaptive, coordinated, isolated or failure."""
    cause: str
    """Why it follows nothing better."""
    stage: str
    """Stage asked for from the interlock."""
    plan_version: int
    """Version of the schedule in force, 0 for none."""
    published_version: int
    """Published plan that has taken over beneath it, 0 for none."""
    overrides: tuple[str, ...]
    """Overrides whose leases it keeps."""
    open_alarms: int
    """Alarms that are active."""
    clock: str
    """Where its time comes from, and what is wrong with it."""
    green: tuple[str, ...]
    """Groups at green."""
    amber: tuple[str, ...]
    """Groups at amber."""
    red_amber: tuple[str, ...]
    """Groups at red-amber."""
    red: tuple[str, ...]
    """Groups at red."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAlarm:
    """An alarm."""

    intersection: str
    """Where."""
    alarm_id: str
    """Name, unique there."""
    code: str
    """What is wrong."""
    severity: str
    """minor, or major: somebody has to go there."""
    component: str
    """Part it is about."""
    active: bool
    """It still is wrong."""
    raised_unix_ms: int
    """When it was raised. [ms]"""
    cleared_unix_ms: int
    """When it was over, 0 while it is not. [ms]"""
    acked_by: str
    """Who has seen it first."""
    text: str
    """More about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPlan:
    """What a controller has said of a plan last."""

    intersection: str
    """Where."""
    published: bool
    """It is a published plan, no schedule; both count their versions."""
    version: int
    """Version of the plan."""
    state: str
    """What became of it, such as applied."""
    cause: str
    """Why, if it was refused or is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Begin and end of everything as it stands."""

    complete: bool
    """False: everything follows, forget what was known. True: that was all."""
    server_unix_ms: int
    """The server's clock. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """The line to the server is gone, or back."""

    up: bool
    """It is back."""
    text: str
    """What has happened, and what will be done."""


Seen = SeenIntersection | SeenAlarm | SeenOverride | SeenPlan | Picture | LineState


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenGroup:
    """Whom a signal group serves."""

    group: str
    """Name."""
    serves: str
    """Road users."""
    comes_from: tuple[str, ...]
    """Where they come from."""
    turns: tuple[str, ...]
    """Where they go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenStage:
    """A stage and whom it serves."""

    stage: str
    """Name."""
    green: tuple[SeenGroup, ...]
    """Groups that it serves."""
    permissive: tuple[str, ...]
    """Names of those that give way in it."""
    since_unix_ms: int
    """When it was asked for; 0 where that is not known. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDecision:
    """A decision of the server's engine."""

    decision_id: str
    """Name."""
    at_unix_ms: int
    """When. [ms]"""
    control: str
    """Kind of control."""
    before: SeenStage | None
    """Asked for until then."""
    chosen: SeenStage
    """Asked for from then on."""
    reason: str
    """Why."""
    next_best: SeenStage | None
    """What was next best."""
    margin: float
    """By how much the chosen stage was better, in the control's own measure."""
    binding: str
    """Rule without which the choice would have been another."""
    next_stage: str
    """What was decided next, empty if nothing was yet."""
    next_unix_ms: int
    """When. [ms]"""


def seen_event(event: network_pb2.NetworkEvent) -> Seen | None:
    """A change in words, None for one of a kind that is not known here."""
    kind = event.WhichOneof("body")
    if kind == "intersection":
        return seen_intersection(event.intersection)
    if kind == "alarm":
        return seen_alarm(event.alarm)
    if kind == "override":
        return seen(event.override)
    if kind == "plan":
        return SeenPlan(
            intersection=event.plan.intersection_id,
            published=event.plan.published,
            version=event.plan.version,
            state=_word(plan_pb2.PlanState, event.plan.state),
            cause=event.plan.cause,
        )
    if kind == "snapshot":
        picture = event.snapshot
        return Picture(complete=picture.complete, server_unix_ms=picture.server_unix_ms)
    return None


def seen_intersection(status: network_pb2.IntersectionStatus) -> SeenIntersection:
    """An intersection from the wire."""

    def showing(aspect: int) -> tuple[str, ...]:
        return tuple(
            group.group_id for group in status.signal_state.groups if group.aspect == aspect
        )

    return SeenIntersection(
        intersection=status.intersection_id,
        controller=_word(network_pb2.ControllerState, status.state),
        mode=_word(common_pb2.Mode, status.mode),
        level=_word(common_pb2.Level, status.level),
        cause=status.cause,
        stage=status.signal_state.stage_id,
        plan_version=status.plan_version,
        published_version=status.published_version,
        overrides=tuple(status.override_ids),
        open_alarms=status.open_alarms,
        clock=_clock(status.clock),
        green=showing(common_pb2.ASPECT_GREEN),
        amber=showing(common_pb2.ASPECT_AMBER),
        red_amber=showing(common_pb2.ASPECT_RED_AMBER),
        red=showing(common_pb2.ASPECT_RED),
    )


def _clock(clock: common_pb2.ClockStatus) -> str:
    """Such as ``ntp``, or ``rtc, 600 ms ahead``."""
    parts = [_word(common_pb2.ClockSource, clock.source)]
    if abs(clock.offset_ms) >= NOTED_OFFSET_MS:
        off_ms = round(abs(clock.offset_ms), -2)
        parts.append(f"{off_ms} ms {'ahead' if clock.offset_ms > 0 else 'behind'}")
    if clock.stepped:
        parts.append("was set")
    return ", ".join(part for part in parts if part)


def seen_alarm(alarm: alarm_pb2.Alarm) -> SeenAlarm:
    """An alarm from the wire."""
    return SeenAlarm(
        intersection=alarm.intersection_id,
        alarm_id=alarm.alarm_id,
        code=alarm.code,
        severity=_word(alarm_pb2.AlarmSeverity, alarm.severity),
        component=alarm.component,
        active=alarm.active,
        raised_unix_ms=alarm.raised_unix_ms,
        cleared_unix_ms=alarm.cleared_unix_ms,
        acked_by=alarm.acked_by,
        text=alarm.text,
    )


def seen_decision(found: decision_pb2.Decision) -> SeenDecision:
    """A decision from the wire."""

    def stage(message: decision_pb2.DecisionStage) -> SeenStage:
        return SeenStage(
            stage=message.stage_id,
            green=tuple(
                SeenGroup(
                    group=one.group_id,
                    serves=one.serves,
                    comes_from=tuple(one.comes_from),
                    turns=tuple(one.turns),
                )
                for one in message.green
            ),
            permissive=tuple(message.permissive),
            since_unix_ms=message.since_unix_ms,
        )

    return SeenDecision(
        decision_id=found.decision_id,
        at_unix_ms=found.at_unix_ms,
        control=found.algorithm,
        before=stage(found.before) if found.HasField("before") else None,
        chosen=stage(found.stage),
        reason=found.reason,
        next_best=stage(found.next_best) if found.HasField("next_best") else None,
        margin=found.margin,
        binding="; ".join(one.rule for one in found.binding),
        next_stage=found.next_stage_id,
        next_unix_ms=found.next_unix_ms,
    )


def _word(kind: Any, number: int) -> str:
    """Name of an enum's value without its prefix, in lower case; empty if it is not said."""
    if not number:
        return ""
    names = {value: name for name, value in kind.items()}
    prefix = names[0].removesuffix("UNSPECIFIED")
    return str(names.get(number, str(number))).removeprefix(prefix).lower().replace("_", "-")
