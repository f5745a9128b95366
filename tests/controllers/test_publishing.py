"""Published plans over mTLS: from the request to the street, and every refusal with its record."""

from __future__ import annotations

from typing import Any

import grpc

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.proto.v1 import plan_pb2
from tests.controllers.control_room import key, records, refused
from tests.controllers.live import refusal
from tests.controllers.plan_room import (
    ACCEPTED,
    APPLIED,
    AT,
    CYCLE_START,
    NEXT_STAGE,
    PUBLISHED,
    SUPERSEDED,
    PlanRoom,
    asked,
    cyclic,
    plan,
    plan_room,
    unsafe,
)

Status = grpc.StatusCode


@plan_room
async def test_a_plan_goes_down_and_takes_over_at_the_start_of_a_cycle(room: PlanRoom) -> None:
    street = await room.street("north")
    roadside = street.clients[0].roadside
    eve = await room.author()
    reply = await eve.publish(asked(plan()))
    assert (reply.version, reply.state, list(reply.findings)) == (1, PUBLISHED, [])
    entry = records(room.store)[reply.audit_seq - 1]  # durable before the reply
    assert (entry.actor, entry.role, entry.method) == ("eve", "supervisor", "plan.publish")
    assert (entry.target, entry.result, entry.reason) == (
        "north version 1",
        "ok",
        "new evening plan",
    )
    await street.settle()
    assert await eve.states() == [ACCEPTED]
    assert (roadside.published.held, roadside.published.version) == ((7, 1), 0)
    old = roadside.local.schedule
    seconds = 0
    while roadside.published.version == 0:
        assert roadside.local.schedule is old
        await street.pass_s(1)
        seconds += 1
        assert seconds <= 80
    now_ds = room.there.clock.now_ms // 100
    assert now_ds % 800 == 0  # the new cycle begins
    assert await eve.states() == [APPLIED]
    await street.pass_s(6)
    shown = []
    for _ in range(160):
        await street.pass_s(1)
        shown.append(roadside.local.state)
    # Main green from 5 s after its request on, for 40 s less that transition; so for the side road.
    assert (shown.count("Gr"), shown.count("rG")) == (2 * 35, 2 * 35)
    outcomes = [e for e in records(room.store) if e.method == "plan.outcome"]
    assert [(e.actor, e.target, e.result) for e in outcomes] == [
        ("north", "north version 1", "accepted"),
        ("north", "north version 1", "applied"),
    ]
    assert room.there.city.by_name["north"].status().published_version == 1
    schedules = room.there.city.schedules
    assert schedules is not None  # the engine knows what it follows
    assert [one.plan_at(0).plan_id for one in schedules] == ["evening", "day", "day"]


