"""Every request of the control room: its exact status, what it changes, and its audit record."""

from __future__ import annotations

from typing import Any

import pytest

from ampelwerk.controllers.override_book import DELIVERY_MS, ENDING_MS
from ampelwerk.controllers.override_desk import OverrideDesk
from ampelwerk.controllers.override_policy import Policy
from ampelwerk.controllers.requests import STATUS
from ampelwerk.controllers.store import audit
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import (
    InvalidInputError,
    RefusalCode,
    RequestRefusedError,
    StoreError,
)
from ampelwerk.models.override import (
    EndCause,
    Override,
    OverrideAction,
    OverrideId,
    OverrideLeg,
    OverrideRequest,
    OverrideState,
    Role,
)
from tests.controllers.junction import junction

NOON = 1_774_785_600_000
SITES = {IntersectionId(name): junction(name) for name in ("J1", "J2", "J3")}
J1 = IntersectionId("J1")


def leg(place: str = "J1", target: str = "walk", eta_unix_ms: int = 0) -> OverrideLeg:
    return OverrideLeg(
        intersection_id=IntersectionId(place), target=target, eta_unix_ms=eta_unix_ms
    )


def asked(key: str = "k1", **changes: Any) -> OverrideRequest:
    usual: dict[str, Any] = {
        "key": key,
        "action": OverrideAction.STAGE,
        "legs": (leg(),),
        "requester": "ada",
        "role": Role.OPERATOR,
        "reason": "burst water main",
        "ttl_ms": 300_000,
    }
    return OverrideRequest(**{**usual, **changes})


@pytest.fixture
def desk(store: Store) -> OverrideDesk:
    return OverrideDesk(store, SITES)


def last_record(store: Store) -> audit.AuditEntry:
    with store.read() as reading:
        return list(audit.records(reading.connection))[-1].entry


def stored(store: Store, override_id: OverrideId) -> Override:
    with store.read() as reading:
        found = reading.overrides.get(override_id)
    assert found is not None
    return found


def refused(code: RefusalCode, status: str, store: Store, call: Any) -> RequestRefusedError:
    """A call is refused with a code, changes nothing but the audit, and stands there."""
    with store.read() as reading:
        before, seq = reading.overrides.list(), reading.audit_seq
    with pytest.raises(RequestRefusedError) as error:
        call()
    assert error.value.code is code
    assert STATUS[error.value.code] == status
    with store.read() as reading:
        assert reading.overrides.list() == before
        assert reading.audit_seq == seq + 1
    assert last_record(store).result == code.value
    return error.value


def test_granted_override_is_durable_and_recorded_before_anybody_is_told(
    desk: OverrideDesk, store: Store, place: str
) -> None:
    reply, changed = desk.request(asked(), NOON)
    assert changed == [reply]
    assert reply.state is OverrideState.GRANTED
    assert reply.expiry_unix_ms == NOON + 300_000
    entry = last_record(store)
    assert (entry.actor, entry.role, entry.method) == ("ada", "operator", "override.request")
    assert (entry.result, entry.reason, entry.key) == ("ok", "burst water main", "k1")
    assert reply.override_id in entry.target
    again = Store(place)  # as after a crash
    assert OverrideDesk(again, SITES).book.all() == [reply]
    again.close()


def test_second_operator_is_told_who_holds_it_and_until_when(
    desk: OverrideDesk, store: Store
) -> None:
    desk.request(asked(), NOON)
    error = refused(
        RefusalCode.HELD, "ABORTED", store,
        lambda: desk.request(asked("k2", requester="bob"), NOON + 1000),
    )  # fmt: skip
    assert (error.holder, error.expires_unix_ms) == ("ada", NOON + 300_000)
    refused(
        RefusalCode.HELD, "ABORTED", store,
        lambda: desk.request(asked("k3", requester="bob", supersede=True), NOON + 1000),
    )  # fmt: skip


