"""Safety data: one content, one form, one name; whoever changes a byte is found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.modes import Display
from ampelwerk.controllers.safety_data import SafetyData, read_safety_data, safety_data
from ampelwerk.controllers.signed_envelope import (
    SignedEnvelope,
    new_key,
    read_envelope,
    read_private_key,
    read_public_key,
    signed,
    unsigned,
    verify,
)
from ampelwerk.engine.stage_sets import compatible_sets
from ampelwerk.models.envelope import Envelope
from ampelwerk.models.errors import AmpelwerkError, InvalidInputError, UnsafePlanError
from ampelwerk.models.intersection import Intersection, Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep
from tests.reference.envelopes import envelopes
from tests.reference.junctions import with_crossings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def data_of(envelope: Envelope) -> SafetyData:
    """Safety data around an envelope; its profile is one that may be signed."""
    size = envelope.size
    known = Envelope(
        intersection_id=envelope.intersection_id,
        profile="sumo/1",
        groups=envelope.groups,
        conflict=envelope.conflict,
        intergreen_ds=envelope.intergreen_ds,
    )
    stages = tuple(
        Stage(stage_id=StageId(str(k)), groups=groups)
        for k, groups in enumerate(compatible_sets(known.conflict, range(size)), start=1)
    )
    steps = tuple(PlanStep(start_ds=300 * k, stage=k) for k in range(len(stages)))
    plan = CyclicPlan(plan_id="day", cycle_ds=300 * len(stages), offset_ds=-70, steps=steps)
    return safety_data(
        Intersection(
            envelope=known,
            movements=(),
            sumo_link_count=size,
            sumo_link_group=tuple(range(size)),
            sumo_link_letter=" " * size,
            yields=tuple((False,) * size for _ in range(size)),
            stages=stages,
            plans=(plan,),
        ),
        Display.DARK,
    )


@given(envelopes())
def test_what_is_written_is_read_again(envelope: Envelope) -> None:
    data = data_of(envelope)
    assert read_safety_data(data.canonical(), "here") == data


@settings(max_examples=400)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_every_flipped_bit_is_refused(place: int, bit: int) -> None:
    content = bytearray(signed(unsigned(data_of(with_crossings())), KEY).to_bytes())
    content[place % len(content)] ^= 1 << bit
    with pytest.raises(AmpelwerkError):
        verify(read_envelope(bytes(content), "here"), [KEY.public_key()], "here")


@given(cut=st.integers(0, 10**6))
def test_every_cut_is_refused(cut: int) -> None:
    content = signed(unsigned(data_of(with_crossings())), KEY).to_bytes()
    with pytest.raises(AmpelwerkError):
        verify(read_envelope(content[: cut % len(content)], "here"), [KEY.public_key()], "here")


def test_signature_of_a_trusted_key_passes_and_no_other() -> None:
    envelope = signed(unsigned(data_of(with_crossings())), KEY)
    verify(envelope, [OTHER.public_key(), KEY.public_key()], "here")
    with pytest.raises(InvalidInputError, match="not trusted"):
        verify(envelope, [OTHER.public_key()], "here")
    with pytest.raises(InvalidInputError, match="not signed"):
        verify(unsigned(envelope.data), [KEY.public_key()], "here")


def test_signature_of_other_data_does_not_fit() -> None:
    one, other = data_of(with_crossings()), safety_data(data_of(with_crossings()).intersection)
    forged = SignedEnvelope(
        data=other,
        content=other.canonical(),
        key_id=signed(unsigned(one), KEY).key_id,
        signature=signed(unsigned(one), KEY).signature,
    )
    with pytest.raises(InvalidInputError, match="changed after they were signed"):
        verify(read_envelope(forged.to_bytes(), "here"), [KEY.public_key()], "here")


def test_another_writing_of_the_same_content_is_refused() -> None:
    document = json.loads(data_of(with_crossings()).canonical())
    with pytest.raises(InvalidInputError, match="canonical"):
        read_safety_data(json.dumps(document, sort_keys=True).encode(), "here")
    document["groups"][0]["unknown"] = 1
    with pytest.raises(InvalidInputError, match="canonical"):
        read_safety_data(
            json.dumps(document, sort_keys=True, separators=(",", ":")).encode(), "here"
        )


def test_unsafe_data_are_refused_with_every_finding_though_signed() -> None:
    document = json.loads(data_of(with_crossings()).canonical())
    document["stages"][0]["green"] = [0, 2, 99]
    document["stages"][1]["green"] = [0, 2]
    document["profile"] = "homemade/1"
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(UnsafePlanError) as refused:
        read_safety_data(content, "here")
    rules = {finding.rule for finding in refused.value.findings}
    assert rules == {"profile", "stage_group", "stage_conflict"}


@pytest.mark.parametrize("time", [5.0, True, "5", None, -5])
def test_times_are_whole_and_not_negative(time: object) -> None:
    document = json.loads(data_of(with_crossings()).canonical())
    document["groups"][0]["amber_ds"] = time
    with pytest.raises(AmpelwerkError):
        read_safety_data(
            json.dumps(document, sort_keys=True, separators=(",", ":")).encode(), "here"
        )


def test_data_drive_a_local_controller() -> None:
    data = read_safety_data(data_of(with_crossings()).canonical(), "here")
    controller = LocalController(data.intersection, tick_ds=10, now_ds=0)
    shown = set()
    for now_ds in range(10, 6000, 10):
        controller.tick(now_ds)
        shown.add(controller.green_mask)
    assert {stage.mask for stage in data.intersection.stages} <= shown


def test_keys_are_kept_from_others_and_never_overwritten(tmp_path: Path) -> None:
    private, public = tmp_path / "a.key.pem", tmp_path / "a.pub.pem"
    name = new_key(private, public)
    assert private.stat().st_mode & 0o777 == 0o600
    envelope = signed(unsigned(data_of(with_crossings())), read_private_key(private))
    assert envelope.key_id == name
    verify(envelope, [read_public_key(public)], "here")
    with pytest.raises(InvalidInputError, match="never overwritten"):
        new_key(private, tmp_path / "b.pub.pem")
    for path, read in ((public, read_private_key), (private, read_public_key)):
        with pytest.raises(InvalidInputError, match="Ed25519 key"):
            read(path)
