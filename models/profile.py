"""Rule profiles: where the times of an envelope come from.

`sumo` takes them from the scenario's own program, so that control methods are compared like for
like; `rilsa` computes them from geometry (FGSV, Richtlinien für Lichtsignalanlagen, 2015).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ampelwerk.models.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """What a timing plan must keep beside the times of the envelope; None for no limit."""

    min_cycle_s: float | None = None
    """Cycle time below which a warning is given. [s]"""
    usual_cycle_s: float | None = None
    """Cycle time above which a warning is given. [s]"""
    max_cycle_s: float | None = None
    """Longest cycle time. [s]"""
    max_green_s: float | None = None
    """Longest green of a signal group. [s]"""
    max_red_s: float | None = None
    """Longest red of a signal group, beside the one its envelope names. [s]"""
    pedestrian_red_s: float | None = None
    """Red of pedestrians above which a warning is given. [s]"""

    def red_ds(self, max_red_ds: int | None) -> int | None:
        """Longest red of a group that has one of its own in its envelope. [ds]"""
        if self.max_red_s is None:
            return max_red_ds
        own_ds = round(10 * self.max_red_s)
        return own_ds if max_red_ds is None else min(own_ds, max_red_ds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearingClass:
    """How a class of stream clears the conflict area (RiLSA 2015, intergreen times)."""

    crossing_s: float
    """Time driven on after the end of green (Überfahrzeit). [s]"""
    clearing_mps: float
    """Clearing speed. [m/s]"""
    length_m: float
    """Vehicle length added to the clearing distance. [m]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RilsaProfile:
    """Times computed from geometry."""

    name: str = "rilsa"
    version: int = 1
    motor_straight: ClearingClass = ClearingClass(crossing_s=3, clearing_mps=10, length_m=6)
    motor_turning: ClearingClass = ClearingClass(crossing_s=2, clearing_mps=7, length_m=6)
    motor_tight: ClearingClass = ClearingClass(crossing_s=2, clearing_mps=5, length_m=6)
    tight_radius_m: float = 10.0
    """Turns with a smaller radius use `motor_tight`. [m]"""
    cyclist: ClearingClass = ClearingClass(crossing_s=1, clearing_mps=4, length_m=0)
    pedestrian: ClearingClass = ClearingClass(crossing_s=0, clearing_mps=1.2, length_m=0)
    tram: ClearingClass = ClearingClass(crossing_s=3, clearing_mps=10, length_m=15)
    motor_entering_mps: float = 40 / 3.6
    """Speed at which a motor vehicle enters. [m/s]"""
    cyclist_entering_mps: float = 5.0
    """Speed at which a cyclist enters. [m/s]"""
    amber_s: tuple[tuple[float, int], ...] = ((50 / 3.6, 3), (60 / 3.6, 4), (70 / 3.6, 5))
    """(speed limit up to [m/s], amber [s]), VwV-StVO to § 37."""
    turning_amber_s: int = 3
    """Amber of turning movements with a signal of their own. [s]"""
    cyclist_amber_s: int = 2
    """Amber of a signal for cyclists alone. [s]"""
    red_amber_s: int = 1
    """Red-amber of motor vehicles and cyclists. [s]"""
    min_green_s: int = 5
    """Minimum green. [s]"""
    walking_mps: float = 1.2
    """Walking speed; a pedestrian's minimum green lets half the crossing be walked. [m/s]"""
    min_red_s: int = 1
    """Minimum red. [s]"""
    max_red_s: int = 120
    """Red after which an alarm is raised. [s]"""
    limits: PlanLimits = PlanLimits(
        min_cycle_s=30, usual_cycle_s=90, max_cycle_s=120, pedestrian_red_s=85
    )
    """Limits of timing plans (RiLSA 2015: cycle times, waits of pedestrians)."""

    @property
    def label(self) -> str:
        """Name and version, and the minimum green if it is another than the profile's own."""
        changed = self.min_green_s != RilsaProfile().min_green_s
        return _label(self.name, self.version, {"min green": self.min_green_s if changed else None})


@dataclass(frozen=True, slots=True, kw_only=True)
class SumoProfile:
    """Times taken from the scenario's own program, with overrides that are stored in the result."""

    name: str = "sumo"
    version: int = 1
    min_green_s: float = 5.0
    """Minimum green is at most this; less where the program shows or declares less. [s]"""
    min_green_override_s: float | None = None
    """Minimum green of every group, whatever the program says. [s]"""
    amber_override_s: float | None = None
    """Amber of every vehicle group; what the program shows from its end to the next green stays. [s]"""
    all_red_override_s: float | None = None
    """All-red after amber; vehicle intergreens become amber + all-red. [s]"""
    min_red_s: float = 1.0
    """Minimum red. [s]"""
    limits: PlanLimits = PlanLimits()
    """Limits of timing plans; none, for the scenario's programs are taken as they are."""

    @property
    def label(self) -> str:
        """Name and version, and the overrides if there are any."""
        return _label(self.name, self.version, self.overrides)

    @property
    def overrides(self) -> dict[str, float | None]:
        """Times that replace the program's, by name; None where it keeps its own. [s]"""
        return {
            "amber": self.amber_override_s,
            "all-red": self.all_red_override_s,
            "min green": self.min_green_override_s,
        }

    @property
    def is_overridden(self) -> bool:
        """Some time is not the program's own."""
        return any(value is not None for value in self.overrides.values())


def _label(name: str, version: int, changed: Mapping[str, float | None]) -> str:
    """A profile in few words, such as ``sumo/1 (amber 3 s, all-red 0 s)``."""
    words = [f"{what} {value:g} s" for what, value in changed.items() if value is not None]
    return f"{name}/{version}" + (f" ({', '.join(words)})" if words else "")


Profile = SumoProfile | RilsaProfile


def profile_named(label: str) -> Profile:
    """The profile that an envelope says it was made under.

    Raises
    ------
    InvalidInputError : no profile of this version has that label.
    """
    times = {what: float(value) for what, value in re.findall(r"([a-z -]+?) ([0-9.]+) s", label)}
    times = {what.strip(): value for what, value in times.items()}
    profile: Profile = SumoProfile(
        amber_override_s=times.get("amber"),
        all_red_override_s=times.get("all-red"),
        min_green_override_s=times.get("min green"),
    )
    rilsa = RilsaProfile()
    if label.startswith(f"{rilsa.name}/"):
        profile = RilsaProfile(min_green_s=round(times.get("min green", rilsa.min_green_s)))
    if profile.label != label:
        raise InvalidInputError(
            "no profile of that name is known", found=label[:80], limit="sumo/1, rilsa/1"
        )
    return profile
