"""Stored plans and calendars: every version ever published, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from ampelwerk.controllers.store import schema
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError, StoreError


class PlanState(StrEnum):
    """What became of a version."""

    VERIFIED = "verified"
    PUBLISHED = "published"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REVERTED = "reverted"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"


GONE = (PlanState.REJECTED, PlanState.SUPERSEDED, PlanState.EXPIRED, PlanState.REVERTED)
"""What may become of a version at any time."""
NEXT = {
    PlanState.VERIFIED: (PlanState.PUBLISHED, PlanState.REJECTED, PlanState.REVERTED),
    PlanState.PUBLISHED: (PlanState.ACCEPTED, *GONE),
    PlanState.ACCEPTED: (PlanState.APPLIED, *GONE),
    PlanState.APPLIED: GONE,
    PlanState.REJECTED: (PlanState.QUARANTINED,),
}
"""State -> states that may follow."""
STANDS = (PlanState.PUBLISHED, PlanState.ACCEPTED, PlanState.APPLIED)
"""States of what a controller shall have."""


class PlanKind(StrEnum):
    """What the content is."""

    CYCLIC = "cyclic"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """One version of an intersection's plan or calendar."""

    intersection_id: IntersectionId
    """Where it is for."""
    version: int
    """Rises by intersection, never used twice."""
    epoch: int
    """Term of the leader that published it."""
    kind: PlanKind
    """What the content is."""
    name: str
    """Name of the plan."""
    content: bytes
    """Exact bytes, as signed and sent."""
    sha256: str
    """Hash of the content, in hexadecimal."""
    signature: bytes
    """Signature over the content."""
    certificate: bytes
    """What the verification said."""
    state: PlanState
    """What became of it."""
    cause: str
    """Why it is in that state."""
    author: str
    """Who published it."""
    published_unix_ms: int
    """When. [ms]"""


class Plans:
    """Plans within one transaction of the store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def publish(
        self,
        intersection_id: IntersectionId,
        content: bytes,
        *,
        epoch: int,
        kind: PlanKind,
        name: str,
        author: str,
        at_unix_ms: int,
        signature: bytes = b"",
        certificate: bytes = b"",
        expected_version: int | None = None,
        state: PlanState = PlanState.PUBLISHED,
    ) -> StoredPlan:
        """Keep a verified plan under the next version.

        Parameters
        ----------
        state : VERIFIED while others decide with it.
        expected_version : newest version its author saw, None if he does not care.

        Raises
        ------
        InvalidInputError : somebody else published since, or the same content was quarantined.
        """
        newest = self.newest_version(intersection_id)
        if expected_version is not None and expected_version != newest:
            raise InvalidInputError(
                "somebody else has published a plan since",
                where=f"intersection {intersection_id}",
                found=f"version {newest}",
                limit=f"version {expected_version}",
                remedy="read the newest version, then decide again",
            )
        sha256 = hashlib.sha256(content).hexdigest()
        refused = self._connection.execute(
            sa.select(schema.plan.c.version)
            .where(schema.plan.c.intersection_id == intersection_id)
            .where(schema.plan.c.sha256 == sha256)
            .where(schema.plan.c.state.in_([PlanState.REJECTED, PlanState.QUARANTINED]))
        ).scalar()
        if refused is not None:
            raise InvalidInputError(
                "the controller has refused this very plan",
                where=f"intersection {intersection_id}",
                found=f"version {refused} is quarantined",
                remedy="see its cause with `ampelwerk plan show`, and correct the plan",
            )
        stored = StoredPlan(
            intersection_id=intersection_id,
            version=newest + 1,
            epoch=epoch,
            kind=kind,
            name=name,
            content=content,
            sha256=sha256,
            signature=signature,
            certificate=certificate,
            state=state,
            cause="",
            author=author,
            published_unix_ms=at_unix_ms,
        )
        self._connection.execute(sa.insert(schema.plan).values(**_row(stored)))
        return stored

    def become(
        self, intersection_id: IntersectionId, version: int, state: PlanState, cause: str = ""
    ) -> StoredPlan:
        """Move a version on.

        Raises
        ------
        InvalidInputError : no such version, or no such step.
        """
        stored = self.get(intersection_id, version)
        if state not in NEXT.get(stored.state, ()):
            raise InvalidInputError(
                f"a plan that is {stored.state} cannot become {state}",
                where=f"intersection {intersection_id}, version {version}",
                limit=", ".join(NEXT.get(stored.state, ())) or "nothing more",
            )
        changed = StoredPlan(**{**_fields(stored), "state": state, "cause": cause[:1000]})
        self._connection.execute(
            sa.update(schema.plan)
            .where(schema.plan.c.intersection_id == intersection_id)
            .where(schema.plan.c.version == version)
            .values(**_row(changed))
        )
        return changed

    def get(self, intersection_id: IntersectionId, version: int) -> StoredPlan:
        """One version.

        Raises
        ------
        InvalidInputError : there is none.
        """
        row = self._connection.execute(
            sa.select(schema.plan)
            .where(schema.plan.c.intersection_id == intersection_id)
            .where(schema.plan.c.version == version)
        ).first()
        if row is None:
            raise InvalidInputError(
                "no such version", where=f"intersection {intersection_id}", found=str(version)
            )
        return _plan(row)

    def newest_version(self, intersection_id: IntersectionId) -> int:
        """Number of the newest version, 0 before the first."""
        found = self._connection.execute(
            sa.select(sa.func.max(schema.plan.c.version)).where(
                schema.plan.c.intersection_id == intersection_id
            )
        ).scalar()
        return int(found or 0)

    def standing(self) -> dict[IntersectionId, StoredPlan]:
        """The newest version of each intersection that its controller shall have."""
        return {stored.intersection_id: stored for stored in self.list(states=STANDS)}

    def list(
        self, intersection_id: IntersectionId | None = None, states: Sequence[PlanState] = ()
    ) -> list[StoredPlan]:
        """Versions by intersection and number."""
        query = sa.select(schema.plan).order_by(
            schema.plan.c.intersection_id, schema.plan.c.version
        )
        if intersection_id is not None:
            query = query.where(schema.plan.c.intersection_id == intersection_id)
        if states:
            query = query.where(schema.plan.c.state.in_(list(states)))
        return [_plan(row) for row in self._connection.execute(query)]


def _fields(stored: StoredPlan) -> dict[str, Any]:
    return {field.name: getattr(stored, field.name) for field in fields(stored)}


def _row(stored: StoredPlan) -> dict[str, Any]:
    row = {
        name: value.value if isinstance(value, StrEnum) else value
        for name, value in _fields(stored).items()
    }
    return {**row, "row_sha256": schema.row_sha256(schema.plan, row)}


def _plan(row: Any) -> StoredPlan:
    """A row, if it is still what was written."""
    content = row._asdict()
    if content.pop("row_sha256") != schema.row_sha256(schema.plan, content):
        raise StoreError(
            "a stored plan is damaged",
            where=f"intersection {row.intersection_id}, version {row.version}",
            remedy="restore the store from a backup, or publish the plan anew",
        )
    content["kind"] = PlanKind(content["kind"])
    content["state"] = PlanState(content["state"])
    return StoredPlan(**content)
