"""Errors that carry their facts as fields; the text is built from them.

Every error says what is wrong, where, what the limit is, what was found and what helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing noticed about an intersection, a plan or an input file, as data."""

    rule: str
    """Short name of the rule, in lower case with underscores, such as ``source_overlap``."""
    severity: Severity
    """How much it weighs."""
    where: str
    """Element it is about: intersection, signal group, lane, file."""
    message: str
    """What was found, in one sentence."""
    remedy: str = ""
    """What helps, in one sentence; empty if nothing need be done."""

    def __str__(self) -> str:
        tail = f" {self.remedy}" if self.remedy else ""
        return f"{self.severity}: {self.rule}: {self.where}: {self.message}{tail}"


def _sentence(what: str, *, where: str, found: str, limit: str, remedy: str) -> str:
    """The text of an error from its facts."""
    parts = [f"{where}: {what}" if where else what]
    if found:
        parts.append(f"found: {found}")
    if limit:
        parts.append(f"allowed: {limit}")
    if remedy:
        parts.append(f"remedy: {remedy}")
    return "; ".join(parts)


class AmpelwerkError(Exception):
    """Base of all errors that Ampelwerk raises on purpose."""


class InvalidInputError(AmpelwerkError):
    """Input that cannot be what was meant; nothing was changed.

    Parameters
    ----------
    what : what is wrong, in one sentence.
    where : file, element or option.
    found : the offending value, if there is one.
    limit : what would have been accepted.
    remedy : what to do.
    """

    def __init__(
        self, what: str, *, where: str = "", found: str = "", limit: str = "", remedy: str = ""
    ) -> None:
        self.what, self.where, self.found = what, where, found
        self.limit, self.remedy = limit, remedy
        super().__init__(_sentence(what, where=where, found=found, limit=limit, remedy=remedy))


class UnsafePlanError(AmpelwerkError):
    """A plan, stage or envelope that breaks a rule; carries every finding at once."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))


class MissingDependencyError(AmpelwerkError):
    """A program or package that is needed for this command is not installed."""

    def __init__(self, what: str, *, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what} is not installed; remedy: {remedy}")


class SimulationError(AmpelwerkError):
    """The simulator stopped or refused its input."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text}; remedy: {remedy}" if remedy else text)


class RefusalCode(StrEnum):
    """Why a request of the control room is refused, though it is well formed."""

    HELD = "HELD"
    """Somebody else holds the intersection."""
    LOCAL = "LOCAL"
    """Somebody at the cabinet has the say."""
    OFFLINE = "OFFLINE"
    """The controller cannot be reached."""
    NEEDS_APPROVAL = "NEEDS_APPROVAL"
    """A second person must agree first."""
    ROLE = "ROLE"
    """The role does not allow it."""
    UNKNOWN_ID = "UNKNOWN_ID"
    """There is no such override, intersection, stage, plan or group."""
    KEY_REUSED = "KEY_REUSED"
    """The idempotency key was used for another request."""
    OVER = "OVER"
    """It has ended already."""
    VERSION = "VERSION"
    """Somebody else has published a plan since."""


class RequestRefusedError(AmpelwerkError):
    """A request of the control room that is refused; nothing was changed.

    Parameters
    ----------
    holder : who holds the intersection, if somebody does.
    expires_unix_ms : until when, 0 if nobody does. [ms]
    """

    def __init__(
        self,
        code: RefusalCode,
        what: str,
        *,
        where: str = "",
        found: str = "",
        limit: str = "",
        remedy: str = "",
        holder: str = "",
        expires_unix_ms: int = 0,
    ) -> None:
        self.code, self.what, self.where, self.found = code, what, where, found
        self.limit, self.remedy = limit, remedy
        self.holder, self.expires_unix_ms = holder, expires_unix_ms
        super().__init__(_sentence(what, where=where, found=found, limit=limit, remedy=remedy))


class OverrideRefusedError(RequestRefusedError):
    """A request about an override that is refused."""


class PlanRefusedError(RequestRefusedError):
    """A request about a plan that is refused."""


class KeyReusedError(RequestRefusedError):
    """One idempotency key for two different requests."""

    def __init__(self, key: str) -> None:
        super().__init__(
            RefusalCode.KEY_REUSED,
            "the key was used for another request",
            where=f"key {key}",
            remedy="take a new key for a new request",
        )


class StoreError(AmpelwerkError):
    """The store cannot take or give something; nothing was changed.

    Parameters
    ----------
    full : the disk is full.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        found: str = "",
        limit: str = "",
        remedy: str = "",
        full: bool = False,
    ) -> None:
        self.what, self.where, self.found = what, where, found
        self.limit, self.remedy, self.full = limit, remedy, full
        super().__init__(_sentence(what, where=where, found=found, limit=limit, remedy=remedy))


class NotLeaderError(StoreError):
    """Another server leads since; what this one asks for is from a term that is over."""


class ServerError(AmpelwerkError):
    """The server cannot be reached, or will not do what it was asked for."""

    def __init__(self, what: str, *, found: str = "", remedy: str = "") -> None:
        self.what, self.found = what, found
        super().__init__(_sentence(what, where="", found=found, limit="", remedy=remedy))


class OversaturatedError(AmpelwerkError):
    """More arrives than any cycle time can serve.

    Parameters
    ----------
    critical_flow_ratio : sum of the stages' critical flow ratios. [-]
    """

    def __init__(self, critical_flow_ratio: float) -> None:
        self.critical_flow_ratio = critical_flow_ratio
        super().__init__(
            f"oversaturated: the critical flow ratio is {critical_flow_ratio:.2f}, and it must be "
            "below 1; remedy: balance the degrees of saturation instead"
        )
