"""Stored overrides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from ampelwerk.controllers.store import schema
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import StoreError
from ampelwerk.models.override import (
    EndCause,
    GreenGiven,
    Override,
    OverrideAction,
    OverrideId,
    OverrideLeg,
    OverrideRequest,
    OverrideState,
    Role,
)


class Overrides:
    """Overrides within one transaction of the store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, override: Override) -> None:
        """Keep an override as it is now."""
        row = {
            "override_id": str(override.override_id),
            "state": override.state.value,
            "expiry_unix_ms": override.expiry_unix_ms,
            "content": override_bytes(override),
        }
        row["row_sha256"] = schema.row_sha256(schema.override, row)
        there = self._connection.execute(
            sa.update(schema.override)
            .where(schema.override.c.override_id == row["override_id"])
            .values(**row)
        ).rowcount
        if not there:
            self._connection.execute(sa.insert(schema.override).values(**row))

    def get(self, override_id: OverrideId) -> Override | None:
        """One override, None if there is none."""
        row = self._connection.execute(
            sa.select(schema.override).where(schema.override.c.override_id == override_id)
        ).first()
        return None if row is None else _override(row)

    def list(self, states: Iterable[OverrideState] = ()) -> list[Override]:
        """Overrides in these states, or all, by name."""
        query = sa.select(schema.override).order_by(schema.override.c.override_id)
        wanted = [state.value for state in states]
        if wanted:
            query = query.where(schema.override.c.state.in_(wanted))
        return [_override(row) for row in self._connection.execute(query)]

    def ended(self, most: int) -> Sequence[Override]:
        """Overrides that are over, those that would have lasted longest first, at most so many."""
        query = (
            sa.select(schema.override)
            .where(schema.override.c.state == OverrideState.ENDED.value)
            .order_by(schema.override.c.expiry_unix_ms.desc(), schema.override.c.override_id)
            .limit(most)
        )
        return [_override(row) for row in self._connection.execute(query)]


def override_bytes(override: Override) -> bytes:
    """An override as JSON, the same for the same."""
    return json.dumps(asdict(override), sort_keys=True, separators=(",", ":")).encode()


def read_override(content: bytes) -> Override:
    """An override from `override_bytes`."""
    plain: dict[str, Any] = json.loads(content)
    request = plain.pop("request")
    request["legs"] = tuple(OverrideLeg(**leg) for leg in request["legs"])
    request["action"], request["role"] = OverrideAction(request["action"]), Role(request["role"])
    plain["state"] = OverrideState(plain["state"])
    plain["cause"] = None if plain["cause"] is None else EndCause(plain["cause"])
    for name in ("delivered", "active", "gone"):
        plain[name] = tuple(IntersectionId(place) for place in plain[name])
    plain["greens"] = tuple(GreenGiven(**green) for green in plain.get("greens", ()))
    return Override(request=OverrideRequest(**request), **plain)


def _override(row: Any) -> Override:
    """A row, if it is still what was written."""
    content = row._asdict()
    if content.pop("row_sha256") != schema.row_sha256(schema.override, content):
        raise StoreError(
            "a stored override is damaged",
            where=f"override {row.override_id}",
            remedy="restore the store from a backup; the controller ends it at its expiry",
        )
    return read_override(bytes(row.content))
