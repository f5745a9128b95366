"""Prometheus metrics of a server."""

from __future__ import annotations

from collections.abc import Iterator
from wsgiref.simple_server import WSGIServer

import grpc
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.telemetry_service import TelemetryService
from ampelwerk.proto.v1.common_pb2 import Level
from ampelwerk.proto.v1.network_pb2 import ControllerState

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""Bounds of the histograms. [s]"""


class _Counted(Collector):
    """What the city counts by itself, read when somebody looks."""

    def __init__(self, city: LiveCity, telemetry: TelemetryService) -> None:
        self._city, self._telemetry = city, telemetry

    def collect(self) -> Iterator[Metric]:
        sessions = self._city.sessions
        states = GaugeMetricFamily(
            "ampelwerk_controllers", "Controllers by state of their connection.", labels=["state"]
        )
        for name, number in ControllerState.items():
            count = sum(session.state == number for session in sessions)
            states.add_metric([name.removeprefix("CONTROLLER_STATE_").lower()], count)
        yield states
        levels = GaugeMetricFamily(
            "ampelwerk_levels", "Controllers by what they follow.", labels=["level"]
        )
        for name, number in Level.items():
            count = sum(session.level == number for session in sessions)
            levels.add_metric([name.removeprefix("LEVEL_").lower()], count)
        yield levels
        yield CounterMetricFamily(
            "ampelwerk_schedules", "Rolling schedules pushed.", self._city.pushes
        )
        yield CounterMetricFamily(
            "ampelwerk_detector_batches", "Batches of detector data taken.", self._telemetry.batches
        )
        refused = CounterMetricFamily(
            "ampelwerk_batches_refused", "Batches refused, by rule.", labels=["rule"]
        )
        for rule, count in self._telemetry.refused.items():
            refused.add_metric([rule], count)
        yield refused


class Metrics:
    """All metrics of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        """Where they are read from."""
        self._calls = Counter(
            "ampelwerk_calls",
            "Calls that have ended, by method and status.",
            ["method", "status"],
            registry=self.registry,
        )
        self.tick_s = Histogram(
            "ampelwerk_tick_seconds",
            "Time of a tick of the engine, from data gathered to schedules pushed.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.lag_s = Histogram(
            "ampelwerk_loop_lag_seconds",
            "How late the event loop comes to what is due.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.skipped = Counter(
            "ampelwerk_ticks_skipped",
            "Ticks left out because the one before took too long.",
            registry=self.registry,
        )

    def called(self, method: str, status: grpc.StatusCode) -> None:
        """Count a call."""
        self._calls.labels(method, status.name).inc()

    def watch(self, city: LiveCity, telemetry: TelemetryService) -> None:
        """Read what the city counts."""
        self.registry.register(_Counted(city, telemetry))

    def serve(self, host: str, port: int) -> WSGIServer:
        """Answer to Prometheus over HTTP, in a thread of its own."""
        server, _ = start_http_server(port, host, self.registry)
        return server
