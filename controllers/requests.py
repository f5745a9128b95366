"""A request of the control room: decided once, recorded, and durable before it has an effect.

The change, the reply and the audit record are one transaction. The same request under the same key
gives the same reply for a day. A refusal changes nothing and is recorded with its code; it is not
remembered, for it had no effect and may be decided otherwise later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.controllers.store.store import Change, Store
from ampelwerk.models.errors import (
    InvalidInputError,
    RefusalCode,
    RequestRefusedError,
    UnsafePlanError,
)

STATUS = {
    RefusalCode.HELD: "ABORTED",
    RefusalCode.LOCAL: "FAILED_PRECONDITION",
    RefusalCode.OFFLINE: "FAILED_PRECONDITION",
    RefusalCode.NEEDS_APPROVAL: "FAILED_PRECONDITION",
    RefusalCode.OVER: "FAILED_PRECONDITION",
    RefusalCode.ROLE: "PERMISSION_DENIED",
    RefusalCode.UNKNOWN_ID: "NOT_FOUND",
    RefusalCode.KEY_REUSED: "ALREADY_EXISTS",
    RefusalCode.VERSION: "ABORTED",
}
"""Status of the wire by code of a refusal; what is malformed is INVALID_ARGUMENT."""
INVALID, UNSAFE = "INVALID", "UNSAFE"
"""Codes of what is malformed, and of what breaks a rule."""
SERVER = "server"
"""Actor of what happens by itself."""
MOST_DETAIL = 1_000
"""Letters of a detail in the audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided about a request."""

    reply: Callable[[int], bytes]
    """The reply, when the number of the audit record is known."""
    target: str
    """What it is about, for the audit."""
    also: Sequence[AuditEntry] = ()
    """What else happens with it."""


def decide_once(
    store: Store, entry: AuditEntry, *, key: str, body: bytes, decide: Callable[[Change], Decision]
) -> tuple[bytes, bool]:
    """The reply to a request, and whether it is a new one.

    Parameters
    ----------
    entry : who asks for what, and when.
    body : the request; other bytes under the same key are refused.
    decide : makes the change.

    Raises
    ------
    RequestRefusedError, InvalidInputError, UnsafePlanError : refused, and recorded so.
    StoreError : it could not be made durable, and has no effect.
    """
    entry = replace(entry, key=key, request_sha256=hashlib.sha256(body).hexdigest())
    try:
        with store.change() as change:
            now_ms = entry.at_unix_ms
            before = change.replies.get(entry.actor, key, entry.request_sha256, now_ms)
            if before is not None:
                change.record(replace(entry, result="repeated"))
                return before, False
            decision = decide(change)
            record = change.record(replace(entry, target=decision.target))
            for other in decision.also:
                change.record(other)
            reply = decision.reply(record.seq)
            change.replies.put(entry.actor, key, entry.request_sha256, reply, now_ms)
        return reply, True
    except (RequestRefusedError, InvalidInputError, UnsafePlanError) as error:
        refuse(store, error, entry)
        raise


def refuse(store: Store, error: Exception, entry: AuditEntry) -> None:
    """Record a refusal, by the code that the error bears if it bears one."""
    usual = UNSAFE if isinstance(error, UnsafePlanError) else INVALID
    with store.change() as change:
        code = str(getattr(error, "code", usual))
        change.record(replace(entry, result=code, detail=str(error)[:MOST_DETAIL]))