def test_supersede_works_downwards_and_on_ones_own(desk: OverrideDesk, store: Store) -> None:
    first, _ = desk.request(asked(), NOON)
    second, changed = desk.request(
        asked("k2", requester="eve", role=Role.SUPERVISOR, supersede=True), NOON + 1000
    )
    assert [override.override_id for override in changed] == [
        first.override_id, second.override_id,
    ]  # fmt: skip
    assert stored(store, first.override_id).cause is EndCause.SUPERSEDED
    refused(
        RefusalCode.HELD, "ABORTED", store,
        lambda: desk.request(asked("k3", supersede=True), NOON + 2000),
    )  # fmt: skip
    _, changed = desk.request(
        asked("k4", requester="eve", role=Role.SUPERVISOR, supersede=True), NOON + 3000
    )
    assert changed[0].override_id == second.override_id


def test_other_precedence_is_no_conflict(desk: OverrideDesk) -> None:
    desk.request(asked(), NOON)
    desk.request(
        asked("k2", requester="bob", action=OverrideAction.PLAN, legs=(leg(target="night"),)), NOON
    )
    wave = asked(
        "k3", requester="fire", action=OverrideAction.GREEN_WAVE,
        legs=(leg("J1", "K0", NOON + 60_000), leg("J2", "K0", NOON + 90_000)),
    )  # fmt: skip
    desk.request(wave, NOON)
    actions = [override.request.action for override in desk.book.in_force(J1, NOON)]
    assert actions == ["green-wave", "stage", "plan"]


def test_expiry_ends_it_everywhere(desk: OverrideDesk, store: Store) -> None:
    reply, _ = desk.request(asked(), NOON)
    desk.reported(reply.override_id, J1, NOON, active=True)
    assert desk.tick(NOON + 299_999) == []
    (ending,) = desk.tick(NOON + 300_000)
    assert (ending.state, ending.cause) == (OverrideState.ENDING, EndCause.EXPIRED)
    (ended,) = desk.reported(reply.override_id, J1, NOON + 301_000, ended=EndCause.EXPIRED)
    assert ended.state is OverrideState.ENDED
    entry = last_record(store)
    assert (entry.actor, entry.method, entry.result) == ("J1", "override.outcome", "ended")
    assert desk.book.all() == []


def test_ending_is_over_even_if_the_controller_is_silent(desk: OverrideDesk) -> None:
    reply, _ = desk.request(asked(), NOON)
    desk.reported(reply.override_id, J1, NOON, active=True)
    desk.tick(NOON + 300_000)
    assert desk.tick(NOON + 300_000 + ENDING_MS - 1) == []
    assert desk.tick(NOON + 300_000 + ENDING_MS)[0].state is OverrideState.ENDED


def test_undelivered_override_is_over_everywhere(desk: OverrideDesk) -> None:
    legs = (leg("J1", "K0", NOON + 60_000), leg("J2", "K0", NOON + 90_000))
    reply, _ = desk.request(asked(action=OverrideAction.GREEN_WAVE, legs=legs), NOON)
    desk.reported(reply.override_id, J1, NOON + 100)
    assert desk.tick(NOON + DELIVERY_MS - 1) == []
    (over,) = desk.tick(NOON + DELIVERY_MS)
    assert (over.state, over.cause) == (OverrideState.ENDING, EndCause.UNDELIVERED)


def test_release_during_the_transition(desk: OverrideDesk, store: Store) -> None:
    reply, _ = desk.request(asked(), NOON)
    desk.reported(reply.override_id, J1, NOON, active=True)
    released, _ = desk.release(reply.override_id, "ada", Role.OPERATOR, NOON + 500, key="r1")
    assert (released.state, released.cause) == (OverrideState.ENDING, EndCause.RELEASED)
    assert last_record(store).method == "override.release"
    refused(
        RefusalCode.OVER, "FAILED_PRECONDITION", store,
        lambda: desk.release(reply.override_id, "ada", Role.OPERATOR, NOON + 600, key="r2"),
    )  # fmt: skip
    refused(
        RefusalCode.OVER, "FAILED_PRECONDITION", store,
        lambda: desk.renew(reply.override_id, 1000, "ada", Role.OPERATOR, NOON + 600, key="r3"),
    )  # fmt: skip
    # The intersection is free at once for somebody else.
    assert desk.request(asked("k2", requester="bob"), NOON + 700)[0].live


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ENGINEER, Role.CONTROLLER])
def test_role_too_low(desk: OverrideDesk, store: Store, role: Role) -> None:
    refused(
        RefusalCode.ROLE, "PERMISSION_DENIED", store,
        lambda: desk.request(asked(role=role), NOON),
    )  # fmt: skip


