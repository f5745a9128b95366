"""The calendar: which plan is in force at which time of the week.

Times are local wall-clock times. An entry holds from its time on until the next one, over midnight
and over days without an entry of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ampelwerk.models.errors import InvalidInputError

DAY_S = 86_400
"""Length of a day on the wall clock. [s]"""


class Weekday(StrEnum):
    """Days of the week in order."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEKDAYS = tuple(Weekday)
"""All days, Monday first."""
WEEK_S = DAY_S * len(WEEKDAYS)
"""Length of a week on the wall clock. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """From a time of day on, on some days, a plan is in force.

    Raises
    ------
    InvalidInputError : no day, a day twice, or a time outside the day.
    """

    days: tuple[Weekday, ...]
    """Days on which it begins, in order."""
    at_s: int
    """Time after midnight. [s]"""
    plan_id: str
    """Plan in force from then on."""

    def __post_init__(self) -> None:
        if not self.days or len(set(self.days)) != len(self.days):
            raise InvalidInputError(
                "a calendar entry names each of its days once, and at least one",
                where=f"calendar entry for plan {self.plan_id}",
                found=", ".join(self.days) or "no day",
            )
        if not 0 <= self.at_s < DAY_S:
            raise InvalidInputError(
                "the time of a calendar entry lies within the day",
                where=f"calendar entry for plan {self.plan_id}",
                found=f"{self.at_s} s after midnight",
                limit=f"0 to {DAY_S - 1} s",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A moment of the week at which a plan comes into force."""

    week_s: int
    """Time after midnight on Monday. [s]"""
    plan_id: str
    """Plan in force from then on."""


def switches(entries: Sequence[CalendarEntry]) -> tuple[Switch, ...]:
    """The week's switches by time.

    Raises
    ------
    InvalidInputError : two entries begin at the same time.
    """
    found: dict[int, str] = {}
    for entry in entries:
        for day in entry.days:
            week_s = WEEKDAYS.index(day) * DAY_S + entry.at_s
            if week_s in found:
                raise InvalidInputError(
                    "two calendar entries begin at the same time",
                    where=f"calendar, {day} {clock_text(entry.at_s)}",
                    found=f"plans {found[week_s]} and {entry.plan_id}",
                    remedy="keep one of them",
                )
            found[week_s] = entry.plan_id
    return tuple(Switch(week_s=at, plan_id=found[at]) for at in sorted(found))


def in_force(week: Sequence[Switch], week_s: float) -> Switch:
    """The last switch at or before a time of the week, over the turn of the week if need be.

    Parameters
    ----------
    week : switches by time, at least one.
    week_s : time after midnight on Monday. [s]
    """
    last = week[-1]
    for switch in week:
        if switch.week_s > week_s:
            break
        last = switch
    return last


def clock_text(at_s: int) -> str:
    """A time of day as hours and minutes, with seconds where there are any."""
    hours, minutes, seconds = at_s // 3600, at_s // 60 % 60, at_s % 60
    text = f"{hours:02d}:{minutes:02d}"
    return f"{text}:{seconds:02d}" if seconds else text
