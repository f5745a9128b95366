"""The audit: who asked for what, and what came of it, in a chain that shows every later change.

A record is one line of JSON with sorted keys. Its hash is SHA-256 over the hash of the record before
(32 bytes, zeros for the first) and the record's exact bytes. Whoever alters, removes or moves a
record breaks the chain behind it. Whoever can write to the database could still compute a whole new
chain, or cut off its end: so the last record's number and hash are signed now and then (checkpoint),
and `verify` takes a number and hash that were noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ampelwerk.controllers.signed_envelope import key_id
from ampelwerk.controllers.store import schema
from ampelwerk.models.errors import Finding, Severity

HEAD = "audit_seq"
"""Name in `meta` of the last record's number."""
_NOTHING = bytes(32)
_CONTEXT = b"ampelwerk audit checkpoint\0"
"""Before the signed bytes."""
_MOST_FINDINGS = 100
"""Findings after which a verification stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What is to be recorded."""

    at_unix_ms: int
    """When. [ms]"""
    actor: str
    """Who asked."""
    role: str
    """In which role."""
    method: str
    """What was asked for, such as ``override.request``."""
    target: str
    """Intersection, override or plan it is about."""
    result: str
    """What came of it: ``ok``, or the code of the refusal."""
    reason: str = ""
    """Why, in the words of the actor."""
    key: str = ""
    """Idempotency key of the request."""
    request_sha256: str = ""
    """Hash of the request, in hexadecimal."""
    detail: str = ""
    """More about the result, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """An entry in the chain."""

    seq: int
    """Number, from 1 without gaps."""
    entry: AuditEntry
    """What was recorded."""
    sha256: str
    """Hash of the chain up to here, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What a verification found."""

    records: int
    """Records seen."""
    checkpoints: int
    """Checkpoints whose signature is that of a trusted key."""
    head_sha256: str
    """Hash of the last record, in hexadecimal; note it elsewhere."""
    findings: tuple[Finding, ...]
    """Everything that does not fit."""


def append(connection: sa.Connection, entry: AuditEntry) -> AuditRecord:
    """Add an entry to the chain, within a transaction that holds the write lock."""
    last = connection.execute(
        sa.select(schema.audit.c.seq, schema.audit.c.sha256)
        .order_by(schema.audit.c.seq.desc())
        .limit(1)
    ).first()
    seq, before = (last.seq + 1, bytes.fromhex(last.sha256)) if last else (1, _NOTHING)
    content = _bytes({"seq": seq, **asdict(entry)})
    sha256 = hashlib.sha256(before + content).hexdigest()
    connection.execute(sa.insert(schema.audit).values(seq=seq, content=content, sha256=sha256))
    connection.execute(sa.update(schema.meta).where(schema.meta.c.name == HEAD).values(value=seq))
    return AuditRecord(seq=seq, entry=entry, sha256=sha256)


def records(
    connection: sa.Connection,
    *,
    first: int = 1,
    last: int | None = None,
    actor: str = "",
    target: str = "",
    method: str = "",
) -> Iterator[AuditRecord]:
    """Records by number, those that fit.

    Parameters
    ----------
    first, last : numbers, both included.
    method : beginning of the method, such as ``override.``.
    """
    rows = raw_records(connection, first=first, last=last)
    yield from fitting(rows, actor=actor, target=target, method=method)


class Raw(NamedTuple):
    """A record as it was hashed."""

    seq: int
    """Number."""
    content: bytes
    """Exact bytes."""
    sha256: str
    """Hash of the chain up to here, in hexadecimal."""


class RawCheckpoint(NamedTuple):
    """A checkpoint as it was signed."""

    seq: int
    """Number of the record."""
    content: bytes
    """Exact bytes."""
    key_id: str
    """Name of the key."""
    signature: bytes
    """Over the context and the bytes."""


def raw_records(
    connection: sa.Connection, *, first: int = 1, last: int | None = None
) -> Iterator[Raw]:
    """Records by number, both ends included."""
    # The cast: SQLite keeps whatever a stranger writes, text included.
    raw = sa.cast(schema.audit.c.content, sa.LargeBinary).label("content")
    query = (
        sa.select(schema.audit.c.seq, raw, schema.audit.c.sha256)
        .where(schema.audit.c.seq >= first)
        .order_by(schema.audit.c.seq)
    )
    if last is not None:
        query = query.where(schema.audit.c.seq <= last)
    for row in connection.execution_options(yield_per=1000).execute(query):
        yield Raw(row.seq, row.content, row.sha256)


def fitting(
    rows: Iterable[Raw], *, actor: str = "", target: str = "", method: str = ""
) -> Iterator[AuditRecord]:
    """Of records those that fit, read."""
    for row in rows:
        content = json.loads(row.content)
        seq = content.pop("seq")
        entry = AuditEntry(**content)
        if (
            (not actor or entry.actor == actor)
            and (not target or entry.target == target)
            and entry.method.startswith(method)
        ):
            yield AuditRecord(seq=seq, entry=entry, sha256=row.sha256)


def checkpoints(connection: sa.Connection) -> Iterator[RawCheckpoint]:
    """All checkpoints by number."""
    for row in connection.execute(sa.select(schema.checkpoint).order_by(schema.checkpoint.c.seq)):
        yield RawCheckpoint(row.seq, row.content, row.key_id, row.signature)


def checkpoint_bytes(seq: int, sha256: str, at_unix_ms: int) -> bytes:
    """What a checkpoint signs, after the context."""
    return _bytes({"seq": seq, "sha256": sha256, "at_unix_ms": at_unix_ms})


def add_checkpoint(
    connection: sa.Connection, key: Ed25519PrivateKey, at_unix_ms: int
) -> int | None:
    """Sign the last record's number and hash; the number, None if there is nothing new to sign."""
    last = connection.execute(
        sa.select(schema.audit.c.seq, schema.audit.c.sha256)
        .order_by(schema.audit.c.seq.desc())
        .limit(1)
    ).first()
    signed = connection.execute(sa.select(sa.func.max(schema.checkpoint.c.seq))).scalar()
    if last is None or last.seq == signed:
        return None
    content = checkpoint_bytes(last.seq, last.sha256, at_unix_ms)
    connection.execute(
        sa.insert(schema.checkpoint).values(
            seq=last.seq,
            content=content,
            key_id=key_id(key.public_key()),
            signature=key.sign(_CONTEXT + content),
        )
    )
    return int(last.seq)


