"""A server that runs by the clock: ticks beside the event loop, metrics, logs, health, its end."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.request
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from prometheus_client import generate_latest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.json_logs import JsonLines
from ampelwerk.controllers.service.metrics import Metrics
from ampelwerk.controllers.service.running import run_until
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.proto.v1 import network_pb2
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceStub
from tests.controllers.live import Live, Wanted, live, until


class Slow(Wanted):
    """Thinks for a while, in whatever thread it is asked."""

    def decide(self, now_s: float) -> list[Wish]:
        time.sleep(0.3)
        return super().decide(now_s)


class Broken(Wanted):
    """Fails at every second frame."""

    def observe(self, frame: DetectorFrame) -> None:
        super().observe(frame)
        if len(self.frames) % 2:
            raise ValueError("a bug in the engine")


def _value(metrics: Metrics, name: str) -> float:
    text = generate_latest(metrics.registry).decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


async def _run(there: Live, metrics: Metrics, seconds: float) -> None:
    """Run a started server's ticks for a while, then end it."""
    metrics.watch(there.city, there.server.telemetry)
    there.server.start = _nothing  # type: ignore[method-assign]
    stop = asyncio.Event()
    running = asyncio.create_task(run_until(stop, there.server, metrics))
    await asyncio.sleep(seconds)
    stop.set()
    await running


async def _nothing() -> None:
    """The server listens already."""


@live
async def test_a_slow_engine_does_not_hold_up_the_event_loop(there: Live) -> None:
    there.city.control, there.city.step_s = Slow(), 0.5
    metrics = Metrics()
    async with there.channel(Kind.VIEWER, "anna") as channel:
        stub, waits = NetworkServiceStub(channel), list[float]()
        running = asyncio.create_task(_run(there, metrics, 1.4))
        while there.city.ticks < 2:
            there.clock.now_ms += 200  # within the rate
            started = time.perf_counter()
            await stub.Get(network_pb2.GetNetworkRequest(), timeout=5)
            waits.append(time.perf_counter() - started)
            await asyncio.sleep(0.01)
        await running
    assert sorted(waits)[len(waits) // 2] < 0.1
    assert _value(metrics, "ampelwerk_tick_seconds_count") >= 2


@live
async def test_an_engine_that_fails_leaves_the_next_tick_a_chance(there: Live) -> None:
    broken = Broken()
    there.city.control, there.city.step_s = broken, 0.1
    metrics = Metrics()
    await _run(there, metrics, 0.75)
    assert len(broken.frames) >= 4
    assert there.city.ticks >= 2


@live
async def test_ticks_that_come_too_late_are_left_out_and_counted(there: Live) -> None:
    there.city.control, there.city.step_s = Slow(), 0.1
    metrics = Metrics()
    await _run(there, metrics, 1.3)
    assert _value(metrics, "ampelwerk_ticks_skipped_total") >= 2
    assert there.city.ticks <= 5


@live
async def test_metrics_are_answered_over_http(there: Live) -> None:
    metrics = Metrics()
    metrics.watch(there.city, there.server.telemetry)
    metrics.called("/a/B", grpc.StatusCode.OK)
    exporter = metrics.serve("127.0.0.1", 0)
    try:
        async with there.connected("north"):
            url = f"http://127.0.0.1:{exporter.server_port}/metrics"
            text = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
    finally:
        exporter.shutdown()
        exporter.server_close()
    assert 'ampelwerk_calls_total{method="/a/B",status="OK"} 1.0' in text
    assert 'ampelwerk_controllers{state="leased"} 1.0' in text
    assert 'ampelwerk_controllers{state="unknown"} 2.0' in text


@live
async def test_health_is_serving_until_the_end(there: Live) -> None:
    async with there.channel(Kind.CONTROLLER, "north") as channel:
        stub: Any = HealthStub(channel)
        answer = await stub.Check(HealthCheckRequest(), timeout=5)
        assert answer.status == HealthCheckResponse.SERVING
        watched = stub.Watch(HealthCheckRequest())
        assert (await watched.read()).status == HealthCheckResponse.SERVING
        stopping = asyncio.create_task(there.server.stop())
        assert (await watched.read()).status == HealthCheckResponse.NOT_SERVING
        watched.cancel()
        await stopping


@live
async def test_calls_are_counted_by_method_and_status(there: Live) -> None:
    async with there.channel(Kind.VIEWER, "anna") as channel:
        await NetworkServiceStub(channel).Get(network_pb2.GetNetworkRequest(), timeout=5)
    await until(lambda: len(there.calls) == 1)
    method, status = there.calls[0]
    assert (method, status.name) == ("/ampelwerk.v1.NetworkService/Get", "OK")


def test_a_log_line_is_one_json_object_with_what_was_given() -> None:
    record = logging.LogRecord("ampelwerk.server", logging.INFO, "", 1, "two\nlines %d", (3,), None)
    record.intersection = "Straße"
    line = JsonLines().format(record)
    assert "\n" not in line
    content = json.loads(line)
    assert content["message"] == "two\nlines 3"
    assert content["intersection"] == "Straße"
    assert content["level"] == "info"