def test_a_controller_may_ask_for_priority_alone(desk: OverrideDesk) -> None:
    bus = asked(
        role=Role.CONTROLLER, action=OverrideAction.PRIORITY, legs=(leg("J1", "K2", NOON + 20_000),)
    )
    assert desk.request(bus, NOON)[0].state is OverrideState.GRANTED


def test_nobody_ends_or_renews_what_belongs_to_another_operator(
    desk: OverrideDesk, store: Store
) -> None:
    reply, _ = desk.request(asked(), NOON)
    name = reply.override_id
    for call in (
        lambda: desk.release(name, "bob", Role.OPERATOR, NOON, key="r1"),
        lambda: desk.renew(name, 60_000, "bob", Role.OPERATOR, NOON, key="r2"),
        lambda: desk.release(name, "ada", Role.VIEWER, NOON, key="r3"),
    ):
        refused(RefusalCode.ROLE, "PERMISSION_DENIED", store, call)
    assert desk.release(name, "eve", Role.SUPERVISOR, NOON, key="r4")[0].over


def test_unknown_names(desk: OverrideDesk, store: Store) -> None:
    for call in (
        lambda: desk.request(asked(legs=(leg("J9"),)), NOON),
        lambda: desk.request(asked(legs=(leg(target="9"),)), NOON),
        lambda: desk.release(OverrideId("o9"), "ada", Role.OPERATOR, NOON, key="r1"),
        lambda: desk.renew(OverrideId("o9"), 1000, "ada", Role.OPERATOR, NOON, key="r2"),
        lambda: desk.approve(OverrideId("o9"), "eve", Role.SUPERVISOR, NOON, key="r3"),
    ):
        refused(RefusalCode.UNKNOWN_ID, "NOT_FOUND", store, call)


def test_replayed_request_gives_the_same_reply_and_changes_nothing(
    desk: OverrideDesk, store: Store
) -> None:
    reply, _ = desk.request(asked(), NOON)
    desk.reported(reply.override_id, J1, NOON, active=True)
    again, changed = desk.request(asked(), NOON + 5000)
    assert (again, changed) == (reply, ())
    assert last_record(store).result == "repeated"
    assert len(desk.book.all()) == 1
    released, _ = desk.release(reply.override_id, "ada", Role.OPERATOR, NOON + 6000, key="r1")
    repeated, changed = desk.release(reply.override_id, "ada", Role.OPERATOR, NOON + 7000, key="r1")
    assert (repeated, changed) == (released, ())


def test_one_key_for_two_requests(desk: OverrideDesk, store: Store) -> None:
    desk.request(asked(), NOON)
    refused(
        RefusalCode.KEY_REUSED, "ALREADY_EXISTS", store,
        lambda: desk.request(asked(ttl_ms=200_000), NOON),
    )  # fmt: skip
    assert desk.request(asked(requester="bob", legs=(leg("J2"),)), NOON)[0].live


def test_refusal_is_not_remembered(desk: OverrideDesk) -> None:
    first, _ = desk.request(asked(), NOON)
    with pytest.raises(RequestRefusedError):
        desk.request(asked("k2", requester="bob"), NOON)
    desk.release(first.override_id, "ada", Role.OPERATOR, NOON, key="r1")
    assert desk.request(asked("k2", requester="bob"), NOON + 1000)[0].live


@pytest.mark.parametrize("action", ["flash", "dark", "all-red"])
def test_lamps_without_aspects_need_a_second_person(
    desk: OverrideDesk, store: Store, action: str
) -> None:
    request = asked(action=OverrideAction(action), legs=(leg(target=""),))
    waiting, _ = desk.request(request, NOON)
    assert waiting.state is OverrideState.AWAITING_APPROVAL
    assert desk.book.in_force(J1, NOON) == []
    name = waiting.override_id
    for approver, role in (("ada", Role.SUPERVISOR), ("bob", Role.OPERATOR)):
        refused(
            RefusalCode.ROLE, "PERMISSION_DENIED", store,
            lambda a=approver, r=role: desk.approve(name, a, r, NOON, key=f"a-{a}"),
        )  # fmt: skip
    granted, _ = desk.approve(name, "eve", Role.SUPERVISOR, NOON + 60_000, key="a1")
    assert (granted.state, granted.approver) == (OverrideState.GRANTED, "eve")
    assert granted.expiry_unix_ms == NOON + 360_000
    refused(
        RefusalCode.OVER, "FAILED_PRECONDITION", store,
        lambda: desk.approve(name, "eve", Role.SUPERVISOR, NOON + 60_000, key="a2"),
    )  # fmt: skip


