"""Errors on the wire: one table from error to gRPC status, details in a trailer.

Clients see the text of errors that are theirs; of a bug they see an incident number, and the log
has the rest.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any, NoReturn

import grpc

from ampelwerk.controllers.convert import finding_message
from ampelwerk.controllers.errors_told import TRAILER
from ampelwerk.controllers.requests import STATUS as REFUSED
from ampelwerk.models.errors import (
    AmpelwerkError,
    InvalidInputError,
    NotLeaderError,
    RequestRefusedError,
    StoreError,
    UnsafePlanError,
)
from ampelwerk.proto.v1 import common_pb2
from ampelwerk.proto.v1.common_pb2 import ErrorDetail

STORE_RETRY_MS = 1_000
"""A store that did not answer may be asked again after this time. [ms]"""
MOST_FINDINGS, MOST_DETAIL_BYTES, MOST_TEXT = 20, 3_000, 1_000
"""Findings told of one error, and how much they and the text may be: peers take 8 KiB of headers in all,
and the trailer travels in base64."""
log = logging.getLogger("ampelwerk.server")


class Refused(AmpelwerkError):
    """A call that is refused.

    Parameters
    ----------
    status : gRPC status.
    code : `ErrorDetail.code`.
    holder, expires_unix_ms : who stands in the way, and until when. [ms]
    """

    def __init__(
        self,
        status: grpc.StatusCode,
        code: str,
        message: str,
        *,
        findings: Sequence[common_pb2.Finding] = (),
        retry_after_ms: int = 0,
        holder: str = "",
        expires_unix_ms: int = 0,
    ) -> None:
        self.status, self.code, self.findings = status, code, findings
        self.retry_after_ms = retry_after_ms
        self.holder, self.expires_unix_ms = holder, expires_unix_ms
        super().__init__(message)


STATUS: tuple[tuple[type[AmpelwerkError], grpc.StatusCode, str], ...] = (
    (InvalidInputError, grpc.StatusCode.INVALID_ARGUMENT, "INVALID"),
    (UnsafePlanError, grpc.StatusCode.FAILED_PRECONDITION, "UNSAFE"),
)
"""The first class that fits decides; anything else is a bug."""


def as_refused(error: Exception) -> Refused:
    """The error as it is told to the peer."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, RequestRefusedError):
        return Refused(
            grpc.StatusCode[REFUSED[error.code]],
            error.code.value,
            str(error),
            holder=error.holder,
            expires_unix_ms=error.expires_unix_ms,
        )
    if isinstance(error, StoreError):
        return _without_store(error)
    for kind, status, code in STATUS:
        if isinstance(error, kind):
            findings = error.findings if isinstance(error, UnsafePlanError) else ()
            return Refused(status, code, str(error), findings=[*map(finding_message, findings)])
    incident = secrets.token_hex(8)
    log.error("incident %s", incident, exc_info=error)
    return Refused(grpc.StatusCode.INTERNAL, "BUG", f"internal error, incident {incident}")


def _without_store(error: StoreError) -> Refused:
    """Nothing was changed; where the store is and what it says is for the log alone."""
    log.error("the store failed: %s", error)
    if isinstance(error, NotLeaderError):
        return Refused(grpc.StatusCode.UNAVAILABLE, "NOT_LEADER", "another server leads since")
    if error.full:
        return Refused(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "STORE_FULL",
            "the disk of the store is full; nothing was changed",
        )
    return Refused(
        grpc.StatusCode.UNAVAILABLE,
        "STORE",
        "the store does not answer as it must; nothing was changed",
        retry_after_ms=STORE_RETRY_MS,
    )


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: Refused) -> NoReturn:
    """End the call with the error."""
    incident = str(error).rpartition(" ")[2] if error.code == "BUG" else ""
    detail = ErrorDetail(
        code=error.code,
        findings_total=len(error.findings),
        retry_after_ms=error.retry_after_ms,
        holder=error.holder,
        expires_unix_ms=error.expires_unix_ms,
        incident_id=incident,
    )
    for finding in error.findings[:MOST_FINDINGS]:
        detail.findings.append(finding)
        if detail.ByteSize() > MOST_DETAIL_BYTES:
            del detail.findings[-1]
            break
    text = str(error)[:MOST_TEXT]
    await context.abort(error.status, text, ((TRAILER, detail.SerializeToString()),))
    raise AssertionError("abort returned")
