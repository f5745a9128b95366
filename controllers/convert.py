"""Protobuf and models, both directions, validated.

Names travel, indices do not: a message is understood against the intersection or the site it is
about, or refused with everything that is wrong with it.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from ampelwerk.controllers.local import FAR_DS, LocalController
from ampelwerk.controllers.self_test import envelope_sha256
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.envelope import Aspect, Envelope
from ampelwerk.models.errors import Finding, InvalidInputError, Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.override import FAR_UNIX_MS
from ampelwerk.proto.v1 import common_pb2, plan_pb2, telemetry_pb2

MOST_EDGES, MOST_SAMPLES = 1024, 128
"""Of one batch."""
MOST_CAUSE = 200
"""Characters of the cause of an aspect."""
ASPECT = {
    Aspect.RED: common_pb2.ASPECT_RED,
    Aspect.RED_AMBER: common_pb2.ASPECT_RED_AMBER,
    Aspect.GREEN: common_pb2.ASPECT_GREEN,
    Aspect.AMBER: common_pb2.ASPECT_AMBER,
}
"""Aspects on the wire."""
SEVERITY = {
    Severity.INFO: common_pb2.SEVERITY_INFO,
    Severity.WARNING: common_pb2.SEVERITY_WARNING,
    Severity.ERROR: common_pb2.SEVERITY_ERROR,
}
"""Severities on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSignals:
    """What a controller reports about its signals, as the engine uses it."""

    stage: int
    """Stage requested."""
    green_mask: int
    """Groups at green, group i at bit i."""
    since_ds: int
    """Moment at which the stage was shown in full. [ds]"""
    decidable_from_ds: int
    """Moment from which another stage may be asked for; `FAR_DS` while the signals change. [ds]"""


def envelope_hash(envelope: Envelope) -> bytes:
    """Name of an envelope on the wire."""
    return bytes.fromhex(envelope_sha256(envelope))


def ruleset_sha256(envelope: Envelope) -> bytes:
    """Name of the rule set a controller works under."""
    return hashlib.sha256(envelope.profile.encode()).digest()


def finding_message(finding: Finding) -> common_pb2.Finding:
    """A finding for the wire."""
    return common_pb2.Finding(
        rule=finding.rule,
        severity=SEVERITY[finding.severity],
        message=f"{finding.where}: {finding.message}" if finding.where else finding.message,
        remedy=finding.remedy,
    )


def edges_message(frame: DetectorFrame, names: Sequence[str]) -> list[telemetry_pb2.DetectorEdge]:
    """Edges of a frame for the wire.

    Parameters
    ----------
    names : names of the loops, by the frame's indices.
    """
    return [
        telemetry_pb2.DetectorEdge(detector_id=names[loop], at_unix_s=at_s, on=bool(on))
        for loop, at_s, on in zip(frame.loop, frame.at_s, frame.on, strict=True)
    ]


def reason_to_refuse(batch: telemetry_pb2.DetectorBatch, known: Mapping[str, int]) -> str:
    """Why a batch of detector data cannot be true, by the names of `RejectedBatch.rule`; or empty.

    Parameters
    ----------
    known : detectors of the controller that sends it, with their indices in the network.
    """
    if len(batch.edges) > MOST_EDGES or len(batch.samples) > MOST_SAMPLES:
        return "SIZE"
    for edge in batch.edges:
        if edge.detector_id not in known:
            return "DETECTOR"
        if not isfinite(edge.at_unix_s):
            return "NOT_FINITE"
    for sample in batch.samples:
        if sample.detector_id not in known:
            return "DETECTOR"
        if not isfinite(sample.speed_mps) or sample.speed_mps < 0.0:
            return "NOT_FINITE"
        if sample.occupied_ms > batch.interval_ms:
            return "TIME"
    return ""


def frame_of(
    batches: Sequence[tuple[Mapping[str, int], telemetry_pb2.DetectorBatch]], now_s: float
) -> DetectorFrame:
    """One frame out of what several controllers reported.

    Edges are put in the order of the loops, those of one loop as they were reported: the frame is
    the same whichever controller's batch came first.
    """
    edges = [
        (known[edge.detector_id], edge.at_unix_s, int(edge.on))
        for known, batch in batches
        for edge in batch.edges
    ]
    edges.sort(key=lambda edge: edge[0])
    return DetectorFrame(
        time_s=now_s,
        loop=array("q", [edge[0] for edge in edges]),
        at_s=array("d", [edge[1] for edge in edges]),
        on=array("q", [edge[2] for edge in edges]),
    )


