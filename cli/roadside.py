"""`ampelwerk roadside`: one controller with lamps in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.live import Live
from rich.table import Table
from rich.text import Text

from ampelwerk.cli.certs import known_holder
from ampelwerk.controllers.certificates import PLAN_PUBLIC_KEY, file_stem, read_credentials
from ampelwerk.controllers.client import RoadsideClient
from ampelwerk.controllers.clock import SystemClock
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.controllers.json_logs import log_to_stderr
from ampelwerk.controllers.kerb import Edge, run_kerb
from ampelwerk.controllers.ladder import Level
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.plan_file import PlanFile
from ampelwerk.controllers.roadside import Roadside
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.controllers.site_file import read_site
from ampelwerk.models.detection import LoopRole
from ampelwerk.models.envelope import Aspect
from ampelwerk.models.errors import AmpelwerkError, InvalidInputError
from ampelwerk.models.network import Network

TICK_MS = 100
"""Tick of the interlock. [ms]"""
AHEAD_S = 20
"""A bus announces itself so long before it arrives. [s]"""
LEAST_GAP_S = 5
"""Between two buses. [s]"""
STYLE = {
    Aspect.RED: "red",
    Aspect.RED_AMBER: "dark_orange",
    Aspect.GREEN: "green",
    Aspect.AMBER: "yellow",
}
"""Colours of the aspects."""


def roadside(
    *,
    server: str,
    intersection: str,
    model: Path,
    certificates: Path,
    demand_veh_h: float,
    bus: str | None,
    seconds: float | None,
    plans: Path | None,
) -> None:
    """Run a controller until interrupted.

    Parameters
    ----------
    plans : file of the published plans it holds; None for one beside its certificate.
    """
    site = read_site(model, intersection)
    clock = SystemClock()
    identity = controller_identity(certificates, intersection)
    local = LocalController(
        site.intersections[0],
        tick_ds=TICK_MS // 100,
        now_ds=clock.unix_ms() // 100,
        cold=True,
    )
    device = Roadside(
        site,
        local,
        clock,
        PlanVerifier.from_file(certificates / PLAN_PUBLIC_KEY),
        boot_id=secrets.token_bytes(16),
        tick_ds=TICK_MS // 100,
        plan_file=PlanFile(plans or certificates / f"{file_stem(identity)}.plans"),
        beside=ThreadPoolExecutor(1, "plan-check"),
    )
    client = RoadsideClient(device, server, read_credentials(certificates, identity))
    read = _Arrivals(site, demand_veh_h, clock.unix_ms()).read
    buses = None if bus is None else _Buses(client, bus)
    asyncio.run(_run(device, client, read, buses, seconds))


def controller_identity(certificates: Path, intersection: str) -> Identity:
    """Who the certificate says we are; the city is read from it."""
    return known_holder(certificates, Identity(city="", kind=Kind.CONTROLLER, name=intersection))


async def _run(
    device: Roadside,
    client: RoadsideClient,
    read: Callable[[int], list[Edge]],
    buses: _Buses | None,
    seconds: float | None,
) -> None:
    """Client, street and screen side by side."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    screen = _screen(device, client)
    with screen as show:
        tasks = [
            asyncio.create_task(client.run()),
            asyncio.create_task(run_kerb(device, tick_ms=TICK_MS, read=read, shown=show)),
        ]
        if buses is not None:
            tasks.append(asyncio.create_task(buses.run()))
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait((stopped, *tasks), return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, *tasks):
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
        for task in done - {stopped}:
            task.result()


@contextlib.contextmanager
def _screen(device: Roadside, client: RoadsideClient) -> Iterator[Callable[[], None]]:
    """Shows the lamps; on anything but a terminal one line for every change, and logs beside."""
    if not sys.stdout.isatty():
        log_to_stderr()
        yield lambda: print(_line(device), flush=True)
        return
    with Live(get_renderable=lambda: _table(device, client), refresh_per_second=4):
        yield lambda: None


def _line(device: Roadside) -> str:
    """Time, level, version, stage and lamps."""
    local = device.local
    stage = device.intersection.stages[local.stage].stage_id
    return (
        f"{device.clock.unix_ms() / 1000:.1f} {device.ladder.level.name} "
        f"{device.applied_version} {stage} {local.state}"
    )


