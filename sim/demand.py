"""What a scenario's demand files hold: how many trips, when, and over which edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.net_file import elements
from ampelwerk.sim.sumo_time import seconds

_TRAVELLERS = ("trip", "vehicle", "person", "container")
_FLOWS = ("flow", "personFlow", "containerFlow")
_WITH_EDGES = ("trip", "flow", "route", "walk", "personTrip", "ride", "vehicle", "person")


@dataclass(slots=True, kw_only=True)
class Demand:
    """Summary of all demand files."""

    travellers: int = 0
    """Trips, vehicles, persons and flows found."""
    due: int = 0
    """Those that may depart between begin and end."""
    before_begin: int = 0
    """Single trips due before begin; SUMO drops them."""
    last_departure_s: float = 0.0
    """Latest departure, or end of a flow. [s]"""
    vehicle_class: dict[str, str] | None = None
    """vType -> vClass."""


def read_demand(
    paths: Sequence[Path], begin_s: float, end_s: float | None, edges: set[str]
) -> Demand:
    """Scan demand files.

    Parameters
    ----------
    begin_s, end_s : the simulation, to count trips that SUMO will drop; None for no end. [s]
    edges : edges and traffic assignment zones of the net.

    Raises
    ------
    InvalidInputError : a file is missing or broken, or uses an edge that the net does not have.
    """
    demand = Demand(vehicle_class={})
    assert demand.vehicle_class is not None
    zones: set[str] = set()
    for path in paths:
        for element in elements(
            path, (*_TRAVELLERS, *_FLOWS, "vType", "route", "taz", "walk", "personTrip", "ride")
        ):
            if element.tag == "vType":
                demand.vehicle_class[element.get("id", "")] = element.get("vClass", "passenger")
            elif element.tag == "taz":
                zones.add(element.get("id", ""))
            elif element.tag in _TRAVELLERS:
                _count_trip(demand, element, begin_s, end_s)
            elif element.tag in _FLOWS:
                _count_flow(demand, element, begin_s, end_s)
            unknown = _unknown_edge(element, edges)
            if unknown:
                raise InvalidInputError(
                    "the demand uses an edge that the net does not have",
                    where=f"{path}, {element.tag} {element.get('id', '')}".strip(),
                    found=unknown,
                    remedy="give the route file that was made for this net",
                )
    return demand


def _count_trip(demand: Demand, element: Element, begin_s: float, end_s: float | None) -> None:
    demand.travellers += 1
    depart_s = seconds(element.get("depart", ""))
    if depart_s is None:  # triggered, split and the like
        demand.due += 1
        return
    demand.last_departure_s = max(demand.last_departure_s, depart_s)
    demand.before_begin += depart_s < begin_s
    demand.due += begin_s <= depart_s and (end_s is None or depart_s < end_s)


def _count_flow(demand: Demand, element: Element, begin_s: float, end_s: float | None) -> None:
    demand.travellers += 1
    first_s = seconds(element.get("begin", "")) or 0.0
    last_s = seconds(element.get("end", ""))
    demand.last_departure_s = max(demand.last_departure_s, last_s or first_s)
    ended = last_s is not None and last_s <= begin_s
    demand.due += not ended and (end_s is None or first_s < end_s)


def _unknown_edge(element: Element, edges: set[str]) -> str:
    """First edge of an element that the net lacks, or empty."""
    if element.tag not in _WITH_EDGES and element.tag not in _FLOWS:
        return ""
    for attribute in ("from", "to", "via", "edges"):
        for edge in element.get(attribute, "").split():
            if edge not in edges:
                return edge
    return ""
