"""Overrides between the wire and the models.

One message per intersection goes down to a controller; a control room's request names several. Times of
a push are durations from its receipt, so that a clock that is a little off moves no expiry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ampelwerk.controllers.identity import valid_id
from ampelwerk.controllers.steering import Lease, resolve_target
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.override import (
    FAR_UNIX_MS,
    MOST_TEXT,
    NEEDS_TARGET,
    PRECEDENCE,
    REASON_LENGTH,
    EndCause,
    GreenGiven,
    Override,
    OverrideAction,
    OverrideLeg,
    OverrideRequest,
    OverrideState,
    Role,
)
from ampelwerk.proto.v1 import controller_pb2, override_pb2

KEY_BYTES = 16
"""Length of an idempotency key. [B]"""
ACTIONS = {
    "select_plan": OverrideAction.PLAN,
    "hold_stage": OverrideAction.HOLD,
    "force_stage": OverrideAction.STAGE,
    "gating": OverrideAction.GATING,
    "green_wave": OverrideAction.GREEN_WAVE,
    "priority": OverrideAction.PRIORITY,
    "all_red": OverrideAction.ALL_RED,
    "flash": OverrideAction.FLASH,
    "dark": OverrideAction.DARK,
}
"""Action by its field in the message."""
STATES = {
    state: f"OVERRIDE_STATE_{state.value.upper().replace('-', '_')}" for state in OverrideState
}
"""Name of a state on the wire."""


def cause_name(cause: EndCause | None) -> str:
    """A cause as it is written on the wire."""
    return cause.value.upper() if cause else ""


def end_cause(name: str) -> EndCause | None:
    """A cause from the wire, None if it is not known here."""
    return next((cause for cause in EndCause if cause_name(cause) == name), None)


def state_of(state: int) -> OverrideState | None:
    """A state from the wire, None where the model has none."""
    names = {number: name for name, number in override_pb2.OverrideState.items()}
    return next((ours for ours, name in STATES.items() if name == names.get(state)), None)


def key_of(key: bytes) -> str:
    """An idempotency key as the store keeps it.

    Raises
    ------
    InvalidInputError : it has another length.
    """
    if len(key) != KEY_BYTES:
        raise InvalidInputError(
            "this is no idempotency key",
            where="idempotency_key",
            found=f"{len(key)} bytes",
            limit=f"{KEY_BYTES} bytes",
        )
    return key.hex()


def request_of(
    message: override_pb2.OverrideRequest, *, requester: str, role: Role
) -> OverrideRequest:
    """A request from the wire; who asks is in the certificate.

    Raises
    ------
    InvalidInputError : with what is wrong, where and what would be right.
    """
    key = key_of(message.idempotency_key)

    def refuse(field: str, what: str, remedy: str = "") -> InvalidInputError:
        return InvalidInputError(what, where=f"override {key}, {field}", remedy=remedy)

    if message.route_id or message.action.green_wave.route_id:
        raise refuse("route_id", "no routes are kept here", "name the intersections")
    if message.expected_version:
        raise refuse("expected_version", "expected versions are not looked at here")
    if message.preview_id:
        raise refuse("preview_id", "previews are not kept here")
    if not all(map(valid_id, message.intersection_ids)):
        raise refuse("intersection_ids", "these are no names of intersections")
    check_reason(message.reason)
    action = action_of(message.action)
    targets, etas_ms = _targets(message.action, len(message.intersection_ids))
    return OverrideRequest(
        key=key,
        action=action,
        legs=tuple(
            OverrideLeg(intersection_id=IntersectionId(place), target=target, eta_unix_ms=eta_ms)
            for place, target, eta_ms in zip(
                message.intersection_ids, targets, etas_ms, strict=True
            )
        ),
        requester=requester,
        role=role,
        reason=message.reason,
        ttl_ms=message.ttl_ms,
        not_before_unix_ms=message.not_before_unix_ms,
        max_green_ms=message.action.gating.max_green_ms,
        supersede=message.supersede,
    )


def priority_message(request: controller_pb2.PriorityRequest) -> override_pb2.OverrideRequest:
    """What a controller asks for, as a control room would."""
    return override_pb2.OverrideRequest(
        idempotency_key=request.idempotency_key,
        intersection_ids=[request.intersection_id],
        action=override_pb2.OverrideAction(
            priority=override_pb2.Priority(
                group_id=request.group_id, eta_unix_ms=request.eta_unix_ms
            )
        ),
        ttl_ms=request.ttl_ms,
        reason=request.reason,
        supersede=request.supersede,
    )


def check_reason(reason: str, *, needed: bool = False) -> None:
    """It is shown on other people's screens.

    Raises
    ------
    InvalidInputError : it is too long, or has characters that do not print; or, if needed, too short.
    """
    least, most = REASON_LENGTH
    if needed and len(reason) < least:
        raise InvalidInputError(
            "it is not said why", where="reason", limit=f"{least} to {most} characters"
        )
    if len(reason) > most or not reason.isprintable():
        raise InvalidInputError(
            "this is no reason",
            where="reason",
            limit=f"at most {most} characters that print",
        )


def action_of(message: override_pb2.OverrideAction) -> OverrideAction:
    """Which action a message asks for.

    Raises
    ------
    InvalidInputError : none that is offered.
    """
    kind = message.WhichOneof("action")
    action = ACTIONS.get(kind or "")
    if action is None:
        raise InvalidInputError(
            "this action is not offered" if kind else "it is not said what is asked for",
            where="action",
            found=str(kind or ""),
            limit=", ".join(ACTIONS),
        )
    return action


def _targets(
    message: override_pb2.OverrideAction, count: int
) -> tuple[Sequence[str], Sequence[int]]:
    """Target and time of arrival at each intersection."""
    kind = message.WhichOneof("action")
    if kind == "green_wave":
        wave = message.green_wave
        for field, found in (("group_ids", wave.group_ids), ("eta_unix_ms", wave.eta_unix_ms)):
            if len(found) != count:
                raise InvalidInputError(
                    "a green wave needs one for each intersection",
                    where=f"green_wave.{field}",
                    found=str(len(found)),
                    limit=str(count),
                )
        return wave.group_ids, wave.eta_unix_ms
    target, eta_ms = "", 0
    if kind == "select_plan":
        target = message.select_plan.plan_id
    elif kind == "hold_stage":
        target = message.hold_stage.stage_id
    elif kind == "force_stage":
        target = message.force_stage.stage_id
    elif kind == "gating":
        target = message.gating.group_id
    elif kind == "priority":
        target, eta_ms = message.priority.group_id, message.priority.eta_unix_ms
    return [target] * count, [eta_ms] * count


_MAKE: dict[OverrideAction, Callable[[Sequence[OverrideLeg], int], override_pb2.OverrideAction]] = {
    OverrideAction.PLAN: lambda legs, green_ms: override_pb2.OverrideAction(
        select_plan=override_pb2.SelectPlan(plan_id=legs[0].target)
    ),
    OverrideAction.HOLD: lambda legs, green_ms: override_pb2.OverrideAction(
        hold_stage=override_pb2.HoldStage(stage_id=legs[0].target)
    ),
    OverrideAction.STAGE: lambda legs, green_ms: override_pb2.OverrideAction(
        force_stage=override_pb2.ForceStage(stage_id=legs[0].target)
    ),
    OverrideAction.GATING: lambda legs, green_ms: override_pb2.OverrideAction(
        gating=override_pb2.Gating(group_id=legs[0].target, max_green_ms=green_ms)
    ),
    OverrideAction.GREEN_WAVE: lambda legs, green_ms: override_pb2.OverrideAction(
        green_wave=override_pb2.GreenWave(
            group_ids=[leg.target for leg in legs], eta_unix_ms=[leg.eta_unix_ms for leg in legs]
        )
    ),
    OverrideAction.PRIORITY: lambda legs, green_ms: override_pb2.OverrideAction(
        priority=override_pb2.Priority(group_id=legs[0].target, eta_unix_ms=legs[0].eta_unix_ms)
    ),
    OverrideAction.ALL_RED: lambda legs, green_ms: override_pb2.OverrideAction(
        all_red=override_pb2.AllRed()
    ),
    OverrideAction.FLASH: lambda legs, green_ms: override_pb2.OverrideAction(
        flash=override_pb2.Flash()
    ),
    OverrideAction.DARK: lambda legs, green_ms: override_pb2.OverrideAction(
        dark=override_pb2.Dark()
    ),
}


def action_message(
    action: OverrideAction, legs: Sequence[OverrideLeg], max_green_ms: int
) -> override_pb2.OverrideAction:
    """What is asked of these legs."""
    return _MAKE[action](legs, max_green_ms)


def request_message(request: OverrideRequest) -> override_pb2.OverrideRequest:
    """A request as a client sends it; all legs of one but a green wave have the same target."""
    return override_pb2.OverrideRequest(
        idempotency_key=bytes.fromhex(request.key),
        intersection_ids=[leg.intersection_id for leg in request.legs],
        action=action_message(request.action, request.legs, request.max_green_ms),
        ttl_ms=request.ttl_ms,
        not_before_unix_ms=request.not_before_unix_ms,
        reason=request.reason,
        supersede=request.supersede,
    )


def override_message(override: Override) -> override_pb2.Override:
    """An override as a control room sees it."""
    request = override.request

    def here(leg: OverrideLeg) -> str:
        place = leg.intersection_id
        if place in override.gone or override.over:
            return STATES[OverrideState.ENDED]
        if override.live and place in override.active:
            return STATES[OverrideState.ACTIVE]
        if override.live and place in override.delivered:
            return STATES[OverrideState.DELIVERED]
        if override.live:
            return STATES[OverrideState.GRANTED]
        return STATES[override.state]

    greens = {green.intersection_id: green for green in override.greens}

    def at(leg: OverrideLeg) -> override_pb2.IntersectionOverride:
        message = override_pb2.IntersectionOverride(
            intersection_id=leg.intersection_id,
            state=here(leg),
            cause=cause_name(override.cause),
        )
        green = greens.get(leg.intersection_id)
        if green is not None:
            message.green_from_unix_ms, message.green_ms = green.from_unix_ms, green.length_ms
        return message

    return override_pb2.Override(
        override_id=override.override_id,
        state=STATES[override.state],
        cause=cause_name(override.cause),
        holder=request.requester,
        role=request.role.value,
        priority=int(request.precedence),
        effective_unix_ms=override.effective_unix_ms,
        expiry_unix_ms=override.expiry_unix_ms,
        per_intersection=[at(leg) for leg in request.legs],
        action=action_message(request.action, request.legs, request.max_green_ms),
        reason=request.reason,
    )


def green_of(report: controller_pb2.OverrideReport, place: IntersectionId) -> GreenGiven | None:
    """What a controller says of a green; None for nothing, or for what cannot be."""
    if not 0 < report.green_from_unix_ms < FAR_UNIX_MS:
        return None
    return GreenGiven(
        intersection_id=place,
        from_unix_ms=report.green_from_unix_ms,
        length_ms=report.green_ms,
    )


def push_of(
    override: Override, leg: OverrideLeg, now_unix_ms: int, *, epoch: int
) -> controller_pb2.OverridePush:
    """What one controller is told of an override as it is now, by the server of an epoch."""
    name, request = override.override_id, override.request
    if not override.live:
        return controller_pb2.OverridePush(
            override_id=name,
            kind=controller_pb2.OVERRIDE_KIND_END,
            cause=cause_name(override.cause),
            epoch=epoch,
        )
    known = leg.intersection_id in override.delivered
    return controller_pb2.OverridePush(
        override_id=name,
        kind=controller_pb2.OVERRIDE_KIND_RENEW if known else controller_pb2.OVERRIDE_KIND_SET,
        action=action_message(request.action, (leg,), request.max_green_ms),
        ttl_ms=max(0, override.expiry_unix_ms - now_unix_ms),
        delay_ms=max(0, override.effective_unix_ms - now_unix_ms),
        priority=int(request.precedence),
        epoch=epoch,
    )


def pushed_lease(push: controller_pb2.OverridePush, site: Intersection, now_ds: int) -> Lease:
    """A push as a lease of the controller, on its own clock.

    Raises
    ------
    InvalidInputError : it asks for nothing that is known here.
    OverrideRefusedError : there is no such stage, plan or group.
    """
    action = action_of(push.action)
    (target,), (eta_ms,) = _targets(push.action, 1)
    green_ms = push.action.gating.max_green_ms
    if (action in NEEDS_TARGET and not target) or (
        action is OverrideAction.GATING and not green_ms
    ):
        raise InvalidInputError("half of the action is missing", where=push.override_id[:MOST_TEXT])
    return Lease(
        override_id=push.override_id,
        action=action,
        precedence=PRECEDENCE[action],
        target=resolve_target(site, action, target),
        eta_ds=eta_ms // 100,
        max_green_ds=-(-green_ms // 100),
        effective_ds=now_ds + push.delay_ms // 100,
        expiry_ds=now_ds + push.ttl_ms // 100,
    )
