"""`ampelwerk fleet`: many controllers at once, and how the server bears them."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.event_loop import run
from ampelwerk.cli.failure import OK, RUNTIME_ERROR
from ampelwerk.cli.roadside import controller_identity
from ampelwerk.controllers.certificates import PLAN_PUBLIC_KEY, read_credentials
from ampelwerk.controllers.clock import SystemClock
from ampelwerk.controllers.fleet import Fleet, FleetFigures, Member
from ampelwerk.controllers.garbage import collect_seldom
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.controllers.site import loop_owners
from ampelwerk.controllers.site_file import read_network
from ampelwerk.models.errors import InvalidInputError

SPARE_FILES = 2_000
"""Open files beyond one for each connection."""


def fleet(
    count: int,
    *,
    server: str,
    model: Path,
    certificates: Path,
    uploads_per_s: float,
    seconds: float,
    as_json: bool,
) -> int:
    """Connect, load, measure, print. Exit code: whether all were let in."""
    network = read_network(model)
    if not 1 <= count <= len(network.intersections):
        raise InvalidInputError(
            "so many controllers are not in the model",
            where="N",
            found=str(count),
            limit=f"1 to {len(network.intersections)}",
        )
    allow_open_files(count + SPARE_FILES)
    figures, clock = FleetFigures(), SystemClock()
    verifier = PlanVerifier.from_file(certificates / PLAN_PUBLIC_KEY)
    detectors: list[list[str]] = [[] for _ in network.intersections]
    for loop, owner in zip(network.loops, loop_owners(network), strict=True):
        if owner is not None:
            detectors[owner].append(str(loop.loop_id))
    members = [
        Member(
            site,
            detectors[i],
            server,
            read_credentials(
                certificates, controller_identity(certificates, str(site.intersection_id))
            ),
            clock,
            verifier,
            figures,
        )
        for i, site in enumerate(network.intersections[:count])
    ]
    console = Console(stderr=True)
    run(_run(Fleet(members, figures, clock), count, uploads_per_s, seconds, console))
    result = summary(figures, count, seconds)
    if as_json:
        print(json.dumps(result, indent=2))
    else:
        table = Table(show_header=False, box=None)
        for name, value in result.items():
            table.add_row(name, f"{value:g}")
        Console().print(table)
    if figures.refused:
        console.print(f"error: {server}: {figures.refused} of {count} could not dial in")
    return RUNTIME_ERROR if figures.refused else OK


def allow_open_files(count: int) -> None:
    """Raise the limit of open files as far as it is needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < count:
        raise InvalidInputError(
            "too few open files are allowed",
            found=str(hard),
            limit=f"{count} or more",
            remedy=f"ulimit -n {count}",
        )


async def _run(
    fleet_: Fleet, count: int, uploads_per_s: float, seconds: float, console: Console
) -> None:
    def told(connected: int) -> None:
        if connected % 1000 == 0 or connected == count:
            console.print(f"{connected} of {count} have dialled in")

    collecting = asyncio.create_task(collect_seldom())
    await fleet_.connect(told)
    try:
        if uploads_per_s > 0:
            # Each sends at most twice a second, so that many streams are at work.
            uploaders = min(count, max(1, round(uploads_per_s / 2)))
            await fleet_.upload(uploaders, uploaders / uploads_per_s, seconds)
        else:
            await asyncio.sleep(seconds)
    finally:
        await fleet_.leave()
        collecting.cancel()


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summary(figures: FleetFigures, count: int, seconds: float) -> dict[str, float]:
    """The figures in short."""
    return {
        "controllers": count,
        "refused": figures.refused,
        "lost": figures.lost,
        "connect_s": round(figures.connect_s, 2),
        "batches_per_s": round((len(figures.opened_s) + len(figures.ack_s)) / seconds, 1),
        "opened_p99_ms": round(1e3 * percentile(figures.opened_s, 0.99), 2),
        "ack_p50_ms": round(1e3 * percentile(figures.ack_s, 0.5), 2),
        "ack_p99_ms": round(1e3 * percentile(figures.ack_s, 0.99), 2),
        "heartbeat_p99_ms": round(1e3 * percentile(figures.answers_s, 0.99), 2),
        "schedules": figures.believed,
        "schedules_disbelieved": figures.disbelieved,
        "push_p50_s": round(percentile(figures.push_s, 0.5), 3),
        "push_p99_s": round(percentile(figures.push_s, 0.99), 3),
        "push_max_s": round(max(figures.push_s, default=0.0), 3),
    }
