"""Appends plans with their records for ever, and tells each one that is durable; to be killed."""

from __future__ import annotations

import sys

from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.controllers.store.plans import PlanKind
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.envelope import IntersectionId


def main(place: str) -> None:
    store = Store(place)
    while True:
        with store.change() as change:
            stored = change.plans.publish(
                IntersectionId("J1"), b"plan", epoch=1, kind=PlanKind.CYCLIC, name="day",
                author="writer", at_unix_ms=1,
            )  # fmt: skip
            record = change.record(
                AuditEntry(
                    at_unix_ms=1, actor="writer", role="operator", method="plan.publish",
                    target=f"J1 version {stored.version}", result="ok",
                )
            )  # fmt: skip
        print(stored.version, record.seq, record.sha256, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
