"""What an interlock is doing, and what the lamps show when it shows no aspects."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """Operating mode of an interlock."""

    INIT = "init"
    """Red; the self-test is due."""
    START = "start"
    """Everything red for the largest intergreen, then RUN."""
    RUN = "run"
    """Requests are served within the rules."""
    CLEARING = "clearing"
    """On the way to red, then everything red for the largest intergreen."""
    OFF = "off"
    """Switched off by order."""
    FAILED = "failed"
    """Failure display, latched until a local reset."""


class Display(StrEnum):
    """What the lamps show."""

    ASPECTS = "aspects"
    """The aspects of the signal groups."""
    ALL_RED = "all_red"
    """Red everywhere."""
    FLASH = "flash"
    """Flashing amber."""
    DARK = "dark"
    """Nothing."""
