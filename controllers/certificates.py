"""A development certificate authority: for laptops, simulations and tests.

A real city has an authority of its own; it needs no more than this file shows: X.509 certificates
with ECDSA P-256 keys and one URI that names the holder (`identity`). Files of a folder:

=================================  =============================================================
file                               content
=================================  =============================================================
ca.pem, ca-key.pem                 the authority
plan-key.pem, plan-public-key.pem  Ed25519 key that signs plans, and what controllers pin
<kind>-<name>.pem, -key.pem        certificate and key of a holder
=================================  =============================================================
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.models.errors import InvalidInputError

DAYS = 30
"""A development certificate is valid for so long. [d]"""
CA, CA_KEY = "ca.pem", "ca-key.pem"
PLAN_KEY, PLAN_PUBLIC_KEY = "plan-key.pem", "plan-public-key.pem"
SERVER_NAME = "ampelwerk-server"
"""Name of the server in its certificate, whatever address it is reached under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What one end of a connection shows and believes, as PEM."""

    authority: bytes
    """Certificate of the authority."""
    certificate: bytes
    """Certificate of the holder."""
    key: bytes
    """Its private key."""


class Authority:
    """Issues certificates."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate, self._key = certificate, key
        self.pem = certificate.public_bytes(Encoding.PEM)
        """Certificate of the authority."""

    @classmethod
    def new(cls, city: str, now: datetime) -> Authority:
        """A fresh one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{city} development authority")])
        certificate = (
            _builder(name, name, key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def from_folder(cls, folder: Path) -> Authority:
        """The one that `certs` left there."""
        key = load_pem_private_key((folder / CA_KEY).read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise InvalidInputError("not an ECDSA key", where=str(folder / CA_KEY))
        return cls(x509.load_pem_x509_certificate((folder / CA).read_bytes()), key)

    @property
    def key_pem(self) -> bytes:
        """Private key of the authority."""
        return _pem(self._key)

    def issue(self, identity: Identity, now: datetime) -> Credentials:
        """A certificate for one holder."""
        key = ec.generate_private_key(ec.SECP256R1())
        common = identity.name[:64]  # RFC 5280, upper bound of a common name
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity.uri)]
        use = ExtendedKeyUsageOID.CLIENT_AUTH
        if identity.kind is Kind.SERVER:
            use = ExtendedKeyUsageOID.SERVER_AUTH
            loopback = [ipaddress.ip_address(a) for a in ("127.0.0.1", "::1")]
            names += [x509.DNSName(SERVER_NAME), x509.DNSName("localhost")]
            names += [x509.IPAddress(address) for address in loopback]
        certificate = (
            _builder(name, self._certificate.subject, key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return Credentials(
            authority=self.pem, certificate=certificate.public_bytes(Encoding.PEM), key=_pem(key)
        )


def file_stem(identity: Identity) -> str:
    """Begin of the names of a holder's files: the kind and the name, kept short and unique."""
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in identity.name)
    if plain != identity.name or len(plain) > 64:
        plain = f"{plain[:48]}-{hashlib.sha256(identity.name.encode()).hexdigest()[:12]}"
    return f"{identity.kind}-{plain}"


def write_authority(folder: Path, city: str, now: datetime) -> Authority:
    """A new authority and plan key in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority.new(city, now)
    plan_key = Ed25519PrivateKey.generate()
    _write_secret(folder / CA_KEY, authority.key_pem)
    _write_secret(folder / PLAN_KEY, _pem(plan_key))
    (folder / CA).write_bytes(authority.pem)
    (folder / PLAN_PUBLIC_KEY).write_bytes(
        plan_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return authority


def write_credentials(folder: Path, identity: Identity, credentials: Credentials) -> None:
    """Certificate and key of a holder as files."""
    stem = file_stem(identity)
    (folder / f"{stem}.pem").write_bytes(credentials.certificate)
    _write_secret(folder / f"{stem}-key.pem", credentials.key)


def read_credentials(folder: Path, identity: Identity) -> Credentials:
    """What `write_credentials` wrote.

    Raises
    ------
    InvalidInputError : there is nothing for this holder.
    """
    stem = file_stem(identity)
    try:
        return Credentials(
            authority=(folder / CA).read_bytes(),
            certificate=(folder / f"{stem}.pem").read_bytes(),
            key=(folder / f"{stem}-key.pem").read_bytes(),
        )
    except OSError as error:
        raise InvalidInputError(
            f"no certificate for the {identity.kind} {identity.name}",
            where=str(error.filename),
            remedy="make it with `ampelwerk certs`",
        ) from error


def holder(certificate: bytes) -> str:
    """The URI that a certificate names, empty if it names none."""
    parsed = x509.load_pem_x509_certificate(certificate)
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uris[0] if len(uris) == 1 else ""


def utc_now() -> datetime:
    """The wall clock, for the dates of certificates."""
    return datetime.now(UTC)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + timedelta(days=DAYS))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_secret(path: Path, content: bytes) -> None:
    """A file that only its owner reads."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