def _table(device: Roadside, client: RoadsideClient) -> Table:
    """Lamps by signal group."""
    local, ladder = device.local, device.ladder
    link = "connected" if client.connected else f"no link ({client.loss or 'dialling'})"
    cause = f" ({ladder.cause})" if ladder.level is not Level.ADAPTIVE else ""
    table = Table(
        title=f"{device.intersection.intersection_id}: {link}, {ladder.level.name}{cause}, "
        f"schedule {device.applied_version}, plan {device.published.version or 'its own'}, "
        f"stage {device.intersection.stages[local.stage].stage_id}",
        title_justify="left",
        box=None,
    )
    table.add_column("signal group")
    table.add_column("aspect")
    table.add_column("s", justify="right")
    for g, group in enumerate(device.intersection.envelope.groups):
        aspect = Aspect(local.interlock.aspects[g])
        shown_s = local.interlock.shown_ticks(g) * TICK_MS // 1000
        name = Text(f"● {aspect.name.lower().replace('_', '-')}", STYLE[aspect])
        table.add_row(str(group.group_id), name, str(min(shown_s, 999)))
    return table


class _Arrivals:
    """Vehicles that come to the stop-line and advance loops at random (Poisson), for trying out.

    Parameters
    ----------
    demand_veh_h : vehicles per loop and hour.
    """

    def __init__(self, site: Network, demand_veh_h: float, now_ms: int) -> None:
        if not 0.0 <= demand_veh_h <= 3600.0:
            raise InvalidInputError(
                "demand out of range",
                where="--demand",
                found=f"{demand_veh_h:g}",
                limit="0 to 3600 veh/h",
            )
        roles = (LoopRole.STOP_LINE, LoopRole.ADVANCE)
        self._rate_veh_s = demand_veh_h / 3600
        self._next_s = {
            loop: now_ms / 1000 + self._gap_s()
            for loop, site_loop in enumerate(site.loops)
            if site_loop.role in roles and demand_veh_h > 0
        }

    def read(self, now_ms: int) -> list[Edge]:
        """Edges since the call before; a vehicle covers a loop for half a second."""
        edges: list[Edge] = []
        for loop in self._next_s:
            while self._next_s[loop] + 0.5 <= now_ms / 1000:
                at_s = self._next_s[loop]
                edges += [(loop, at_s, True), (loop, at_s + 0.5, False)]
                self._next_s[loop] = at_s + 0.5 + self._gap_s()
        return edges

    def _gap_s(self) -> float:
        return random.expovariate(self._rate_veh_s) if self._rate_veh_s else 0.0


class _Buses:
    """A bus that announces itself at the roadside now and then, for trying out.

    Parameters
    ----------
    text : GROUP@SECONDS, its signal group and the time between two buses.
    """

    def __init__(self, client: RoadsideClient, text: str) -> None:
        group, at, seconds = text.rpartition("@")
        groups = [str(g.group_id) for g in client.roadside.intersection.envelope.groups]
        if not at or group not in groups or not seconds.isdecimal() or int(seconds) < LEAST_GAP_S:
            raise InvalidInputError(
                "this is no bus",
                where="--bus",
                found=text[:80],
                limit=f"GROUP@SECONDS, one of {' '.join(groups)}, at least {LEAST_GAP_S} s apart",
            )
        self._client, self._group, self._every_s = client, group, int(seconds)

    async def run(self) -> None:
        """Announce buses; what the server says goes to standard error."""
        for number in itertools.count(1):
            await asyncio.sleep(self._every_s)
            now_ms = self._client.roadside.clock.unix_ms()
            try:
                granted = await self._client.request_priority(
                    self._group,
                    now_ms + AHEAD_S * 1000,
                    ttl_ms=2 * AHEAD_S * 1000,
                    reason=f"bus {number} has announced itself",
                    key=secrets.token_bytes(16),
                    supersede=True,
                )
                said = f"priority {granted.override_id} granted"
            except AmpelwerkError as error:
                said = f"no priority: {error}"
            print(f"bus {number} for {self._group}: {said}", file=sys.stderr, flush=True)
