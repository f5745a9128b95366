"""`ampelwerk audit`: look at the record of what was asked, and check that nobody changed it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ampelwerk.cli.certs import credentials_of
from ampelwerk.cli.failure import BAD_INPUT, OK
from ampelwerk.controllers.control_room import ControlRoomClient
from ampelwerk.controllers.signed_envelope import read_public_key
from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.errors import InvalidInputError


class Chain(Protocol):
    """Where an audit is read from."""

    def report(
        self, trusted: Sequence[Ed25519PublicKey], noted: Mapping[int, str]
    ) -> audit.AuditReport:
        """What a verification finds."""
        ...

    def records(
        self, *, first: int, last: int | None, actor: str, target: str, method: str
    ) -> Sequence[audit.AuditRecord]:
        """Records that fit."""
        ...


class _Stored:
    """In a store of this machine, or one that it can reach."""

    def __init__(self, place: str) -> None:
        self._place = place

    def report(
        self, trusted: Sequence[Ed25519PublicKey], noted: Mapping[int, str]
    ) -> audit.AuditReport:
        with closing(_open(self._place)) as store, store.read() as reading:
            return audit.verify(reading.connection, trusted=trusted, noted=noted)

    def records(
        self, *, first: int, last: int | None, actor: str, target: str, method: str
    ) -> Sequence[audit.AuditRecord]:
        with closing(_open(self._place)) as store, store.read() as reading:
            return list(
                audit.records(
                    reading.connection, first=first, last=last, actor=actor, target=target,
                    method=method,
                )
            )  # fmt: skip


class _Served:
    """Of a running server; every record is checked here, whatever the server says."""

    def __init__(self, server: str, certificates: Path, person: str) -> None:
        self._server = server
        _, self._credentials = credentials_of(certificates, person)

    def report(
        self, trusted: Sequence[Ed25519PublicKey], noted: Mapping[int, str]
    ) -> audit.AuditReport:
        with ControlRoomClient(self._server, self._credentials) as line:
            signed = line.checkpoints()
            rows = list(line.audit())
        head = rows[-1].seq if rows else 0
        return audit.verify_chain(rows, signed, head, trusted=trusted, noted=noted)

    def records(
        self, *, first: int, last: int | None, actor: str, target: str, method: str
    ) -> Sequence[audit.AuditRecord]:
        with ControlRoomClient(self._server, self._credentials) as line:
            rows = line.audit(first=first, last=last, actor=actor, target=target, method=method)
            return list(audit.fitting(rows))


def chain(store: str | None, server: str | None, certificates: Path, person: str) -> Chain:
    """The audit of a store, or of a running server."""
    if (store is None) == (server is None):
        raise InvalidInputError("it is not said whose audit", limit="either --store or --server")
    if store is not None:
        return _Stored(store)
    return _Served(str(server), certificates, person)


def verify(chain: Chain, *, keys: list[Path], noted: list[str], as_json: bool) -> int:
    """Check the chain; the exit code."""
    report = chain.report(
        [read_public_key(path) for path in keys], dict(_noted(text) for text in noted)
    )
    if as_json:
        print(json.dumps(asdict(report), indent=2))
    else:
        for finding in report.findings:
            print(finding)
        print(f"{report.records} records, {report.checkpoints} signed checkpoints verified")
        if report.records:
            print(f"note elsewhere: {report.records}:{report.head_sha256}")
        print("the audit was changed" if report.findings else "the chain is whole")
    return BAD_INPUT if report.findings else OK


def show(
    chain: Chain,
    *,
    first: int,
    last: int | None,
    actor: str,
    target: str,
    method: str,
    as_json: bool,
) -> None:
    """Print records."""
    records = chain.records(first=first, last=last, actor=actor, target=target, method=method)
    if as_json:
        for record in records:
            row = {"seq": record.seq, **asdict(record.entry), "sha256": record.sha256}
            print(json.dumps(row, ensure_ascii=False))
        return
    for record in records:
        entry = record.entry
        at = datetime.fromtimestamp(entry.at_unix_ms / 1000, UTC)
        said = [f"{entry.result}: {entry.detail}" if entry.detail else entry.result]
        if entry.reason:
            said.append(f"reason: {entry.reason}")
        print(
            f"{record.seq}  {at:%Y-%m-%dT%H:%M:%S}Z  {entry.actor} ({entry.role})  {entry.method}  "
            f"{entry.target}  {'; '.join(said)}"
        )


def _open(place: str) -> Store:
    """A store that is there; none is made."""
    if "://" not in place and not Path(place).is_file():
        raise InvalidInputError(
            "there is no such store", where="--store", found=place, remedy="check the path"
        )
    return Store(place, look=True)


def _noted(text: str) -> tuple[int, str]:
    """SEQ:HASH."""
    seq, _, sha256 = text.partition(":")
    if not seq.isdecimal() or len(sha256) != 64:
        raise InvalidInputError(
            "this is no noted record",
            where="--noted",
            found=text,
            limit="SEQ:HASH as `ampelwerk audit verify` prints it",
        )
    return int(seq), sha256.lower()
