"""Signed safety data: the exact bytes, and who answers for them.

A file has two lines. The first is the safety data in canonical form (`safety_data`); the second
names the signer's key and carries the Ed25519 signature (RFC 8032) over the bytes of the first, with
a prefix that keeps it from being valid for anything else. The private key stays with whoever answers
for the safety data; server and controllers know public keys alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ampelwerk.controllers.safety_data import MOST_BYTES, SafetyData, read_safety_data
from ampelwerk.models.errors import InvalidInputError

SUFFIX = ".envelope"
"""Of a file; its stem is the SHA-256 of the data."""
_CONTEXT = b"ampelwerk safety data\0"
"""Before the signed bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEnvelope:
    """Safety data as they lie in a file."""

    data: SafetyData
    """What was read."""
    content: bytes
    """Their exact bytes."""
    key_id: str = ""
    """Which key signed them; empty if none has."""
    signature: bytes = b""
    """Signature over the bytes."""

    @property
    def sha256(self) -> str:
        """Name of the data, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def to_bytes(self) -> bytes:
        """Contents of the file."""
        line = {"key_id": self.key_id, "signature": self.signature.hex()} if self.key_id else {}
        text = json.dumps(line, sort_keys=True, separators=(",", ":")) if line else ""
        return self.content + b"\n" + (text.encode("ascii") + b"\n" if text else b"")


def unsigned(data: SafetyData) -> SignedEnvelope:
    """Safety data that nobody answers for yet."""
    return SignedEnvelope(data=data, content=data.canonical())


def signed(envelope: SignedEnvelope, key: Ed25519PrivateKey) -> SignedEnvelope:
    """The same data with a signature, in place of any before."""
    return SignedEnvelope(
        data=envelope.data,
        content=envelope.content,
        key_id=key_id(key.public_key()),
        signature=key.sign(_CONTEXT + envelope.content),
    )


def read_envelope(content: bytes, where: str) -> SignedEnvelope:
    """The contents of a file; the signature is not checked yet.

    Raises
    ------
    InvalidInputError : not such a file.
    UnsafePlanError : with every finding, if the data cannot keep traffic safe.
    """
    if len(content) > MOST_BYTES + 4096:
        raise InvalidInputError(
            "the file is too long for safety data", where=where, found=f"{len(content)} bytes"
        )
    first, _, rest = content.partition(b"\n")
    data = read_safety_data(first, where)
    if not rest:
        return SignedEnvelope(data=data, content=first)
    try:
        line = json.loads(rest)
        found = SignedEnvelope(
            data=data,
            content=first,
            key_id=str(line["key_id"]),
            signature=bytes.fromhex(line["signature"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            "the line of the signature cannot be read", where=where, found=str(error)
        ) from error
    if found.to_bytes() != content:
        raise InvalidInputError(
            "something was added to the file or taken from it after it was written",
            where=where,
            remedy="copy it again from where it was signed",
        )
    return found


def verify(envelope: SignedEnvelope, trusted: Iterable[Ed25519PublicKey], where: str) -> None:
    """Make sure that one of the trusted keys signed exactly these bytes.

    Raises
    ------
    InvalidInputError : unsigned, signed by somebody else, or changed since.
    """
    keys = {key_id(key): key for key in trusted}
    if not envelope.key_id:
        raise InvalidInputError(
            "the safety data are not signed",
            where=where,
            remedy="have them signed with `ampelwerk envelope sign`",
        )
    key = keys.get(envelope.key_id)
    if key is None:
        raise InvalidInputError(
            "the safety data are signed with a key that is not trusted here",
            where=where,
            found=f"key {envelope.key_id}",
            limit=", ".join(sorted(keys)) or "no key is trusted",
        )
    try:
        key.verify(envelope.signature, _CONTEXT + envelope.content)
    except InvalidSignature as error:
        raise InvalidInputError(
            "the signature does not fit: the safety data were changed after they were signed",
            where=where,
            remedy="copy the file again from where it was signed; never edit it",
        ) from error


def key_id(key: Ed25519PublicKey) -> str:
    """Name of a key: the first 16 hexadecimal digits of the SHA-256 of its raw bytes."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def new_key(private: Path, public: Path) -> str:
    """Write a fresh pair of keys as PEM, the private one for its owner's eyes alone; its name.

    Raises
    ------
    InvalidInputError : one of the files is there already.
    """
    for path in (private, public):
        if path.exists():
            raise InvalidInputError(
                "a key is never overwritten", where=str(path), remedy="choose another name"
            )
    key = Ed25519PrivateKey.generate()
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return key_id(key.public_key())


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """A private key from a PEM file (PKCS 8, not encrypted).

    Raises
    ------
    InvalidInputError : not such a key.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "private", str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "private", type(key).__name__)
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key from a PEM file.

    Raises
    ------
    InvalidInputError : not such a key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "public", str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "public", type(key).__name__)
    return key


def _no_key(path: Path, kind: str, found: str) -> InvalidInputError:
    return InvalidInputError(
        f"this is no {kind} Ed25519 key in PEM without a password",
        where=str(path),
        found=found.splitlines()[0] if found else "",
        remedy="make a pair with `ampelwerk envelope keygen`",
    )
