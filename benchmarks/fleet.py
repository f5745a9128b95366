"""Fleet of controllers against one server on one machine, and against a bare gRPC server.

    python -m benchmarks.fleet 10000

The server is one process, those who upload another, those who only watch their plans a third: so what
an uploader waits for is the server, and not ten thousand others in its own process. The server runs the
engine for 1,000 intersections all the time, a tick a second; detector data come in for 20 s while nothing is
sent out, then for a minute in which a schedule goes to all controllers at once every 20 s. The bare server
bears the same load over the same mTLS and does nothing else; its figures say what the machine and gRPC
allow in the same quarter of an hour. Prints Markdown and ends with 1 if a figure is missed.
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
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ampelwerk.cli.certs import SERVER
from ampelwerk.cli.event_loop import run
from ampelwerk.cli.fleet import SPARE_FILES, allow_open_files, percentile
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
from ampelwerk.controllers.service.running import run_until, watch_lag
from ampelwerk.controllers.service.server import Server
from ampelwerk.controllers.signing import PlanSigner
from ampelwerk.controllers.site_file import read_network
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm
from ampelwerk.proto.v1 import controller_pb2, telemetry_pb2
from ampelwerk.proto.v1.controller_pb2_grpc import ControllerServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from benchmarks.bare_server import BareServer
from tests.controllers.city import road
from tests.engine.town import Town

CITY, ALL_EVERY_TICKS, ENGINE_SIZE = "bench", 20, 1_000
QUIET_S = 20.0
"""Detector data come in so long before the first schedule to all. [s]"""
LONGER_S = QUIET_S + 30.0
"""Watchers stay so much longer, so that the uploaders can dial in twice. [s]"""
STREAMS, SATURATED_S = 200, 8.0
"""Streams of the closed loop in which throughput is compared, and for how long. [s]"""


class Asked(NamedTuple):
    """One figure and its limit."""

    name: str
    words: str
    limit: float
    at_least: bool = False


ASKED = (
    Asked("connect_s", "all connected [s]", 90),
    Asked("push_max_s", "a schedule to all, the last [s]", 6),
    Asked("batches_per_s", "detector batches [1/s]", 2_000, at_least=True),
    Asked("quiet_ack_p99_ms", "acknowledged while nothing is sent, p99 [ms]", 100),
    Asked("ack_p99_ms", "acknowledged, a schedule to all every 20 s, p99 [ms]", 100),
    Asked("loop_lag_p99_ms", "delay of the event loop, p99 [ms]", 250),
    Asked("server_mb", "memory of the server [MB]", 1_200),
)
NEARLY = 0.995
"""Batches fall due at random, so that the last seconds may lack a few."""


class _AllAtOnce:
    """Another stage for everybody every 20 ticks, once begun, beside an engine that ticks for 1,000."""

    def __init__(self, size: int) -> None:
        self.alarms: list[LoopAlarm] = []
        # In any order: one process carries all uploaders, which shall not have their schedules first.
        self._order = np.random.default_rng(1).permutation(size).tolist()
        self._ticks = 0
        self.begun = False
        self._town = Town(ENGINE_SIZE, 1)

    def observe(self, frame: DetectorFrame) -> None:
        """One second of the engine."""
        self._town.tick()

    def decide(self, now_s: float) -> list[Wish]:
        """All change, or nobody."""
        self._ticks += self.begun
        if not self.begun or self._ticks % ALL_EVERY_TICKS:
            return []
        stage = self._ticks // ALL_EVERY_TICKS % 2
        return [Wish(intersection=i, stage=stage, reason="all") for i in self._order]


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
    city.control = control = _AllAtOnce(size)
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGUSR1, lambda: setattr(control, "begun", True)
    )
    metrics = Metrics()
    server = Server(
        city, "127.0.0.1:0", _credentials(folder), city_name=CITY, called=metrics.called
    )
    metrics.watch(city, server.telemetry)
    lags: list[float] = []
    watching = asyncio.create_task(watch_lag(lags.append))
    await run_until(_stop_event(), server, metrics, ready=lambda: print(server.port, flush=True))
    watching.cancel()
    _tell(lags, ticks=city.ticks, ticks_left_out=metrics.skipped._value.get())


async def _serve_bare(folder: Path) -> None:
    allow_open_files(len(read_network(folder / "model.json").intersections) + SPARE_FILES)
    signer = PlanSigner.from_file(folder / PLAN_KEY)
    server = BareServer(_credentials(folder), signer, ALL_EVERY_TICKS)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, server.begin)
    lags: list[float] = []
    watching = asyncio.create_task(watch_lag(lags.append))
    print(server.port, flush=True)
    await server.run_until(_stop_event())
    watching.cancel()
    _tell(lags)


def _tell(lags: list[float], **figures: float) -> None:
    """What only the server knows."""
    figures["loop_lag_p99_ms"] = round(1e3 * percentile(lags, 0.99), 1)
    figures["server_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(figures), flush=True)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop


def _credentials(folder: Path) -> Any:
    return read_credentials(folder, Identity(city=CITY, kind=Kind.SERVER, name=SERVER))


async def _saturate(folder: Path, port: int) -> float:
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
            boot_id, seq = bytes(15) + b"\x01", 0
            await ControllerServiceStub(channel).Register(
                controller_pb2.RegisterRequest(
                    intersection_id=name,
                    boot_id=boot_id,
                    envelope_sha256=envelope_hash(site.envelope),
                    ruleset_sha256=ruleset_sha256(site.envelope),
                ),
                timeout=30,
            )
            stream: Any = TelemetryServiceStub(channel).UploadDetectors()
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
                await stream.write(batch)
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


def _measure(
    folder: Path, kind: str, count: int, uploads_per_s: float, seconds: float
) -> dict[str, float]:
    """All figures of one kind of server."""
    with _server(folder, kind) as (_, port):
        saturated = run(_saturate(folder, port))
    network = read_network(folder / "model.json")
    names = [str(site.intersection_id) for site in network.intersections[:count]]
    # They upload a batch each in half a second.
    uploaders = names[: min(count // 2, round(uploads_per_s / 2))]
    watchers = names[len(uploaders) :]
    with _server(folder, kind) as (server, port):
        watching = _fleet(folder, port, watchers, 0.0, seconds + LONGER_S)
        assert watching.stderr is not None
        connected = f"{len(watchers)} of {len(watchers)} have dialled in"
        while (line := watching.stderr.readline()) and connected not in line:
            pass
        quiet = json.loads(_fleet(folder, port, uploaders, uploads_per_s, QUIET_S).communicate()[0])
        server.send_signal(signal.SIGUSR1)
        uploading = _fleet(folder, port, uploaders, uploads_per_s, seconds)
        found = [json.loads(process.communicate()[0]) for process in (uploading, watching)]
        server.terminate()
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
    figures = found[0] | {
        name: sum(part[name] for part in found)
        for name in ("controllers", "refused", "lost", "connect_s", "schedules")
    }
    for name in ("push_p50_s", "push_p99_s", "push_max_s", "heartbeat_p99_ms"):
        figures[name] = max(part[name] for part in found)
    for name in ("opened_p99_ms", "ack_p50_ms", "ack_p99_ms"):
        figures[f"quiet_{name}"] = quiet[name]
    return {**figures, **said, "saturated_batches_per_s": round(saturated)}


def _fleet(
    folder: Path, port: int, names: list[str], uploads_per_s: float, seconds: float
) -> subprocess.Popen[str]:
    """Some controllers in a process of their own."""
    model = folder / f"{names[0]}.json"
    model.write_text(json.dumps(asdict(road(tuple(names)))))
    return subprocess.Popen(
        [
            *(sys.executable, "-c", "from ampelwerk.cli.main import main; main()"),
            *("fleet", str(len(names)), "--server", f"127.0.0.1:{port}", "--json"),
            *("--model", str(model), "--certificates", str(folder)),
            *("--uploads", str(uploads_per_s), "--seconds", str(seconds)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _fill(folder: Path, count: int) -> None:
    """Model and certificates of a fleet."""
    network = road(tuple(f"x{i}" for i in range(max(count, STREAMS))))
    (folder / "model.json").write_text(json.dumps(asdict(network)))
    authority = write_authority(folder, CITY, utc_now())
    holders = [Identity(city=CITY, kind=Kind.SERVER, name=SERVER)] + [
        Identity(city=CITY, kind=Kind.CONTROLLER, name=str(site.intersection_id))
        for site in network.intersections
    ]
    for holder in holders:
        write_credentials(folder, holder, authority.issue(holder, utc_now()))


def _report(ours: dict[str, float], bare: dict[str, float]) -> bool:
    """Print both; whether every figure is as asked."""
    print("| | asked | reached | bare server | ratio |")
    print("|---|---|---|---|---|")
    good = True
    for name, words, limit, at_least in ASKED:
        reached, other = ours[name], bare[name]
        met = reached >= NEARLY * limit if at_least else reached <= limit
        good = good and met
        shown = f"{reached:,g}" if met else f"**{reached:,g}**"
        ratio = f"{reached / other:.2f}" if other else "–"
        print(f"| {words} | {limit:,g} | {shown} | {other:,g} | {ratio} |")
    most, others = ours["saturated_batches_per_s"], bare["saturated_batches_per_s"]
    print(f"| batches at most [1/s] | – | {most:,g} | {others:,g} | {most / others:.2f} |")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--uploads", type=float, default=2_000.0, help="batches per second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.serve is not None:
        run(_serve(words.serve))
        return 0
    if words.bare is not None:
        run(_serve_bare(words.bare))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder, words.count)
        found = {
            kind: _measure(folder, kind, words.count, words.uploads, words.seconds)
            for kind in ("bare", "serve")
        }
    print(json.dumps(found, indent=2), file=sys.stderr)
    return 0 if _report(found["serve"], found["bare"]) else 1


if __name__ == "__main__":
    sys.exit(main())
