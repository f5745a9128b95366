"""A server and its controllers over loopback mTLS, in lockstep on a simulated clock.

Second t of the simulation is Unix second t. A tick ends when every message has been answered and
every schedule is in force, so nothing depends on how fast the wire is, and the wire changes
nothing. Everything else is as in the field: certificates, streams, signatures, acknowledgements,
leases.
"""

from __future__ import annotations

import asyncio
import secrets
from array import array
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ampelwerk.controllers.arbiter import Arbiter
from ampelwerk.controllers.certificates import Authority
from ampelwerk.controllers.client import RoadsideClient, channel_to
from ampelwerk.controllers.clock import SimulatedClock
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.controllers.roadside import Roadside
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.override_dispatch import OverrideDispatch
from ampelwerk.controllers.service.server import Server
from ampelwerk.controllers.signing import PlanSigner, PlanVerifier
from ampelwerk.controllers.site import loop_owners, site_of
from ampelwerk.controllers.store.store import Store
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.errors import SimulationError
from ampelwerk.models.network import Network
from ampelwerk.proto.v1.common_pb2 import CLOCK_SOURCE_INJECTED

CITY = "simulation"
"""Trust domain."""
PATIENCE_S = 60.0
"""Wall-clock time after which a tick that does not end is an error. [s]"""
Result = TypeVar("Result")