def signal_state_message(
    local: LocalController, *, now_ds: int, tick_ds: int, plan_version: int
) -> telemetry_pb2.SignalState:
    """What a controller shows, for the wire."""
    interlock, site = local.interlock, local.intersection
    state = telemetry_pb2.SignalState(
        stage_id=site.stages[local.stage].stage_id,
        plan_version=plan_version,
        stage_since_unix_ms=local.since_ds * 100,
        groups=[
            telemetry_pb2.GroupState(
                group_id=group.group_id,
                aspect=ASPECT[Aspect(aspect)],
                since_unix_ms=(now_ds - interlock.shown_ticks(g) * tick_ds) * 100,
            )
            for g, (group, aspect) in enumerate(
                zip(site.envelope.groups, interlock.aspects, strict=True)
            )
        ],
    )
    if local.decidable_from_ds != FAR_DS:
        state.next_stage_from_unix_ms = local.decidable_from_ds * 100
    return state


def shown_signals(state: telemetry_pb2.SignalState, intersection: Intersection) -> ShownSignals:
    """What a controller reports about its signals.

    Raises
    ------
    InvalidInputError : it does not fit the intersection.
    """
    where = str(intersection.intersection_id)
    number_of = {str(stage.stage_id): n for n, stage in enumerate(intersection.stages)}
    if state.stage_id not in number_of:
        raise InvalidInputError("no such stage", where=where, found=state.stage_id[:256])
    names = [str(group.group_id) for group in intersection.envelope.groups]
    if [group.group_id for group in state.groups] != names:
        raise InvalidInputError(
            "the signal groups are not those of the envelope, in its order", where=where
        )
    known = set(ASPECT.values())
    if any(group.aspect not in known for group in state.groups):
        raise InvalidInputError("a signal group shows no known aspect", where=where)
    if any(
        not group.cause.isprintable() or len(group.cause) > MOST_CAUSE for group in state.groups
    ):
        raise InvalidInputError("a cause cannot be shown", where=where)
    for at_ms in (state.stage_since_unix_ms, state.next_stage_from_unix_ms):
        if abs(at_ms) >= FAR_UNIX_MS:  # a simulation begins at 0, with signals from before
            raise InvalidInputError("no such time", where=where, found=str(at_ms))
    decidable = state.HasField("next_stage_from_unix_ms")
    return ShownSignals(
        stage=number_of[state.stage_id],
        green_mask=sum(
            1 << g
            for g, group in enumerate(state.groups)
            if group.aspect == common_pb2.ASPECT_GREEN
        ),
        since_ds=state.stage_since_unix_ms // 100,
        decidable_from_ds=state.next_stage_from_unix_ms // 100 if decidable else FAR_DS,
    )


def rolling_plan(
    intersection: Intersection,
    stage: int,
    *,
    envelope_hash: bytes,
    epoch: int,
    version: int,
    decided_unix_ms: int,
    valid_ms: int,
    decision_id: str,
    hold_greens: bool,
) -> plan_pb2.Plan:
    """A plan that asks for one stage from now on, until it lapses or is renewed."""
    until_ms = decided_unix_ms + valid_ms
    start_ms = decided_unix_ms - decided_unix_ms % 100
    return plan_pb2.Plan(
        intersection_id=intersection.intersection_id,
        epoch=epoch,
        version=version,
        envelope_sha256=envelope_hash,
        ruleset_sha256=ruleset_sha256(intersection.envelope),
        not_before_unix_ms=decided_unix_ms,
        not_after_unix_ms=until_ms,
        decision_id=decision_id,
        rolling=plan_pb2.RollingSchedule(
            decided_unix_ms=decided_unix_ms,
            valid_until_unix_ms=until_ms,
            entries=[
                plan_pb2.ScheduleEntry(
                    stage_id=intersection.stages[stage].stage_id,
                    earliest_start_unix_ms=start_ms,
                    latest_start_unix_ms=start_ms,
                    duration_ms=valid_ms,
                    committed=True,
                )
            ],
            hold_greens=hold_greens,
        ),
    )
