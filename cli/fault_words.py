"""From the words of the command line to faults: ``KIND:SHARE[,from=SECONDS][,level=NUMBER]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.faults import LEVELS, Fault, FaultKind

FORM = "KIND:SHARE[,from=SECONDS][,level=NUMBER], such as stuck-off:20%"


def fault_of(text: str) -> Fault:
    """One `--fault`."""
    what, _, more = text.partition(",")
    kind, colon, share = what.partition(":")
    fault = _fault(kind, more, text, "--fault")
    if not colon:
        raise InvalidInputError(
            "how many loops fail is missing", where="--fault", found=text, limit=FORM
        )
    return replace(fault, share=_share(share, "--fault"))


def kinds_of(texts: Sequence[str]) -> list[Fault]:
    """Every `--kind`, with share 0 for now; none twice."""
    faults = []
    for text in texts:
        kind, _, more = text.partition(",")
        if ":" in kind:
            raise InvalidInputError(
                "the share does not belong here", where="--kind", found=text,
                remedy="give all shares with --shares",
            )  # fmt: skip
        fault = _fault(kind, more, text, "--kind")
        if fault in faults:
            raise InvalidInputError("a kind is given twice", where="--kind", found=text)
        faults.append(fault)
    return faults


def shares_of(text: str) -> list[float]:
    """`--shares` in ascending order, with 0 whether it is named or not. [-]"""
    shares = [_share(part, "--shares") for part in text.split(",")]
    if len(set(shares)) != len(shares) or not any(shares):
        raise InvalidInputError(
            "these are no shares to compare", where="--shares", found=text,
            limit="percentages separated by commas, none twice, one above 0",
        )  # fmt: skip
    return sorted({0.0, *shares})


def _fault(kind: str, more: str, text: str, where: str) -> Fault:
    """A fault of share 0."""
    known = _kind(kind.strip(), where)
    given: dict[str, float] = {}
    for part in more.split(",") if more else ():
        name, _, value = (word.strip() for word in part.partition("="))
        if name not in ("from", "level") or name in given:
            near = get_close_matches(name, ("from", "level"), n=1)
            raise InvalidInputError(
                f"{part.strip()!r} is not understood", where=where, found=text, limit=FORM,
                remedy=f"did you mean {near[0]}=?" if near and name not in given else "",
            )  # fmt: skip
        usual = LEVELS.get(known)
        unit = "s" if name == "from" else usual.unit if usual else ""
        given[name] = _number(value.removesuffix(unit), text, where)
    try:
        fault = Fault(kind=known, share=0.0, level=given.get("level"))
        return replace(fault, from_s=given.get("from", fault.from_s))
    except InvalidInputError as error:
        raise InvalidInputError(
            error.what, where=where, found=text, limit=error.limit, remedy=error.remedy
        ) from error


def _kind(name: str, where: str) -> FaultKind:
    """A kind by its name, underscores allowed."""
    names = [str(kind) for kind in FaultKind]
    wanted = name.lower().replace("_", "-")
    if wanted in names:
        return FaultKind(wanted)
    near = get_close_matches(wanted, names, n=1)
    raise InvalidInputError(
        "unknown kind of fault",
        where=where,
        found=name,
        limit=", ".join(names),
        remedy=f"did you mean {near[0]}?" if near else "choose one of these",
    )


def _share(text: str, where: str) -> float:
    """A share in percent, the sign optional. [-]"""
    number = _number(text.strip().removesuffix("%"), text, where)
    if not 0 <= number <= 100:
        raise InvalidInputError(
            "share of faulty loops out of range", where=where, found=text, limit="0% to 100%"
        )
    if 0 < number < 1 and "%" not in text:
        raise InvalidInputError(
            "a share is given in percent", where=where, found=text,
            remedy=f"write {100 * number:g}%, or {number:g}% if so few are meant",
        )  # fmt: skip
    return number / 100


def _number(text: str, whole: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(
            f"{text!r} is no number", where=where, found=whole, limit=FORM
        ) from None
