"""Which schedules a controller believes: each altered, old or foreign one is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.controllers import convert
from ampelwerk.controllers.clock import Clock, SimulatedClock
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.roadside import Roadside
from ampelwerk.controllers.signing import PlanSigner, PlanVerifier
from ampelwerk.controllers.site import site_of
from ampelwerk.proto.v1 import common_pb2, controller_pb2, plan_pb2
from tests.controllers.city import crossroads, road

NOW_MS = 1_800_000_000_000
SIGNER = PlanSigner(Ed25519PrivateKey.generate())
SITE = crossroads("north")


def plan(**changes: object) -> plan_pb2.Plan:
    made = convert.rolling_plan(
        SITE,
        1,
        envelope_hash=convert.envelope_hash(SITE.envelope),
        epoch=3,
        version=10,
        decided_unix_ms=NOW_MS,
        valid_ms=60_000,
        decision_id="north.10",
        hold_greens=False,
    )
    for field, value in changes.items():
        setattr(made, field, value)
    return made


def controller(
    clock: Clock | None = None, source: common_pb2.ClockSource = common_pb2.CLOCK_SOURCE_NTP
) -> Roadside:
    """A controller that has just connected."""
    site = site_of(road(), "north")
    clock = clock or SimulatedClock(NOW_MS)
    local = LocalController(site.intersections[0], tick_ds=10, now_ds=NOW_MS // 100)
    device = Roadside(
        site,
        local,
        clock,
        PlanVerifier(SIGNER.public_key),
        boot_id=bytes(16),
        tick_ds=10,
        source=source,
    )
    device.connected(controller_pb2.RegisterReply(epoch=3, heartbeat_ms=5_000, lease_ms=20_000))
    device.outbox.clear()
    return device


def pushed(
    device: Roadside, signed: plan_pb2.SignedPlan, epoch: int = 3
) -> controller_pb2.PlanReport:
    """What a controller reports about a push."""
    push = controller_pb2.PlanPush(
        nonce=1, kind=controller_pb2.PUSH_KIND_FULL, epoch=epoch, version=10, signed_plan=signed
    )
    device.receive(controller_pb2.ServerMessage(plan_push=push))
    report: controller_pb2.PlanReport = device.outbox.pop().plan_report
    return report


def test_a_plan_as_it_should_be_is_accepted_once() -> None:
    device = controller()
    signed = SIGNER.signed(plan())
    assert pushed(device, signed).state == plan_pb2.PLAN_STATE_ACCEPTED
    assert (device.epoch, device.version) == (3, 10)
    again = pushed(device, signed)
    assert again.state == plan_pb2.PLAN_STATE_REJECTED
    assert "version 10" in again.cause


@given(position=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_with_any_byte_altered_it_is_not_believed(position: int, mask: int) -> None:
    signed = SIGNER.signed(plan())
    verifier = PlanVerifier(SIGNER.public_key)
    for field in ("plan", "sha256", "signature", "key_id"):
        altered = plan_pb2.SignedPlan()
        altered.CopyFrom(signed)
        content = bytearray(getattr(signed, field))
        content[position % len(content)] ^= mask
        setattr(altered, field, bytes(content))
        assert verifier.wrong_with(altered)
    assert not verifier.wrong_with(signed)


def test_another_key_is_not_believed() -> None:
    foreign = PlanSigner(Ed25519PrivateKey.generate())
    device = controller()
    report = pushed(device, foreign.signed(plan()))
    assert report.state == plan_pb2.PLAN_STATE_REJECTED
    assert device.schedule is None


def _late_start(p: plan_pb2.Plan) -> None:
    p.rolling.entries[0].latest_start_unix_ms -= 100


def _no_entry(p: plan_pb2.Plan) -> None:
    del p.rolling.entries[:]


def _many_entries(p: plan_pb2.Plan) -> None:
    for n in range(1, 17):
        entry = p.rolling.entries.add()
        entry.CopyFrom(p.rolling.entries[0])
        entry.earliest_start_unix_ms += 100 * n
        entry.latest_start_unix_ms += 100 * n


def _twice(p: plan_pb2.Plan) -> None:
    p.rolling.entries.add().CopyFrom(p.rolling.entries[0])


def _set(part: str, **values: object) -> Callable[[plan_pb2.Plan], None]:
    def change(p: plan_pb2.Plan) -> None:
        target = {"plan": p, "rolling": p.rolling, "entry": p.rolling.entries[0]}[part]
        for name, value in values.items():
            setattr(target, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_set("plan", intersection_id="south"), "wrong_intersection"),
        (_set("plan", envelope_sha256=bytes(32)), "wrong_envelope"),
        (_set("entry", stage_id="left-turn-stage"), "unknown_stage"),
        (_set("rolling", decided_unix_ms=NOW_MS + 3_000), "future"),
        (_set("rolling", decided_unix_ms=NOW_MS - 70_000), "validity"),
        (_set("rolling", valid_until_unix_ms=NOW_MS - 1), "validity"),
        (_set("plan", not_after_unix_ms=NOW_MS), "lapsed"),
        (_set("entry", earliest_start_unix_ms=NOW_MS - 50), "resolution"),
        (_late_start, "start_window"),
        (_no_entry, "entries"),
        (_many_entries, "entries"),
        (_twice, "order"),
        (lambda p: p.cyclic.CopyFrom(plan_pb2.CyclicPlan(plan_id="day")), "no_schedule"),
    ],
)
def test_what_can_never_be_meant_is_refused_with_its_rule(
    change: Callable[[plan_pb2.Plan], None], rule: str
) -> None:
    device, made = controller(), plan()
    change(made)
    report = pushed(device, SIGNER.signed(made))
    assert report.state == plan_pb2.PLAN_STATE_REJECTED
    assert rule in {finding.rule for finding in report.findings}
    assert device.schedule is None
    assert device.version == 0


def test_all_findings_come_at_once() -> None:
    made = plan(intersection_id="south", envelope_sha256=b"")
    made.rolling.entries[0].stage_id = "none"
    report = pushed(controller(), SIGNER.signed(made))
    rules = {finding.rule for finding in report.findings}
    assert rules == {"wrong_intersection", "wrong_envelope", "unknown_stage"}


@pytest.mark.parametrize(
    ("epoch", "version", "accepted"),
    [(3, 11, True), (3, 10, False), (3, 9, False), (2, 99, False), (4, 1, True)],
)
def test_versions_rise_within_an_epoch_and_epochs_rise(
    epoch: int, version: int, accepted: bool
) -> None:
    device = controller()
    pushed(device, SIGNER.signed(plan()))
    report = pushed(device, SIGNER.signed(plan(epoch=epoch, version=version)))
    assert (report.state == plan_pb2.PLAN_STATE_ACCEPTED) is accepted


def test_a_deposed_server_is_ignored() -> None:
    device = controller()
    pushed(device, SIGNER.signed(plan()))
    push = controller_pb2.PlanPush(
        nonce=2, kind=controller_pb2.PUSH_KIND_REVOKE, epoch=2, version=10
    )
    device.receive(controller_pb2.ServerMessage(plan_push=push))
    assert device.schedule is not None
    assert device.stale_pushes == 1
    device.clock.now_ms += 5_000  # type: ignore[attr-defined]
    device.beat()
    beat = device.outbox.pop().heartbeat
    reply = controller_pb2.HeartbeatReply(seq=beat.seq, lease_ms=20_000, epoch=2)
    device.receive(controller_pb2.ServerMessage(heartbeat_reply=reply))
    assert not device.quiet  # the heartbeat counts as unanswered


def test_a_revoked_schedule_is_dropped() -> None:
    device = controller()
    pushed(device, SIGNER.signed(plan()))
    push = controller_pb2.PlanPush(
        nonce=2, kind=controller_pb2.PUSH_KIND_REVOKE, epoch=3, version=10
    )
    device.receive(controller_pb2.ServerMessage(plan_push=push))
    assert device.schedule is None
