"""Fleet of controllers against one server on one machine, and against a bare gRPC echo server.

    .venv/bin/python -m benchmarks.fleet 10000

Server and load are two processes. The server sends a schedule to all controllers at once every
20 s and meanwhile runs the engine for 1,000 intersections, a tick a second. The echo server does
nothing but give back what it gets, over the same mTLS; its figure says what the machine and gRPC
allow in the same minute.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import grpc

from ampelwerk.cli.certs import SERVER
from ampelwerk.cli.fleet import SPARE_FILES, allow_open_files
from ampelwerk.controllers.certificates import (
    PLAN_KEY,
    Authority,
    read_credentials,
    utc_now,
    write_authority,
    write_credentials,
)
from ampelwerk.controllers.client import channel_to
from ampelwerk.controllers.clock import SystemClock
from ampelwerk.controllers.convert import envelope_hash, ruleset_sha256
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.metrics import Metrics
from ampelwerk.controllers.service.running import run_until
from ampelwerk.controllers.service.server import OPTIONS, Server
from ampelwerk.controllers.signing import PlanSigner
from ampelwerk.controllers.site_file import read_network
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.proto.v1 import controller_pb2, telemetry_pb2
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from tests.controllers.city import road
from tests.engine.town import Town

CITY, ALL_EVERY_TICKS, ENGINE_SIZE = "bench", 20, 1_000
ECHO = "/bench.Echo/Upload"
STREAMS, SATURATED_S = 200, 8.0
"""Streams of the closed loop in which throughput is compared, and for how long. [s]"""


class _AllAtOnce:
    """Another stage for everybody every 20 ticks, beside an engine that ticks for 1,000."""

    def __init__(self, size: int) -> None:
        self.alarms: list[LoopAlarm] = []
        self._size, self._ticks = size, 0
        self._town = Town(ENGINE_SIZE, 1)

    def observe(self, frame: DetectorFrame) -> None:
        """One second of the engine."""
        self._town.tick()

    def decide(self, now_s: float) -> list[Wish]:
        """All change, or nobody."""
        self._ticks += 1
        if self._ticks % ALL_EVERY_TICKS:
            return []
        stage = self._ticks // ALL_EVERY_TICKS % 2
        return [Wish(intersection=i, stage=stage, reason="all") for i in range(self._size)]


def _quantile(histogram: Any, share: float) -> float:
    """Upper bound of the bucket in which a share of all observations ends."""
    samples = [
        (float(s.labels["le"]), s.value)
        for s in next(iter(histogram.collect())).samples
        if s.name.endswith("_bucket")
    ]
    total = samples[-1][1]
    return next(bound for bound, count in samples if count >= share * total)


async def _serve(folder: Path) -> None:
    network = read_network(folder / "model.json")
    size = len(network.intersections)
    allow_open_files(size + SPARE_FILES)
    clock = SystemClock()
    city = LiveCity(
        network,
        clock,
        PlanSigner.from_file(folder / PLAN_KEY),
        epoch=1,
        begin_s=clock.unix_ms() / 1000,
        step_s=1.0,
    )
    city.control = _AllAtOnce(size)
    metrics = Metrics()
    server = Server(
        city, "127.0.0.1:0", _credentials(folder), city_name=CITY, called=metrics.called
    )
    metrics.watch(city, server.telemetry)
    await run_until(_stop_event(), server, metrics, ready=lambda: print(server.port, flush=True))
    print(
        json.dumps(
            {
                "server_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "loop_lag_p99_s": _quantile(metrics.lag_s, 0.99),
                "tick_p99_s": _quantile(metrics.tick_s, 0.99),
                "ticks": city.ticks,
                "ticks_left_out": metrics.skipped._value.get(),
            }
        ),
        flush=True,
    )


async def _serve_echo(folder: Path) -> None:
    async def echo(requests: AsyncIterator[bytes], context: Any) -> None:
        async for request in requests:
            await context.write(request)

    server = grpc.aio.server(options=OPTIONS)
    handler = grpc.method_handlers_generic_handler(
        "bench.Echo", {"Upload": grpc.stream_stream_rpc_method_handler(echo)}
    )
    server.add_generic_rpc_handlers((handler,))
    ours = _credentials(folder)
    port = server.add_secure_port(
        "127.0.0.1:0",
        grpc.ssl_server_credentials(
            [(ours.key, ours.certificate)],
            root_certificates=ours.authority,
            require_client_auth=True,
        ),
    )
    await server.start()
    print(port, flush=True)
    await _stop_event().wait()
    await server.stop(None)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop


def _credentials(folder: Path) -> Any:
    return read_credentials(folder, Identity(city=CITY, kind=Kind.SERVER, name=SERVER))


async def _saturate(folder: Path, port: int, *, echo: bool) -> float:
    """Batches per second of `STREAMS` streams, each sending when the last was acknowledged."""
    authority = Authority.from_folder(folder)
    network = read_network(folder / "model.json")
    loop, counted = asyncio.get_running_loop(), 0
    begin_s = loop.time() + 3.0
    end_s = begin_s + SATURATED_S

    async def one(i: int) -> None:
        nonlocal counted
        site = network.intersections[i]
        name = str(site.intersection_id)
        identity = Identity(city=CITY, kind=Kind.CONTROLLER, name=name)
        async with channel_to(f"127.0.0.1:{port}", authority.issue(identity, utc_now())) as channel:
            raw: Any = channel
            boot_id, seq = bytes(15) + b"\x01", 0
            if echo:
                stream = raw.stream_stream(ECHO)()
            else:
                await ControllerServiceStub(channel).Register(
                    controller_pb2.RegisterRequest(
                        intersection_id=name,
                        boot_id=boot_id,
                        envelope_sha256=envelope_hash(site.envelope),
                        ruleset_sha256=ruleset_sha256(site.envelope),
                    ),
                    timeout=30,
                )
                stream = TelemetryServiceStub(channel).UploadDetectors()
            while loop.time() < end_s:
                seq += 1
                now_ms = time.time_ns() // 1_000_000
                batch = telemetry_pb2.DetectorBatch(
                    boot_id=boot_id, seq=seq, from_unix_ms=now_ms - 1000, interval_ms=1000
                )
                for way in ("main", "side"):
                    batch.edges.add(
                        detector_id=f"{name}.{way}", at_unix_s=now_ms / 1000, on=bool(seq % 2)
                    )
                await stream.write(batch.SerializeToString() if echo else batch)
                await stream.read()
                counted += begin_s <= loop.time() < end_s

    await asyncio.gather(*map(one, range(STREAMS)))
    return counted / SATURATED_S


@contextlib.contextmanager
def _server(folder: Path, kind: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fleet", f"--{kind}", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield server, int(server.stdout.readline())
        finally:
            server.terminate()
            server.wait(60)


def _measure(count: int, uploads_per_s: float, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = road(tuple(f"x{i}" for i in range(max(count, STREAMS))))
        (folder / "model.json").write_text(json.dumps(asdict(network)))
        authority = write_authority(folder, CITY, utc_now())
        holders = [Identity(city=CITY, kind=Kind.SERVER, name=SERVER)] + [
            Identity(city=CITY, kind=Kind.CONTROLLER, name=str(site.intersection_id))
            for site in network.intersections
        ]
        for holder in holders:
            write_credentials(folder, holder, authority.issue(holder, utc_now()))
        with _server(folder, "echo") as (_, port):
            echo = asyncio.run(_saturate(folder, port, echo=True))
        with _server(folder, "serve") as (_, port):
            ours = asyncio.run(_saturate(folder, port, echo=False))
        with _server(folder, "serve") as (server, port):
            done = subprocess.run(
                [
                    *(sys.executable, "-c", "from ampelwerk.cli.main import main; main()"),
                    *("fleet", str(count), "--server", f"127.0.0.1:{port}", "--json"),
                    *("--model", str(folder / "model.json"), "--certificates", name),
                    *("--uploads", str(uploads_per_s), "--seconds", str(seconds)),
                ],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            server.terminate()
            assert server.stdout is not None
            said = json.loads(server.stdout.readline())
    return {
        **json.loads(done.stdout),
        **said,
        "echo_batches_per_s": round(echo),
        "saturated_batches_per_s": round(ours),
        "share_of_echo": round(ours / echo, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--uploads", type=float, default=2_000.0, help="batches per second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--echo", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.serve is not None:
        asyncio.run(_serve(words.serve))
    elif words.echo is not None:
        asyncio.run(_serve_echo(words.echo))
    else:
        print(json.dumps(_measure(words.count, words.uploads, words.seconds), indent=2))


if __name__ == "__main__":
    main()
