"""Who may call what: one table, deny by default.

A method without a row is refused to everybody. A higher role does not contain a lower one by
itself; the table says what it contains.
"""

from __future__ import annotations

from collections.abc import Mapping

from ampelwerk.controllers.identity import Kind

CONTROLLERS = frozenset({Kind.CONTROLLER})
SUPERVISORS = frozenset({Kind.SUPERVISOR})
OPERATORS = frozenset({Kind.OPERATOR, Kind.SUPERVISOR})
VERIFIERS = frozenset({Kind.OPERATOR, Kind.SUPERVISOR, Kind.ENGINEER})
VIEWERS = frozenset({Kind.VIEWER, Kind.OPERATOR, Kind.SUPERVISOR, Kind.ENGINEER})
EVERYBODY = frozenset({*VIEWERS, *CONTROLLERS})

ALLOWED: Mapping[str, frozenset[Kind]] = {
    "/ampelwerk.v1.ControllerService/Register": CONTROLLERS,
    "/ampelwerk.v1.ControllerService/GetPlan": CONTROLLERS,
    "/ampelwerk.v1.ControllerService/Connect": CONTROLLERS,
    "/ampelwerk.v1.ControllerService/RequestPriority": CONTROLLERS,
    "/ampelwerk.v1.ControllerService/ReleasePriority": CONTROLLERS,
    "/ampelwerk.v1.TelemetryService/UploadDetectors": CONTROLLERS,
    "/ampelwerk.v1.TelemetryService/UploadEvents": CONTROLLERS,
    "/ampelwerk.v1.TelemetryService/ReportAlarms": CONTROLLERS,
    "/ampelwerk.v1.NetworkService/Get": VIEWERS,
    "/ampelwerk.v1.NetworkService/Watch": VIEWERS,
    "/ampelwerk.v1.PlanService/List": VIEWERS,
    "/ampelwerk.v1.PlanService/Get": VIEWERS,
    "/ampelwerk.v1.PlanService/Verify": VERIFIERS,
    "/ampelwerk.v1.PlanService/Publish": SUPERVISORS,
    "/ampelwerk.v1.PlanService/PublishTogether": SUPERVISORS,
    "/ampelwerk.v1.PlanService/Rollback": SUPERVISORS,
    "/ampelwerk.v1.OverrideService/List": VIEWERS,
    "/ampelwerk.v1.OverrideService/Preview": OPERATORS,
    "/ampelwerk.v1.OverrideService/Request": OPERATORS,
    "/ampelwerk.v1.OverrideService/Renew": OPERATORS,
    "/ampelwerk.v1.OverrideService/Release": OPERATORS,
    "/ampelwerk.v1.OverrideService/Approve": SUPERVISORS,
    "/ampelwerk.v1.AlarmService/List": VIEWERS,
    "/ampelwerk.v1.AlarmService/Acknowledge": OPERATORS,
    "/ampelwerk.v1.DecisionService/Explain": VIEWERS,
    "/ampelwerk.v1.AuditService/Query": SUPERVISORS,
    "/ampelwerk.v1.AuditService/GetCheckpoint": SUPERVISORS,
    "/grpc.health.v1.Health/Check": EVERYBODY,
    "/grpc.health.v1.Health/List": EVERYBODY,
    "/grpc.health.v1.Health/Watch": EVERYBODY,
    # Offered by `serve --dev` only.
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": VIEWERS,
}
"""Kinds of holder that may call a method."""

COMMANDS = frozenset(
    {
        "/ampelwerk.v1.ControllerService/RequestPriority",
        "/ampelwerk.v1.ControllerService/ReleasePriority",
        "/ampelwerk.v1.PlanService/Verify",
        "/ampelwerk.v1.PlanService/Publish",
        "/ampelwerk.v1.PlanService/PublishTogether",
        "/ampelwerk.v1.PlanService/Rollback",
        "/ampelwerk.v1.OverrideService/Preview",
        "/ampelwerk.v1.OverrideService/Request",
        "/ampelwerk.v1.OverrideService/Renew",
        "/ampelwerk.v1.OverrideService/Release",
        "/ampelwerk.v1.OverrideService/Approve",
        "/ampelwerk.v1.AlarmService/Acknowledge",
    }
)
"""Methods that want something done: a field the server does not know is refused, since half of a
wish is another wish."""
