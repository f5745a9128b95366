"""What can be wrong with a loop: the kinds of fault, their levels, and how many loops fail.

A fault acts on edges alone, between the loop and the frame border. It begins some time after the
start so that control first learns from healthy loops.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ampelwerk.models.errors import InvalidInputError

FROM_S = 300.0
"""Loops fail this long after begin, unless said otherwise. [s]"""


class FaultKind(StrEnum):
    """What a faulty loop does."""

    STUCK_OFF = "stuck-off"
    STUCK_ON = "stuck-on"
    FROZEN = "frozen"
    CHATTER = "chatter"
    DROP = "drop"
    GAPS = "gaps"
    LATE = "late"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    BIAS = "bias"
    DRIFT = "drift"
    SPLASH_OVER = "splash-over"
    SWAPPED = "swapped"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How strong a fault of a kind may be."""

    default: float
    """Level unless said otherwise, in `unit`."""
    low: float
    """Least level."""
    high: float
    """Greatest level."""
    unit: str
    """Unit, as it may be written behind the number."""
    meaning: str
    """What the number says, in a few words."""


LEVELS: Mapping[FaultKind, Level] = {
    FaultKind.CHATTER: Level(
        default=60, low=1, high=600, unit="/min", meaning="extra pulses of 20 to 60 ms"
    ),
    FaultKind.DROP: Level(default=5, low=0, high=100, unit="%", meaning="edges lost"),
    FaultKind.GAPS: Level(
        default=60, low=1, high=3600, unit="s", meaning="silence, then as long a time without fault"
    ),
    FaultKind.LATE: Level(default=2, low=0, high=600, unit="s", meaning="delay of every edge"),
    FaultKind.DUPLICATE: Level(default=10, low=0, high=100, unit="%", meaning="edges sent twice"),
    FaultKind.REORDER: Level(
        default=1, low=0, high=60, unit="s", meaning="longest delay, drawn for every edge"
    ),
    FaultKind.BIAS: Level(default=0.7, low=0, high=2, unit="", meaning="vehicles counted for one"),
    FaultKind.DRIFT: Level(
        default=1, low=-100, high=100, unit="%/h", meaning="growth of the count, negative: loss"
    ),
    FaultKind.SPLASH_OVER: Level(
        default=10, low=0, high=100, unit="%", meaning="pulses of the next lane's loop seen too"
    ),
    FaultKind.GARBAGE: Level(default=1, low=0, high=100, unit="%", meaning="edges made impossible"),
}
"""Kinds that have a level; the others are whole or not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A share of the loops fails in one way.

    Raises
    ------
    InvalidInputError : share, time or level out of range, or a level where there is none.
    """

    kind: FaultKind
    """What they do."""
    share: float
    """Share of the loops that fail, 0 to 1. [-]"""
    from_s: float = FROM_S
    """When they fail, after begin. [s]"""
    level: float | None = None
    """How strong, in the unit of the kind; None: its default, which is then filled in."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise InvalidInputError(
                "share of faulty loops out of range",
                where=self.kind,
                found=f"{100 * self.share:g}%",
                limit="0% to 100%",
            )
        if not 0.0 <= self.from_s < math.inf:
            raise InvalidInputError(
                "a fault cannot begin then",
                where=self.kind,
                found=f"from={self.from_s:g}",
                limit="0 s or more after begin",
            )
        range_ = LEVELS.get(self.kind)
        if range_ is None:
            if self.level is not None:
                raise InvalidInputError(
                    "this kind of fault has no level",
                    where=self.kind,
                    found=f"level={self.level:g}",
                    remedy="leave the level out",
                )
        elif self.level is None:
            object.__setattr__(self, "level", float(range_.default))
        elif not range_.low <= self.level <= range_.high:
            raise InvalidInputError(
                "level out of range",
                where=self.kind,
                found=f"level={self.level:g}",
                limit=f"{range_.low:g} to {range_.high:g} {range_.unit}".rstrip()
                + f" ({range_.meaning})",
            )

    @property
    def strength(self) -> float:
        """The level as a number, 0 where there is none."""
        return self.level or 0.0

    @property
    def label(self) -> str:
        """Kind, time and level as on the command line, what is as usual left out."""
        usual = LEVELS.get(self.kind)
        parts = [str(self.kind)]
        if self.from_s != FROM_S:
            parts.append(f"from={self.from_s:g}")
        if usual is not None and self.level is not None and self.level != usual.default:
            parts.append(f"level={self.level:g}")
        return ",".join(parts)

    def __str__(self) -> str:
        kind, *more = self.label.split(",")
        return ",".join([f"{kind}:{100 * self.share:g}%", *more])
