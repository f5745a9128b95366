"""A real server over mTLS on loopback, and peers with certificates of any kind."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ampelwerk.controllers.certificates import Authority, utc_now
from ampelwerk.controllers.client import RoadsideClient, channel_to
from ampelwerk.controllers.clock import SimulatedClock
from ampelwerk.controllers.errors_told import TRAILER
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.plan_file import PlanFile
from ampelwerk.controllers.roadside import Roadside
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.override_dispatch import OverrideDispatch
from ampelwerk.controllers.service.server import Server
from ampelwerk.controllers.signing import PlanSigner, PlanVerifier
from ampelwerk.controllers.site import site_of
from ampelwerk.controllers.store.store import Store
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.proto.v1.common_pb2 import CLOCK_SOURCE_NTP, ErrorDetail
from tests.controllers.city import road

CITY = "test-city"
BEGIN_MS = 1_800_000_000_000


class Wanted:
    """A control that asks for what a test wants."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []
        self.frames: list[DetectorFrame] = []
        self.alarms: list[LoopAlarm] = []

    def want(self, intersection: int, stage: int) -> None:
        self.wishes.append(Wish(intersection=intersection, stage=stage, reason="a test wants it"))

    def observe(self, frame: DetectorFrame) -> None:
        self.frames.append(frame)

    def decide(self, now_s: float) -> list[Wish]:
        wishes, self.wishes = self.wishes, []
        return wishes


@dataclass
class Live:
    """A server and what is needed to reach it."""

    clock: SimulatedClock
    authority: Authority
    signer: PlanSigner
    city: LiveCity
    server: Server
    control: Wanted
    calls: list[tuple[str, grpc.StatusCode]] = field(default_factory=list)
    overrides: OverrideDispatch | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def channel(
        self, kind: Kind, name: str, *, city: str = CITY, authority: Authority | None = None
    ) -> grpc.aio.Channel:
        identity = Identity(city=city, kind=kind, name=name)
        issued = (authority or self.authority).issue(identity, utc_now())
        return channel_to(
            self.address,
            type(issued)(
                authority=self.authority.pem, certificate=issued.certificate, key=issued.key
            ),
        )

    def roadside(self, name: str, *, plan_file: Path | None = None) -> Roadside:
        site = site_of(road(), name)
        now_ds = self.clock.unix_ms() // 100
        return Roadside(
            site,
            LocalController(site.intersections[0], tick_ds=10, now_ds=now_ds),
            self.clock,
            PlanVerifier(self.signer.public_key),
            boot_id=secrets.token_bytes(16),
            tick_ds=10,
            source=CLOCK_SOURCE_NTP,
            plan_file=PlanFile(plan_file),
        )

    def client(self, roadside: Roadside) -> RoadsideClient:
        name = str(roadside.intersection.intersection_id)
        identity = Identity(city=CITY, kind=Kind.CONTROLLER, name=name)
        return RoadsideClient(roadside, self.address, self.authority.issue(identity, utc_now()))

    @asynccontextmanager
    async def connected(
        self, name: str, *, plan_file: Path | None = None
    ) -> AsyncIterator[RoadsideClient]:
        client = self.client(self.roadside(name, plan_file=plan_file))
        task = asyncio.create_task(client.run())
        try:
            await until(lambda: client.connected and client.roadside.quiet)
            yield client
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(there: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for something that other tasks bring about."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    while not there():
        assert loop.time() < end_s, "it did not happen in time"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def running(
    *,
    store: Path | str | None = None,
    after: Live | None = None,
    epoch: int | None = None,
    **options: Any,
) -> AsyncIterator[Live]:
    """A server of three crossroads.

    Parameters
    ----------
    store : the control room's store; without one there are no overrides.
    after : a server that has stopped, at whose place this one stands.
    epoch : without it 7, or the one above that of `after`.
    """
    clock = after.clock if after else SimulatedClock(BEGIN_MS)
    authority = after.authority if after else Authority.new(CITY, utc_now())
    signer = after.signer if after else PlanSigner(Ed25519PrivateKey.generate())
    if epoch is None:
        epoch = after.city.epoch + 1 if after else 7
    city = LiveCity(road(), clock, signer, epoch=epoch, begin_s=BEGIN_MS / 1000, step_s=1.0)
    city.control = control = Wanted()
    city.schedules = [site.schedule for site in city.network.intersections]
    calls: list[tuple[str, grpc.StatusCode]] = []
    overrides = None
    if store is not None:
        overrides = OverrideDispatch(city, Store(str(store)), key=signer.key)
    server = Server(
        city,
        after.address if after else "127.0.0.1:0",
        authority.issue(Identity(city=CITY, kind=Kind.SERVER, name="server"), utc_now()),
        city_name=CITY,
        called=lambda method, status: calls.append((method, status)),
        overrides=overrides,
        **options,
    )
    await server.start()
    try:
        yield Live(clock, authority, signer, city, server, control, calls, overrides)
    finally:
        await server.stop()


def live(test: Callable[[Live], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that talks to a running server."""

    def run() -> None:
        async def inside() -> None:
            async with running() as there:
                await test(there)

        asyncio.run(inside())

    run.__name__ = test.__name__
    return run


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    """Status and code with which a call is refused."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        detail = ErrorDetail()
        for key, value in error.trailing_metadata() or ():
            if key == TRAILER and isinstance(value, bytes):
                detail.ParseFromString(value)
        return error.code(), detail.code
    raise AssertionError("the call was not refused")
