"""Signed plans: Ed25519 over exactly the bytes that travel (RFC 8032).

The server signs what it publishes; a controller pins the public key and takes nothing else. The
key of plans is not the key of envelopes: who commands does not define what is safe.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from google.protobuf.message import DecodeError

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.proto.v1.plan_pb2 import Plan, SignedPlan


def key_id(key: Ed25519PublicKey) -> bytes:
    """Name of a key: SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).digest()


class PlanSigner:
    """Signs plans with the server's key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.key = key
        """The private key."""
        self.public_key = key.public_key()
        """What controllers pin."""
        self.key_id = key_id(self.public_key)
        """Name of that."""

    @classmethod
    def from_file(cls, path: Path) -> PlanSigner:
        """From a PEM file without password."""
        key = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidInputError("not an Ed25519 private key", where=str(path))
        return cls(key)

    def signed(self, plan: Plan) -> SignedPlan:
        """The plan, encoded once and signed."""
        content = plan.SerializeToString()
        return SignedPlan(
            plan=content,
            sha256=hashlib.sha256(content).digest(),
            signature=self.key.sign(content),
            key_id=self.key_id,
        )


class PlanVerifier:
    """Believes plans that bear the signature of one key."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key, self._key_id = key, key_id(key)

    @classmethod
    def from_file(cls, path: Path) -> PlanVerifier:
        """From a PEM file."""
        key = load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidInputError("not an Ed25519 public key", where=str(path))
        return cls(key)

    def wrong_with(self, signed: SignedPlan) -> str:
        """Why the plan is not believed, empty if it is."""
        if signed.key_id != self._key_id:
            return "signed with an unknown key"
        if hashlib.sha256(signed.plan).digest() != signed.sha256:
            return "its hash is not that of its bytes"
        try:
            self._key.verify(signed.signature, signed.plan)
        except InvalidSignature:
            return "its signature is wrong"
        return ""

    def opened(self, signed: SignedPlan) -> tuple[Plan, str]:
        """The plan, decoded once it is believed; and why it is not, empty if it is."""
        wrong, plan = self.wrong_with(signed), Plan()
        if not wrong:
            try:
                plan.ParseFromString(signed.plan)
            except DecodeError:
                wrong = "it cannot be decoded"
        return plan, wrong
