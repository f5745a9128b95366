"""Somebody who asks a server for plans and overrides while it is killed, and remembers every answer."""

from __future__ import annotations

import json
import random
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from ampelwerk.cli.certs import credentials_of
from ampelwerk.cli.serve import DEV_NAME
from ampelwerk.cli.server_config import STORE
from ampelwerk.controllers.certificates import PLAN_PUBLIC_KEY
from ampelwerk.controllers.control_room import ControlRoomClient
from ampelwerk.controllers.override_convert import KEY_BYTES
from ampelwerk.controllers.plan_client import PlanClient, Takeover
from ampelwerk.controllers.signed_envelope import read_public_key
from ampelwerk.controllers.store import audit, schema
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import AmpelwerkError
from ampelwerk.models.override import OverrideAction, OverrideLeg, OverrideRequest, Role
from tests.controllers.plan_room import plan

WHY = "kept busy while it is killed"
PAUSE_S = 0.25
"""Between two requests. [s]"""
TTL_MS = 20_000
"""An override lasts so long, unless it is released. [ms]"""


class Desk(threading.Thread):
    """A supervisor who publishes plans and overrides, one request after the other."""

    def __init__(self, address: str, folder: Path, names: tuple[str, ...]) -> None:
        super().__init__(daemon=True)
        self._address, self._folder, self._names = address, folder, names
        self._over = threading.Event()
        self.plans: set[tuple[str, int]] = set()
        """Versions whose publication was acknowledged."""
        self.overrides: set[str] = set()
        """Overrides whose grant was acknowledged."""
        self.released: set[str] = set()
        """Those whose release was acknowledged."""
        self.answers: Counter[str] = Counter()
        """What became of the requests."""

    def run(self) -> None:
        """Ask until told to stop."""
        _, supervisor = credentials_of(self._folder, f"{Role.SUPERVISOR}:{DEV_NAME}")
        with (
            PlanClient(self._address, supervisor) as plans,
            ControlRoomClient(self._address, supervisor) as room,
        ):
            acts: tuple[Callable[[], None], ...] = (
                lambda: self._publish(plans),
                lambda: self._override(room),
                lambda: self._release(room),
            )
            while not self._over.wait(PAUSE_S):
                try:
                    random.choice(acts)()
                except AmpelwerkError as error:
                    self.answers[str(error).partition(":")[0]] += 1
                else:
                    self.answers["acknowledged"] += 1

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()
        self.join()

    def _publish(self, line: PlanClient) -> None:
        place = random.choice(self._names)
        held = max((one.version for one in line.versions(place)), default=0)
        found = line.publish(
            [plan(place, main_s=random.randrange(30, 50))],
            [held],
            Takeover(activation="next-stage"),
            reason=WHY,
            key=secrets.token_bytes(KEY_BYTES),
        )
        self.plans.update(found.items())

    def _override(self, line: ControlRoomClient) -> None:
        asked = OverrideRequest(
            key=secrets.token_hex(KEY_BYTES),
            action=OverrideAction.HOLD,
            legs=(OverrideLeg(intersection_id=IntersectionId(random.choice(self._names))),),
            requester=DEV_NAME,
            role=Role.SUPERVISOR,
            reason=WHY,
            ttl_ms=TTL_MS,
            supersede=True,
        )
        self.overrides.add(line.request(asked).override_id)

    def _release(self, line: ControlRoomClient) -> None:
        standing = line.overrides()
        if standing:
            name = random.choice(standing).override_id
            line.release(name, key=secrets.token_bytes(KEY_BYTES), reason=WHY)
            self.released.add(name)


def lost(desk: Desk, folder: Path) -> dict[str, int]:
    """What the store of a dead server lacks of all that was acknowledged.

    The chain of the audit is verified from its first record; every plan, override and release must have a
    row and a record.
    """
    with closing(Store(str(folder / STORE), look=True)) as store, store.read() as reading:
        connection = reading.connection
        report = audit.verify(connection, trusted=[read_public_key(folder / PLAN_PUBLIC_KEY)])
        records = list(audit.records(connection))
        plans = {
            (row.intersection_id, row.version)
            for row in connection.execute(
                sa.select(schema.plan.c.intersection_id, schema.plan.c.version)
            )
        }
        overrides = set(connection.execute(sa.select(schema.override.c.override_id)).scalars())
    told = "\n".join(
        json.dumps([one.entry.method, one.entry.target, one.entry.result]) for one in records
    )
    return {
        "plans": len(desk.plans - plans),
        "overrides": len(desk.overrides - overrides),
        "plan_records": sum(
            f'"{place} version {number}"' not in told for place, number in desk.plans
        ),
        "override_records": sum(name not in told for name in desk.overrides),
        "release_records": sum(
            f'["override.release", "{name}"' not in told for name in desk.released
        ),
        "audit_findings": len(report.findings),
    }
