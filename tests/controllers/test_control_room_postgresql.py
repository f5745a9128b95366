"""A server whose store is a real PostgreSQL: overrides, plans, alarms and audit, and a second server after it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import grpc
import psycopg
import pytest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.proto.v1 import alarm_pb2, override_pb2, telemetry_pb2
from ampelwerk.proto.v1.alarm_pb2_grpc import AlarmServiceStub
from ampelwerk.proto.v1.telemetry_pb2_grpc import TelemetryServiceStub
from tests.controllers.control_room import Person, Street, asked
from tests.controllers.live import BEGIN_MS, refusal, running, until
from tests.controllers.plan_room import ACCEPTED, APPLIED, NEXT_STAGE, Author, plan
from tests.controllers.plan_room import asked as publish

Status = grpc.StatusCode


@pytest.fixture
def database(postgresql: str) -> str:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgresql


def test_overrides_plans_alarms_and_audit_outlive_the_server(database: str) -> None:
    async def inside() -> None:
        async with AsyncExitStack() as clients:
            async with running(store=database) as there:
                client = await clients.enter_async_context(there.connected("north"))
                street = Street(there, client)
                async with (
                    there.channel(Kind.OPERATOR, "ada") as ada,
                    there.channel(Kind.OPERATOR, "bob") as bob,
                    there.channel(Kind.CONTROLLER, "south") as south,
                ):
                    kept = await Person(ada).request(asked(ttl_ms=600_000))
                    held = await refusal(Person(bob).request(asked()))
                    assert held == (Status.ABORTED, "HELD")
                    alarm = alarm_pb2.Alarm(
                        alarm_id="a1", code="late_ticks", active=True, raised_unix_ms=BEGIN_MS
                    )
                    await TelemetryServiceStub(south).ReportAlarms(
                        telemetry_pb2.ReportAlarmsRequest(alarms=[alarm]), timeout=5
                    )
                    await AlarmServiceStub(bob).Acknowledge(
                        alarm_pb2.AcknowledgeAlarmRequest(intersection_id="south", alarm_id="a1"),
                        timeout=5,
                    )
                    await street.pass_s(15)
                async with there.channel(Kind.SUPERVISOR, "eve") as channel:
                    eve = Author(channel)
                    wanted = publish(plan(), activation=NEXT_STAGE)
                    published = await eve.publish(wanted)
                    assert await eve.publish(wanted) == published
                    stale = await refusal(eve.publish(publish(plan(main_s=45))))
                    assert stale == (Status.ABORTED, "VERSION")
                    await street.settle()
                    assert await eve.states() == [ACCEPTED]
            async with running(store=database, after=there, epoch=8) as again:
                assert again.city.by_name["south"].alarms["a1"].acked_by == "bob"
                await until(lambda: client.connected)
                street = Street(again, client)
                await street.settle()
                async with again.channel(Kind.OPERATOR, "ada") as ada:
                    (found,) = (await Person(ada).listed()).values()
                    assert found.override_id == kept.override_id
                    assert found.state == override_pb2.OVERRIDE_STATE_ACTIVE
                    await Person(ada).release(kept.override_id)
                await street.pass_s(90)
                assert client.roadside.overrides.names == []
                async with again.channel(Kind.SUPERVISOR, "eve") as channel:
                    eve = Author(channel)
                    assert await eve.states() == [APPLIED]
                    assert (await eve.rollback(1, 1)).version == 2
                # A second server takes over: the first can change nothing any more.
                other = Store(database)
                other.lead("other", again.clock.now_ms)
                other.close()
                assert again.overrides is not None
                again.overrides.clerk.store.epoch = 0
                async with again.channel(Kind.OPERATOR, "bob") as bob:
                    late = await refusal(Person(bob).request(asked()))
                    assert late == (Status.UNAVAILABLE, "NOT_LEADER")

    asyncio.run(inside())
    looking = Store(database, look=True)
    with looking.read() as reading:
        assert audit.verify(reading.connection).findings == ()
        entries = [record.entry for record in audit.records(reading.connection)]
    looking.close()
    asked_for = [
        (e.actor, e.method, e.result) for e in entries if not e.method.endswith(".outcome")
    ]
    assert asked_for == [
        ("ada", "override.request", "ok"),
        ("bob", "override.request", "HELD"),
        ("bob", "alarm.acknowledge", "ok"),
        ("eve", "plan.publish", "ok"),
        ("eve", "plan.publish", "repeated"),
        ("eve", "plan.publish", "VERSION"),
        ("ada", "override.release", "ok"),
        ("eve", "plan.rollback", "ok"),
        ("other", "server.lead", "ok"),
    ]