class Lockstep:
    """A city whose controllers sit behind the wire.

    Parameters
    ----------
    controllers : local controllers, by intersection.
    now : wall-clock time, for the dates of the certificates.
    arbiters : stand before the local controllers, by intersection; None: each gets its own.
    store : file of overrides and audit, new; None: there is no control room.
    """

    def __init__(
        self,
        network: Network,
        controllers: Sequence[LocalController],
        *,
        begin_s: float,
        step_s: float,
        now: datetime,
        arbiters: Sequence[Arbiter] | None = None,
        store: Path | None = None,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._clock = SimulatedClock(round(begin_s * 1000))
        self._step_ms = round(step_s * 1000)
        key = Ed25519PrivateKey.generate()
        self._authority, self._now = Authority.new(CITY, now), now
        self.city = LiveCity(
            network, self._clock, PlanSigner(key), epoch=1, begin_s=begin_s, step_s=step_s
        )
        """The server's side."""
        self.city.progressed = self._progressed
        owners = loop_owners(network)
        self._place: list[tuple[int, int] | None] = []
        counts = [0] * len(controllers)
        for owner in owners:
            self._place.append(None if owner is None else (owner, counts[owner]))
            if owner is not None:
                counts[owner] += 1
        self.roadsides = [
            Roadside(
                site_of(network, local.intersection.intersection_id),
                local,
                self._clock,
                PlanVerifier(key.public_key()),
                boot_id=secrets.token_bytes(16),
                tick_ds=self._step_ms // 100,
                source=CLOCK_SOURCE_INJECTED,
                arbiter=None if arbiters is None else arbiters[number],
            )
            for number, local in enumerate(controllers)
        ]
        """The controllers' side."""
        self._progress = asyncio.Event()
        self._clients: list[RoadsideClient] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._overrides = None
        if store is not None:
            self._overrides = OverrideDispatch(self.city, Store(str(store)), key=key)
        self._wait(self._start())

    async def _start(self) -> None:
        authority, now = self._authority, self._now
        server = Identity(city=CITY, kind=Kind.SERVER, name="lockstep")
        self._server = Server(
            self.city,
            "127.0.0.1:0",
            authority.issue(server, now),
            city_name=CITY,
            overrides=self._overrides,
            limited=False,
        )
        await self._server.start()
        for roadside in self.roadsides:
            name = str(roadside.intersection.intersection_id)
            identity = Identity(city=CITY, kind=Kind.CONTROLLER, name=name)
            self._clients.append(
                RoadsideClient(
                    roadside,
                    f"127.0.0.1:{self._server.port}",
                    authority.issue(identity, now),
                    progressed=self._progressed,
                )
            )
        self._tasks = [asyncio.create_task(client.run()) for client in self._clients]
        await self._settle()

    def close(self) -> None:
        """End the controllers, then the server."""
        self._wait(self._stop())
        self._loop.close()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.stop()

    def exchange(self, frame: DetectorFrame | None, now_ds: int) -> Sequence[Wish]:
        """One tick: edges up, schedules down; local controllers know what is asked afterwards."""
        self._clock.now_ms = now_ds * 100
        for roadside, own in zip(self.roadsides, self._split(frame, now_ds), strict=True):
            roadside.detect(
                own, from_ms=self._clock.now_ms - self._step_ms, interval_ms=self._step_ms
            )
            roadside.beat()
        self._wait(self._settle())
        wishes = self.city.tick(now_ds / 10)
        self._wait(self._settle())
        for roadside in self.roadsides:
            roadside.prepare(now_ds)
        return wishes

    def at(self, now_ms: int) -> None:
        """It is this time now. [ms]"""
        self._clock.now_ms = now_ms

    def settle(self) -> None:
        """Until everything that was sent has been answered."""
        self._wait(self._settle())

    def channel(self, identity: Identity) -> grpc.aio.Channel:
        """A line to the server for somebody, with a fresh certificate."""

        async def dial() -> grpc.aio.Channel:
            return channel_to(
                f"127.0.0.1:{self._server.port}", self._authority.issue(identity, self._now)
            )

        return self._wait(dial())

    def carry_out(self, work: Coroutine[None, None, Result]) -> Result:
        """Run something beside the server and the controllers."""
        return self._wait(work)

    def at_desk(self, look: Callable[[OverrideDesk], Result]) -> Result:
        """Look at the server's desk of overrides."""
        assert self._overrides is not None
        return self._wait(self._overrides.ask(look))

    def end_what_is_over(self) -> None:
        """Overrides whose time has passed end; the controllers know it afterwards."""
        assert self._overrides is not None
        self._wait(self._end_overrides(self._overrides))

    async def _end_overrides(self, overrides: OverrideDispatch) -> None:
        await overrides.settled()
        overrides.tick()
        await self._settle()

    def report_overrides(self) -> None:
        """What the controllers have to say of overrides goes up."""
        for roadside in self.roadsides:
            if roadside.report_overrides():
                roadside.beat(at_once=True)
        self.settle()

    def report(self, changed: Sequence[int]) -> None:
        """The signals of these controllers have changed; what is in force is known afterwards."""
        for i in changed:
            self.roadsides[i].report_signals()
        self._wait(self._settle())

    def cut(self, sites: Sequence[int]) -> None:
        """Cut the lines of some controllers."""
        self._wait(self._cut(sites))

    async def _cut(self, sites: Sequence[int]) -> None:
        await asyncio.gather(*(self._clients[i].cut() for i in sites))
        while any(self.city.sessions[i].stream is not None for i in sites):
            await asyncio.sleep(0.001)

    def mend(self, sites: Sequence[int]) -> None:
        """Mend their lines; they are connected afterwards."""
        for i in sites:
            self._clients[i].allowed.set()
        self._wait(self._settle())

    def _split(self, frame: DetectorFrame | None, now_ds: int) -> list[DetectorFrame]:
        """One frame per controller, with the numbers of its own loops."""
        frames = [
            DetectorFrame(time_s=now_ds / 10, loop=array("q"), at_s=array("d"), on=array("q"))
            for _ in self.roadsides
        ]
        if frame is not None:
            for loop, at_s, on in zip(frame.loop, frame.at_s, frame.on, strict=True):
                place = self._place[loop] if 0 <= loop < len(self._place) else None
                if place is not None:
                    own = frames[place[0]]
                    own.loop.append(place[1])
                    own.at_s.append(at_s)
                    own.on.append(on)
        return frames

    def _quiet(self, i: int) -> bool:
        """Whether nothing is on its way between a controller and the server."""
        client, roadside, session = self._clients[i], self.roadsides[i], self.city.sessions[i]
        if not client.allowed.is_set():
            return True
        stream = session.stream
        return (
            client.connected
            and roadside.quiet
            and stream is not None
            and stream.idle
            and roadside.applied_version in (0, session.applied_version)
        )

    async def _settle(self) -> None:
        """Until everything that was sent has been answered."""
        deadline_s = self._loop.time() + PATIENCE_S
        while True:
            await self._all_quiet(deadline_s)
            if self._overrides is None or self._overrides.idle:
                return
            await self._overrides.settled()

    async def _all_quiet(self, deadline_s: float) -> None:
        """Until no controller waits for the server, nor the server for one."""
        for i in range(len(self.roadsides)):
            while not self._quiet(i):
                left_s = deadline_s - self._loop.time()
                if left_s <= 0.0 or self._tasks[i].done():
                    raise SimulationError(
                        "the controller and the server do not come to an end of the tick",
                        where=str(self.roadsides[i].intersection.intersection_id),
                    )
                self._progress.clear()
                waiting = asyncio.create_task(self._progress.wait())
                await asyncio.wait((waiting,), timeout=left_s)
                waiting.cancel()

    def _progressed(self) -> None:
        self._progress.set()

    def _wait(self, work: Coroutine[None, None, Result]) -> Result:
        return self._loop.run_until_complete(work)
