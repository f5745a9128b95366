"""`ampelwerk audit`: look at the record of what was asked, and check that nobody changed it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from ampelwerk.cli.failure import BAD_INPUT, OK
from ampelwerk.controllers.signed_envelope import read_public_key
from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.errors import InvalidInputError


def verify(place: str, *, keys: list[Path], noted: list[str], as_json: bool) -> int:
    """Check the chain; the exit code."""
    trusted = [read_public_key(path) for path in keys]
    expected = dict(_noted(text) for text in noted)
    with closing(_open(place)) as store, store.read() as reading:
        report = audit.verify(reading.connection, trusted=trusted, noted=expected)
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
    place: str,
    *,
    first: int,
    last: int | None,
    actor: str,
    target: str,
    method: str,
    as_json: bool,
) -> None:
    """Print records."""
    with closing(_open(place)) as store, store.read() as reading:
        records = list(
            audit.records(
                reading.connection,
                first=first,
                last=last,
                actor=actor,
                target=target,
                method=method,
            )
        )
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
