"""A server that runs: the engine's ticks by the clock, beside the event loop, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from ampelwerk.controllers.garbage import collect_seldom
from ampelwerk.controllers.service.metrics import Metrics
from ampelwerk.controllers.service.server import Server

LOOK_S = 0.1
"""The lag of the event loop is measured this often. [s]"""
log = logging.getLogger("ampelwerk.server")


async def run_until(
    stop: asyncio.Event,
    server: Server,
    metrics: Metrics,
    *,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Start, tick, and end gracefully when `stop` is set.

    Parameters
    ----------
    ready : called when the server listens.
    """
    await server.start()
    log.info(
        "listening",
        extra={"port": server.port, "intersections": len(server.city.sessions)},
    )
    ready()
    tasks = [
        asyncio.create_task(_tick(server, metrics)),
        asyncio.create_task(watch_lag(metrics.lag_s.observe)),
        asyncio.create_task(collect_seldom()),
    ]
    try:
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait((stopped, *tasks), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        log.info("stopping")
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await server.stop()
        log.info("stopped")


async def _tick(server: Server, metrics: Metrics) -> None:
    """A tick of the engine every `step_s`; a late one is left out, never made up for."""
    city, loop = server.city, asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        due_s += city.step_s
        wait_s = due_s - loop.time()
        if wait_s < 0.0:
            missed = int(-wait_s / city.step_s) + 1
            metrics.skipped.inc(missed)
            log.warning("ticks left out", extra={"ticks": missed})
            due_s += missed * city.step_s
            wait_s = due_s - loop.time()
        await asyncio.sleep(wait_s)
        started_s = loop.time()
        try:
            await city.tick_beside(city.clock.unix_ms() / 1000)
        except Exception:
            log.exception("a tick of the engine failed")
        metrics.tick_s.observe(loop.time() - started_s)


async def watch_lag(observe: Callable[[float], None]) -> None:
    """Tell again and again how late the event loop is. [s]"""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + LOOK_S
        await asyncio.sleep(LOOK_S)
        observe(max(0.0, loop.time() - due_s))
