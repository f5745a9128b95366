"""Garbage collection in processes that hold a whole city."""

from __future__ import annotations

import asyncio
import gc

COLLECT_S = 3600.0
"""Garbage in circles is looked for this often. [s]"""
YOUNG, YOUNG_ROUNDS, NEVER = 5_000, 10, 1_000_000_000
"""Thresholds of the collector until then: new objects, rounds among these, rounds among all."""


async def collect_seldom() -> None:
    """Have Python look through all its objects once an hour, not whenever their number has grown.

    With ten thousand controllers there are a million of them; to look through them takes a second, in
    which nobody is answered, and finds a hundred to throw away.
    """
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG, YOUNG_ROUNDS, NEVER)
    try:
        while True:
            await asyncio.sleep(COLLECT_S)
            gc.collect()
    finally:
        gc.set_threshold(*usual)
