"""What a server says when it refuses a call, as an error of ours; light enough for the roadside."""

from __future__ import annotations

from typing import Any

import grpc

from ampelwerk.models.errors import (
    AmpelwerkError,
    InvalidInputError,
    OverrideRefusedError,
    RefusalCode,
    ServerError,
)
from ampelwerk.proto.v1.common_pb2 import ErrorDetail

TRAILER = "ampelwerk-error-bin"
"""Trailer of every failed call, with an `ErrorDetail`."""


def as_error(error: Any) -> AmpelwerkError:
    """What the server says, as an error of ours."""
    detail, said = ErrorDetail(), error.details() or ""
    for name, value in error.trailing_metadata() or ():
        if name == TRAILER:
            detail.ParseFromString(value)
    if detail.code == "INVALID":
        return InvalidInputError(said)
    if detail.code in set(RefusalCode):
        return OverrideRefusedError(
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
