"""A file of override requests for a simulation, in TOML or JSON; `docs/overrides.md` explains its keys.

It is a list of tables ``[[override]]``; in JSON an object with the list under ``override``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ampelwerk.controllers.steering import resolve_target
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError, OverrideRefusedError
from ampelwerk.models.network import Network
from ampelwerk.models.override import OverrideAction, OverrideLeg, OverrideRequest, Role
from ampelwerk.sim.sumo_time import required_seconds


def _seconds(value: Any) -> float:
    """A time from a number or from text. [s]"""
    text = "" if isinstance(value, bool) else str(value)
    found = required_seconds(text)
    if not 0 <= found < 1e8:
        raise ValueError("a time from 0 s on is wanted")
    return round(found, 1)


Time = Annotated[float, BeforeValidator(_seconds)]


class Leg(BaseModel):
    """One intersection on the way of a vehicle."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    intersection: str
    target: str
    eta: Time


class Planned(BaseModel):
    """One request of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    at: Time
    action: OverrideAction
    intersection: str = ""
    intersections: tuple[str, ...] = ()
    target: str = ""
    ttl: float = Field(default=300.0, ge=1, le=86_400)
    reason: str
    requester: str = "control-room"
    role: Role = Role.OPERATOR
    max_green: float = Field(default=0.0, ge=0, le=600)
    supersede: bool = False
    name: str = ""
    release: Time | None = None
    renew: tuple[Time, ...] = ()
    approve: Time | None = None
    legs: tuple[Leg, ...] = ()

    def request(self) -> OverrideRequest:
        """As the control room would send it; second t of the simulation is Unix second t."""
        places = self.intersections or ((self.intersection,) if self.intersection else ())
        if self.legs:
            legs = tuple(
                OverrideLeg(
                    intersection_id=IntersectionId(leg.intersection),
                    target=leg.target,
                    eta_unix_ms=round(leg.eta * 1000),
                )
                for leg in self.legs
            )
        else:
            legs = tuple(
                OverrideLeg(intersection_id=IntersectionId(place), target=self.target)
                for place in places
            )
        return OverrideRequest(
            key=self.name,
            action=self.action,
            legs=legs,
            requester=self.requester,
            role=self.role,
            reason=self.reason,
            ttl_ms=round(self.ttl * 1000),
            max_green_ms=round(self.max_green * 1000),
            supersede=self.supersede,
        )


def read_overrides(path: Path) -> list[Planned]:
    """The requests of a file by time.

    Raises
    ------
    InvalidInputError : with the place of every error.
    """
    text = path.read_text(encoding="utf-8")
    try:
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise InvalidInputError(
            "the file cannot be read", where=str(path), found=str(error),
            limit="TOML, or JSON if its name ends in .json",
        ) from error  # fmt: skip
    if not isinstance(content, dict) or set(content) != {"override"}:
        raise InvalidInputError(
            "these are no overrides", where=str(path), limit="a list of tables [[override]]"
        )
    rows = content["override"]
    if not isinstance(rows, list) or not rows:
        raise InvalidInputError(
            "these are no overrides", where=str(path), limit="a list of tables [[override]]"
        )
    found: list[Planned] = []
    errors: list[str] = []
    for number, row in enumerate(rows, start=1):
        try:
            named = {"name": f"override-{number}", **row} if isinstance(row, dict) else row
            planned = Planned.model_validate(named)
            planned.request()
            found.append(planned)
        except ValidationError as error:
            errors.extend(
                f"override {number}, {'.'.join(map(str, one['loc']))}: {one['msg']}"
                for one in error.errors()
            )
        except InvalidInputError as error:
            errors.append(f"override {number}: {error}")
    names = [planned.name for planned in found]
    errors.extend(
        f"name {name} stands twice" for name in sorted({n for n in names if names.count(n) > 1})
    )
    if errors:
        raise InvalidInputError(
            "; ".join(errors), where=str(path), remedy="see docs/overrides.md for the keys"
        )
    return sorted(found, key=lambda planned: planned.at)


def check_names(planned: Sequence[Planned], network: Network) -> None:
    """Make sure that everything named is there, before anything runs.

    Raises
    ------
    InvalidInputError : with everything that is not.
    """
    sites = {site.intersection_id: site for site in network.intersections}
    wrong = []
    for item in planned:
        request = item.request()
        for leg in request.legs:
            site = sites.get(leg.intersection_id)
            if site is None:
                joint = [s for s in network.intersections if leg.intersection_id in s.part_names]
                hint = f"; it is run as {joint[0].intersection_id}" if joint else ""
                wrong.append(f"{item.name}: no intersection {leg.intersection_id}{hint}")
                continue
            try:
                resolve_target(site, request.action, leg.target)
            except OverrideRefusedError as error:
                wrong.append(f"{item.name}: {error}")
    if wrong:
        raise InvalidInputError(
            "; ".join(wrong),
            where="--overrides",
            remedy="see `ampelwerk model` for intersections, stages, plans and groups",
        )