@plan_room
async def test_a_newer_version_takes_the_place_and_the_old_one_comes_back(room: PlanRoom) -> None:
    street = await room.street("north")
    roadside = street.clients[0].roadside
    eve = await room.author()
    await eve.publish(asked(plan(main_s=50), activation=NEXT_STAGE))
    await street.pass_s(90)
    second = await eve.publish(asked(plan(), expected_version=1, activation=NEXT_STAGE))
    await street.settle()
    assert (second.version, await eve.states()) == (2, [APPLIED, ACCEPTED])
    stage = roadside.local.schedule.stage_at(room.there.clock.now_ms // 100)
    while roadside.published.version != 2:
        assert roadside.local.stage == stage  # what was wanted goes on until the old plan changes
        await street.pass_s(1)
    assert await eve.states() == [SUPERSEDED, APPLIED]
    third = await eve.rollback(1, 2)
    assert third.version == 3
    await street.pass_s(90)
    assert await eve.states() == [SUPERSEDED, SUPERSEDED, APPLIED]
    kept = await eve.get("north", 3)
    assert not PlanVerifier(room.there.signer.public_key).wrong_with(kept.signed_plan)
    content = plan_pb2.Plan.FromString(kept.signed_plan.plan)
    assert (content.version, content.cyclic) == (3, cyclic(main_s=50))
    assert content.activation == CYCLE_START
    assert b"CONFLICT" in kept.signed_plan.certificate
    methods = [e.method for e in records(room.store) if e.actor == "eve"]
    assert methods == ["plan.publish", "plan.publish", "plan.rollback"]


@plan_room
async def test_a_moment_is_kept_and_only_the_newest_takes_over(room: PlanRoom) -> None:
    street = await room.street("north")
    roadside = street.clients[0].roadside
    eve = await room.author()
    at_ms = room.there.clock.now_ms + 33_000
    await eve.publish(asked(plan(), activation=AT, at_unix_ms=at_ms))
    await street.pass_s(32)
    assert roadside.published.version == 0
    await street.pass_s(1)
    assert roadside.published.version == 1
    await eve.publish(asked(plan(main_s=45), expected_version=1))
    await eve.publish(asked(plan(main_s=50), expected_version=2, activation=NEXT_STAGE))
    await street.pass_s(90)
    assert roadside.published.version == 3
    assert await eve.states() == [SUPERSEDED, SUPERSEDED, APPLIED]


@plan_room
async def test_a_dry_run_tells_everything_and_changes_nothing(room: PlanRoom) -> None:
    await room.street("north")
    for kind in (Kind.OPERATOR, Kind.SUPERVISOR, Kind.ENGINEER):
        somebody = await room.author(kind, "ann")
        assert await somebody.verify(plan()) == []
        assert await somebody.verify(unsafe()) == ["MIN_GREEN"]
    eve = await room.author()
    odd = plan_pb2.Plan(intersection_id="north", cyclic=cyclic())
    odd.cyclic.stages[0].stage_id = "third"
    odd.cyclic.stages[1].group_ids.append("main")
    odd.cyclic.transition = 9  # type: ignore[assignment]
    odd.cyclic.offset_ms = 80_050
    odd.envelope_sha256 = bytes(32)
    assert sorted(await eve.verify(odd)) == [
        "cycle", "other_stage", "reference_stage", "resolution", "transition", "unknown_stage",
        "wrong_envelope",
    ]  # fmt: skip
    assert await eve.listed() == []
    assert records(room.store) == []


@plan_room
async def test_every_refusal_has_its_status_and_its_record(room: PlanRoom) -> None:
    street, eve = await room.street("north"), await room.author()
    await eve.publish(asked(plan()))
    await street.settle()  # else the acceptance may come between the two listings
    before = await eve.listed()
    await refused(
        room.store, eve.publish(asked(plan(main_s=45))), Status.ABORTED, "VERSION",
        actor="eve", method="plan.publish", target="north",
    )  # fmt: skip
    await refused(
        room.store, eve.publish(asked(unsafe(), expected_version=1)),
        Status.FAILED_PRECONDITION, "UNSAFE", actor="eve", target="north",
    )  # fmt: skip
    for call in (
        eve.publish(asked(plan("west"))),
        eve.publish(asked(plan("x" * 300))),
        eve.rollback(1, 0, intersection_id="west"),
        eve.rollback(9, 1),
    ):
        await refused(room.store, call, Status.NOT_FOUND, "UNKNOWN_ID", actor="eve")
    await refused(room.store, eve.rollback(1, 0), Status.ABORTED, "VERSION", method="plan.rollback")
    now_ms = room.there.clock.now_ms
    timed, decided = plan(), plan()
    timed.not_before_unix_ms = now_ms
    decided.decision_id = "d1"
    bad = (
        asked(plan(), reason=""),
        asked(plan(), reason="short"),
        asked(plan(), reason="evening\x1b[2J plan"),
        asked(plan(), idempotency_key=b"short"),
        asked(plan(), activation=plan_pb2.ACTIVATION_UNSPECIFIED),
        asked(plan(), activation=9),
        asked(plan(), activation=AT),
        asked(plan(), activation=AT, at_unix_ms=now_ms - 1_000),
        asked(plan(), activation=AT, at_unix_ms=2**62),
        asked(plan(), activation=CYCLE_START, at_unix_ms=now_ms + 1_000),
        asked(plan(), batch_id="b1"),
        asked(timed),
        asked(decided),
    )
    for wanted in bad:
        room.there.clock.now_ms += 1_000
        await refused(
            room.store, eve.publish(wanted), Status.INVALID_ARGUMENT, "INVALID",
            actor="eve", method="plan.publish",
        )  # fmt: skip
    assert await eve.listed() == before
    low: tuple[tuple[str, Any], ...] = (
        ("plan.publish", (await room.author(Kind.OPERATOR, "ada")).publish(asked(plan()))),
        ("plan.rollback", (await room.author(Kind.ENGINEER, "ida")).rollback(1, 1)),
        ("plan.publishtogether", (await room.author(Kind.VIEWER, "vic")).together(plan())),
    )
    for method, call in low:
        await refused(room.store, call, Status.PERMISSION_DENIED, "ROLE", method=method)
    for get in (eve.get("west", 1), eve.get("north", 7), eve.listed("west"), eve.verify(plan("w"))):
        assert await refusal(get) == (Status.NOT_FOUND, "UNKNOWN_ID")


@plan_room
async def test_many_findings_fit_into_an_answer(room: PlanRoom) -> None:
    eve = await room.author()
    odd = plan(name="p" * 200)
    del odd.cyclic.stages[:]
    for number in range(64):
        odd.cyclic.stages.add(stage_id=f"{'s' * 200}{number}", start_ms=7, split_ms=50)
    try:
        await eve.publish(asked(odd))
    except grpc.aio.AioRpcError as error:
        assert error.code() is Status.FAILED_PRECONDITION
        assert "rules" in str(error.details())
    assert len(await eve.verify(odd)) > 100


@plan_room
async def test_the_same_request_again_has_the_same_reply_and_no_second_effect(
    room: PlanRoom,
) -> None:
    await room.street("north")
    eve = await room.author()
    request = asked(plan())
    reply = await eve.publish(request)
    assert await eve.publish(request) == reply
    assert records(room.store)[-1].result in ("repeated", "accepted")
    assert len(await eve.listed()) == 1
    request.reason = "another reason"
    await refused(room.store, eve.publish(request), Status.ALREADY_EXISTS, "KEY_REUSED")
    same = key()
    again = await eve.rollback(1, 1, idempotency_key=same)
    assert await eve.rollback(1, 1, idempotency_key=same) == again
    assert len(await eve.listed()) == 2
    other = await eve.rollback(1, 2)
    assert other.version == 3