def verify(
    connection: sa.Connection,
    *,
    trusted: Iterable[Ed25519PublicKey] = (),
    noted: Mapping[int, str] | None = None,
) -> AuditReport:
    """Go through the whole chain.

    Parameters
    ----------
    trusted : public keys of checkpoints; without any, signatures are not looked at.
    noted : hashes that were noted elsewhere, by number, in hexadecimal.
    """
    head = connection.execute(
        sa.select(schema.meta.c.value).where(schema.meta.c.name == HEAD)
    ).scalar()
    signed = list(checkpoints(connection))
    return verify_chain(raw_records(connection), signed, head, trusted=trusted, noted=noted)


def verify_chain(
    rows: Iterable[Raw],
    checkpoints: Iterable[RawCheckpoint],
    head: int | None,
    *,
    trusted: Iterable[Ed25519PublicKey] = (),
    noted: Mapping[int, str] | None = None,
) -> AuditReport:
    """Go through a chain, wherever it comes from.

    Parameters
    ----------
    head : number that the last record should have.
    trusted, noted : as in `verify`.
    """
    findings: list[Finding] = []
    keys = {key_id(key): key for key in trusted}
    fixed = {seq: (sha256, "the noted hash") for seq, sha256 in (noted or {}).items()}
    signed = 0
    for point in checkpoints:
        if keys:
            trouble = _checkpoint_trouble(point, keys)
            if trouble:
                findings.append(_finding("checkpoint", point.seq, trouble))
                continue
            signed += 1
        fixed.setdefault(point.seq, (json.loads(point.content)["sha256"], "its checkpoint"))
    seq, before = 0, _NOTHING
    for row in rows:
        trouble = _record_trouble(row, seq + 1, before)
        if trouble:
            findings.append(_finding("audit_chain", row.seq, trouble))
        other, where = fixed.pop(row.seq, (row.sha256, ""))
        if other != row.sha256:
            findings.append(_finding("audit_history", row.seq, f"Its hash is not that of {where}."))
        if len(findings) >= _MOST_FINDINGS:
            break
        seq, before = row.seq, bytes.fromhex(row.sha256)
    else:
        if head != seq:
            findings.append(_finding("audit_end", seq, f"The last record should be {head}."))
        findings.extend(
            _finding("audit_end", missing, f"The record is missing; {where} names it.")
            for missing, (_, where) in sorted(fixed.items())
        )
    return AuditReport(
        records=seq, checkpoints=signed, head_sha256=before.hex(), findings=tuple(findings)
    )


def _record_trouble(row: Raw, expected: int, before: bytes) -> str:
    """What is wrong with a record, empty if nothing."""
    if row.seq != expected:
        return f"Record {expected} is missing before it."
    if hashlib.sha256(before + row.content).hexdigest() != row.sha256:
        return "Its content, or what stands before it, was changed."
    try:
        said = json.loads(row.content)["seq"]
    except (ValueError, KeyError, TypeError):
        return "It cannot be read."
    return "" if said == row.seq else f"It is record {said} by its content."


def _checkpoint_trouble(row: RawCheckpoint, keys: Mapping[str, Ed25519PublicKey]) -> str:
    """What is wrong with a checkpoint, empty if nothing."""
    key = keys.get(row.key_id)
    if key is None:
        return f"It is signed with key {row.key_id}, which is not trusted."
    try:
        key.verify(row.signature, _CONTEXT + row.content)
        said = json.loads(row.content)["seq"]
    except (InvalidSignature, ValueError, KeyError):
        return "Its signature does not fit."
    return "" if said == row.seq else f"It is the checkpoint of record {said}."


def _finding(rule: str, seq: int, message: str) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        where=f"audit record {seq}",
        message=message,
        remedy="Compare with a backup; keep this database as evidence.",
    )


def _bytes(content: Mapping[str, Any]) -> bytes:
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")
