"""A control room that dials in over mTLS, and one street that ticks on a simulated clock."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import grpc

from ampelwerk.controllers.client import RoadsideClient
from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.proto.v1 import override_pb2
from ampelwerk.proto.v1.override_pb2_grpc import OverrideServiceStub
from tests.controllers.live import Live, refusal, until

_KEYS = itertools.count(1)
MAIN, SIDE = "main-stage", "side-stage"


def key() -> bytes:
    """A fresh idempotency key."""
    return next(_KEYS).to_bytes(16, "big")


def asked(*places: str, **changes: Any) -> override_pb2.OverrideRequest:
    """A request for the side road's stage, with changes."""
    usual: dict[str, Any] = {
        "idempotency_key": key(),
        "intersection_ids": places or ("north",),
        "action": override_pb2.OverrideAction(force_stage=override_pb2.ForceStage(stage_id=SIDE)),
        "ttl_ms": 60_000,
        "reason": "burst water main",
    }
    return override_pb2.OverrideRequest(**{**usual, **changes})


class Person:
    """Somebody with a certificate."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel, self._stub = channel, OverrideServiceStub(channel)

    async def request(self, wanted: override_pb2.OverrideRequest) -> override_pb2.Override:
        reply: override_pb2.Override = await self._stub.Request(wanted, timeout=5)
        return reply

    async def renew(self, name: str, ttl_ms: int, **more: Any) -> override_pb2.Override:
        message = override_pb2.RenewRequest(
            override_id=name, ttl_ms=ttl_ms, **{"idempotency_key": key(), **more}
        )
        reply: override_pb2.Override = await self._stub.Renew(message, timeout=5)
        return reply

    async def release(self, name: str, **more: Any) -> override_pb2.Override:
        message = override_pb2.ReleaseRequest(
            override_id=name, **{"idempotency_key": key(), **more}
        )
        reply: override_pb2.Override = await self._stub.Release(message, timeout=5)
        return reply

    async def approve(self, name: str, **more: Any) -> override_pb2.Override:
        message = override_pb2.ApproveRequest(
            override_id=name, **{"idempotency_key": key(), **more}
        )
        reply: override_pb2.Override = await self._stub.Approve(message, timeout=5)
        return reply

    async def preview(self, wanted: override_pb2.OverrideRequest) -> override_pb2.OverridePreview:
        reply: override_pb2.OverridePreview = await self._stub.Preview(wanted, timeout=5)
        return reply

    async def listed(self, *, with_ended: bool = True) -> dict[str, override_pb2.Override]:
        message = override_pb2.ListOverridesRequest(with_ended=with_ended)
        reply = await self._stub.List(message, timeout=5)
        return {override.override_id: override for override in reply.overrides}


class Street:
    """Controllers that tick second by second with the server's clock."""

    def __init__(self, there: Live, *clients: RoadsideClient) -> None:
        self._there, self.clients = there, clients

    async def pass_s(self, seconds: int, *, sweep: bool = True) -> None:
        """Let time pass; all that was sent is answered after each second."""
        for _ in range(seconds):
            self._there.clock.now_ms += 1_000
            now_ds = self._there.clock.now_ms // 100
            for client in self.clients:
                client.roadside.prepare(now_ds)
                if client.roadside.tick(now_ds):
                    client.roadside.report_signals()
                client.roadside.beat(at_once=True)
            if sweep:
                self._there.server.sweep()
            await self.settle()

    async def settle(self) -> None:
        """Until everything that was sent has been answered."""
        overrides = self._there.overrides
        assert overrides is not None

        def quiet() -> bool:
            return (
                overrides.idle
                and all(not client.connected or client.roadside.quiet for client in self.clients)
                and all(s.stream is None or s.stream.idle for s in self._there.city.sessions)
            )

        for _ in range(3):  # an answer may bring about another message
            await until(quiet)
            await overrides.settled()


async def refused(store: Path, call: Any, status: grpc.StatusCode, code: str, **entry: str) -> None:
    """A call is refused with a status and a code, and its last audit record says so."""
    before = asked_for(store)
    assert await refusal(call) == (status, code)
    after = asked_for(store)
    assert len(after) == len(before) + 1
    assert after[-1].result == code
    for field, value in entry.items():
        assert getattr(after[-1], field) == value, (field, after[-1])


def asked_for(store: Path) -> list[audit.AuditEntry]:
    """Records of requests, without what came of them meanwhile."""
    return [entry for entry in records(store) if not entry.method.endswith(".outcome")]


def records(store: Path) -> list[audit.AuditEntry]:
    """The audit, read from the file as somebody else would; its chain is whole."""
    looking = Store(str(store), look=True)
    with looking.read() as reading:
        assert audit.verify(reading.connection).findings == ()
        found = [record.entry for record in audit.records(reading.connection)]
    looking.close()
    return found
