"""Somebody's line to the server, and what the server says when it refuses."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import grpc

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.client import CHANNEL_OPTIONS
from ampelwerk.controllers.service.errors import TRAILER
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

TIMEOUT_S = 10.0
"""Deadline of a request. [s]"""
RECEIVE, MOST_BYTES = "grpc.max_receive_message_length", 16 * 1024 * 1024
"""Largest answer that is taken: a city's list of plans. [B]"""
MOST_WAITS = 20
"""Times that a request which came too soon is sent again."""


class Line:
    """A channel with a certificate; a context manager.

    Every method raises `InvalidInputError`, `RequestRefusedError`, `UnsafePlanError` or `ServerError`
    with what the server says.
    """

    def __init__(self, address: str, credentials: Credentials) -> None:
        self._channel = grpc.secure_channel(
            address,
            grpc.ssl_channel_credentials(
                root_certificates=credentials.authority,
                private_key=credentials.key,
                certificate_chain=credentials.certificate,
            ),
            options=[
                *(option for option in CHANNEL_OPTIONS if option[0] != RECEIVE),
                (RECEIVE, MOST_BYTES),
            ],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channel.close()


def told(method: Any, message: Any, *, patient: bool = False) -> Any:
    """The server's answer.

    Parameters
    ----------
    patient : a request that came too soon is sent again when the server allows it.
    """
    for attempt in range(MOST_WAITS + 1):
        try:
            return method(message, timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            detail = _detail(error)
            if not patient or detail.code != "RATE" or attempt == MOST_WAITS:
                raise as_error(error) from error
            time.sleep(detail.retry_after_ms / 1000)
    raise AssertionError("unreachable")


def as_error(error: Any) -> AmpelwerkError:
    """What the server says, as an error of ours."""
    detail, said = _detail(error), error.details() or ""
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


def _detail(error: Any) -> common_pb2.ErrorDetail:
    detail = common_pb2.ErrorDetail()
    for name, value in error.trailing_metadata() or ():
        if name == TRAILER:
            detail.ParseFromString(value)
    return detail
