"""The roadside's loop by the clock, where lamps do not switch in the moment they are told to."""

from __future__ import annotations

import asyncio
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.kerb import Edge, run_kerb
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.monitor import ConflictMonitor, Violation
from ampelwerk.controllers.roadside import Roadside
from ampelwerk.controllers.signing import PlanSigner, PlanVerifier
from ampelwerk.controllers.site import site_of
from ampelwerk.models.envelope import Aspect
from tests.controllers.city import NAMES, road

SIGNER = PlanSigner(Ed25519PrivateKey.generate())
FAST = 10
"""The clock runs so many times as fast as the world's. [-]"""
TICK_MS = 100 // FAST
"""A tick, in the world's time. [ms]"""
LATE_S = 0.25 / FAST
"""How late lamps turn amber. [s]"""


class _FastClock(Clock):
    """From noon on, `FAST` times as fast."""

    def __init__(self) -> None:
        self._begun_s = time.monotonic()

    def unix_ms(self) -> int:
        return 43_200_000 + self.mono_ms()

    def mono_ms(self) -> int:
        return int((time.monotonic() - self._begun_s) * 1000 * FAST)


def test_amber_that_is_shown_late_lasts_as_long_as_any() -> None:
    clock, seen, ambers = _FastClock(), list[Violation](), 0
    site = site_of(road(), NAMES[0])
    local = LocalController(
        site.intersections[0], tick_ds=1, now_ds=clock.unix_ms() // 100, cold=True
    )
    device = Roadside(
        site, local, clock, PlanVerifier(SIGNER.public_key), boot_id=bytes(16), tick_ds=1
    )
    monitor = ConflictMonitor(site.intersections[0].envelope)

    def shown() -> None:
        nonlocal ambers
        aspects = local.interlock.aspects
        if aspects is not None and Aspect.AMBER in aspects:
            ambers += 1
            time.sleep(LATE_S)  # the process stands still before the lamps have switched
        seen.extend(monitor.observe(aspects, clock.unix_ms() // 100))

    def read(now_ms: int) -> list[Edge]:
        return []

    async def run() -> None:
        kerb = asyncio.create_task(run_kerb(device, tick_ms=TICK_MS, read=read, shown=shown))
        while ambers < 2 and not kerb.done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(6.0 / FAST)
        kerb.cancel()

    asyncio.run(asyncio.wait_for(run(), timeout=60))
    assert ambers >= 2
    assert not seen
