"""Times as SUMO's files write them: seconds, or (days:)hours:minutes:seconds."""

from __future__ import annotations


def seconds(text: str) -> float | None:
    """A time; None for words like ``triggered``. [s]"""
    try:
        total = 0.0
        parts = text.split(":")
        for part, unit in zip(reversed(parts), (1, 60, 3600, 86400), strict=False):
            total += float(part) * unit
        return total
    except ValueError:
        return None


def required_seconds(text: str) -> float:
    """A time that must be one. [s]

    Raises
    ------
    ValueError : it is a word.
    """
    found = seconds(text)
    if found is None:
        raise ValueError(f"{text!r} is no time")
    return found
