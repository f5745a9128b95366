"""What a server says when it refuses a call, as an error of ours; light enough for the roadside."""

from __future__ import annotations

from typing import Any

import grpc

from ampelwerk.models.errors import (
    AmpelwerkError,
    Finding,
    InvalidInputError,
    RefusalCode,
    RequestRefusedError,
    ServerError,
    Severity,
    UnsafePlanError,
)
from ampelwerk.proto.v1 import common_pb2

TRAILER = "ampelwerk-error-bin"
"""Trailer of every failed call, with an `ErrorDetail`."""


def detail_of(error: Any) -> common_pb2.ErrorDetail:
    """The trailer of a failed call; empty without one."""
    detail = common_pb2.ErrorDetail()
    for name, value in error.trailing_metadata() or ():
        if name == TRAILER:
            detail.ParseFromString(value)
    return detail


def as_error(error: Any) -> AmpelwerkError:
    """What the server says, as an error of ours."""
    detail, said = detail_of(error), error.details() or ""
    if detail.code == "INVALID":
        return InvalidInputError(said)
    if detail.code == "UNSAFE" and detail.findings:
        return UnsafePlanError(tuple(map(finding_of, detail.findings)))
    if detail.code in set(RefusalCode):
        return RequestRefusedError(
            RefusalCode(detail.code),
            f"{detail.code}: {said}",
            holder=detail.holder,
            expires_unix_ms=detail.expires_unix_ms,
        )
    if error.code() is grpc.StatusCode.UNAVAILABLE and not detail.code:
        return ServerError(
            "the server cannot be reached, or does not believe the certificate",
            found=said,
            remedy="check --server and --certificates",
        )
    return ServerError(f"{detail.code or error.code().name}: {said}")


def finding_of(message: common_pb2.Finding) -> Finding:
    """A finding from the wire; where it is stands in its text."""
    severity = {
        common_pb2.SEVERITY_INFO: Severity.INFO,
        common_pb2.SEVERITY_WARNING: Severity.WARNING,
    }.get(message.severity, Severity.ERROR)
    where, _, text = message.message.partition(": ")
    return Finding(
        rule=message.rule,
        severity=severity,
        where=where if text else "",
        message=text or where,
        remedy=f"Remedy: {message.remedy}" if message.remedy else "",
    )
