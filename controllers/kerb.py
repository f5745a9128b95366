"""A roadside device that runs by the clock: ticks its local controller, reads its detectors."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable

from ampelwerk.controllers.roadside import Roadside
from ampelwerk.models.detection import DetectorFrame

DETECT_EVERY_MS = 1_000
"""Edges are sent once a second. [ms]"""
Edge = tuple[int, float, bool]
"""Loop of the site, Unix time [s], whether a vehicle came onto it."""


async def run_kerb(
    roadside: Roadside,
    *,
    tick_ms: int,
    read: Callable[[int], list[Edge]],
    shown: Callable[[], None] = lambda: None,
) -> None:
    """Run until cancelled.

    Parameters
    ----------
    tick_ms : time between two ticks of the interlock. [ms]
    read : edges since the call before; it is told the Unix time. [ms]
    shown : called after every tick that changed the lamps; switches them.
    """
    loop, clock = asyncio.get_running_loop(), roadside.clock
    due_s, sent_ms = loop.time(), clock.unix_ms()
    while True:
        due_s = max(due_s + tick_ms / 1000, loop.time())
        await asyncio.sleep(due_s - loop.time())
        now_ms = clock.unix_ms()
        now_ds = now_ms // 100
        local = roadside.local
        roadside.prepare(now_ds)
        decidable_ds = local.decidable_from_ds
        if roadside.tick(now_ds):
            shown()
            # The lamps may have switched late: whole ticks pass from now on until they switch again.
            due_s = max(due_s, loop.time())
            roadside.report_signals()
        elif local.decidable_from_ds != decidable_ds:
            roadside.report_signals()
        roadside.beat()
        if abs(now_ms - sent_ms) >= DETECT_EVERY_MS:
            edges = read(now_ms)
            roadside.detect(
                DetectorFrame(
                    time_s=now_ms / 1000,
                    loop=array("q", [edge[0] for edge in edges]),
                    at_s=array("d", [edge[1] for edge in edges]),
                    on=array("q", [int(edge[2]) for edge in edges]),
                ),
                from_ms=sent_ms,
                interval_ms=max(0, now_ms - sent_ms),  # a clock may be set back
            )
            sent_ms = now_ms