def test_approval_comes_too_late_if_somebody_else_holds_it(
    desk: OverrideDesk, store: Store
) -> None:
    flash = asked(action=OverrideAction.FLASH, legs=(leg(target=""),))
    waiting, _ = desk.request(flash, NOON)
    desk.request(asked("k2", requester="bob"), NOON)
    refused(
        RefusalCode.HELD, "ABORTED", store,
        lambda: desk.approve(waiting.override_id, "eve", Role.SUPERVISOR, NOON, key="a1"),
    )  # fmt: skip
    declined, _ = desk.release(waiting.override_id, "eve", Role.SUPERVISOR, NOON, key="r1")
    assert (declined.state, declined.cause) == (OverrideState.ENDED, EndCause.DECLINED)


def test_nobody_waits_for_an_approval_for_ever(desk: OverrideDesk) -> None:
    desk.request(asked(action=OverrideAction.DARK, legs=(leg(target=""),)), NOON)
    assert desk.tick(NOON + 300_000)[0].state is OverrideState.ENDED


def test_large_areas_need_a_second_person(store: Store) -> None:
    desk = OverrideDesk(store, SITES, Policy(area=2))
    legs = tuple(leg(place) for place in SITES)
    assert desk.request(asked(legs=legs), NOON)[0].state is OverrideState.AWAITING_APPROVAL
    assert desk.request(asked("k2", legs=legs[:2]), NOON)[0].state is OverrideState.GRANTED


@pytest.mark.parametrize(
    "changes",
    [
        {"ttl_ms": 3_600_001},
        {"not_before_unix_ms": NOON + 90_000_000},
        {"action": OverrideAction.GREEN_WAVE, "legs": (leg("J1", "K0", NOON - 1),)},
        {"action": OverrideAction.GREEN_WAVE, "legs": (leg("J1", "K0", NOON + 300_001),)},
        {"action": OverrideAction.PLAN, "legs": (leg(target="day"),), "ttl_ms": 3_600_001},
    ],
)
def test_times_that_cannot_be(desk: OverrideDesk, store: Store, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        desk.request(asked(**changes), NOON)
    assert last_record(store).result == "INVALID"
    assert desk.book.all() == []


def test_supervisor_selects_a_plan_for_eight_hours(desk: OverrideDesk) -> None:
    plan = asked(
        role=Role.SUPERVISOR, action=OverrideAction.PLAN, legs=(leg(target="night"),),
        ttl_ms=28_800_000,
    )  # fmt: skip
    assert desk.request(plan, NOON)[0].live


def test_renewal_lasts_from_now_and_may_be_repeated_without_harm(desk: OverrideDesk) -> None:
    reply, _ = desk.request(asked(), NOON)
    for at_ms, key in ((100_000, "n1"), (150_000, "n1"), (200_000, "n2")):
        renewed, _ = desk.renew(
            reply.override_id, 300_000, "ada", Role.OPERATOR, NOON + at_ms, key=key
        )
    assert renewed.expiry_unix_ms == NOON + 500_000
    assert desk.book.get(reply.override_id).expiry_unix_ms == NOON + 500_000


def test_store_that_fails_leaves_no_effect(desk: OverrideDesk, store: Store) -> None:
    store.epoch = 99  # as if another server led since
    with pytest.raises(StoreError):
        desk.request(asked(), NOON)
    assert desk.book.all() == []
    store.epoch = None
    assert desk.request(asked(), NOON)[0].live


def test_cabinet_ends_it_and_says_so(desk: OverrideDesk, store: Store) -> None:
    reply, _ = desk.request(asked(), NOON)
    desk.reported(reply.override_id, J1, NOON, active=True)
    desk.reported(reply.override_id, J1, NOON + 1000, ended=EndCause.LOCAL)
    over = stored(store, reply.override_id)
    assert (over.state, over.cause) == (OverrideState.ENDED, EndCause.LOCAL)
