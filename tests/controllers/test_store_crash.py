"""A writer killed at random moments: whatever it said is durable is there, and the chain verifies.

SIGKILL ends a process, not a machine: that a commit reaches the disk is up to the settings that
`test_store.py` checks.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.envelope import IntersectionId

WRITER = Path(__file__).with_name("store_writer.py")
KILLS = 6


def acknowledged(place: str, after_s: float) -> list[tuple[int, int, str]]:
    """What a writer acknowledged before it was killed."""
    process = subprocess.Popen(
        [sys.executable, str(WRITER), place], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()  # it runs
    time.sleep(after_s)
    process.kill()
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    lines = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
    return [(int(v), int(s), h.strip()) for v, s, h in (line.split(" ") for line in lines)]


def test_nothing_acknowledged_is_lost(place: str) -> None:
    Store(place).close()
    dice = random.Random(7)
    told: list[tuple[int, int, str]] = []
    for _ in range(KILLS):
        told += acknowledged(place, dice.uniform(0.0, 0.25))
        store = Store(place)
        with store.read() as reading:
            noted = {seq: sha256 for _, seq, sha256 in told}
            report = audit.verify(reading.connection, noted=noted)
            versions = [plan.version for plan in reading.plans.list(IntersectionId("J1"))]
        store.close()
        assert report.findings == ()
        assert versions == list(range(1, report.records + 1))  # a record for each effect
        assert len(told) <= report.records <= told[-1][1] + 1  # one may have been under way
    assert len(told) >= 2 * KILLS
