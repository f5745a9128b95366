"""The road of the report: chosen or given, its time-space diagrams, one for each control."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.sim import measures
from ampelwerk.sim.net_file import NetFile
from ampelwerk.sim.report.drawing import clock
from ampelwerk.sim.report.results import FinishedRun
from ampelwerk.sim.report.road import Road, choose_road, measure_road
from ampelwerk.sim.report.signal_record import StateChanges
from ampelwerk.sim.report.tables import number
from ampelwerk.sim.report.time_space import GreenBand, busiest_window, time_space_picture
from ampelwerk.sim.report.trajectories import read_journeys, trajectories


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPicture:
    """One kind of control on the road."""

    control: str
    """Kind of control."""
    picture: str
    """SVG."""
    bands: str
    """Green bands, in words."""
    gridlocked: bool
    """Traffic stood still in this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadSection:
    """Time-space diagrams."""

    edges: tuple[str, ...]
    """Edges of the road, in order of travel."""
    given: bool
    """The user chose them."""
    facts: str
    """Length and signals, in words; or why there is no diagram."""
    window: str
    """Time shown."""
    pictures: tuple[RoadPicture, ...]
    """One for each control."""


def road_section(
    drawn: Sequence[FinishedRun],
    records: Mapping[str, Mapping[str, StateChanges]],
    net: NetFile,
    network: Network,
    route: Sequence[str] | None,
    tell: Callable[[str], None],
) -> tuple[RoadSection, tuple[float, float]]:
    """The section and the time it shows, the same for all controls. [s]

    Parameters
    ----------
    drawn : one run of each control.
    records : control -> what its signals showed.
    route : edges of the road; None: the busiest way.

    Raises
    ------
    InvalidInputError : the route is no way through the net.
    """
    tell("time-space diagram")
    journeys = {run.control: read_journeys(run.file(measures.VEHROUTES)) for run in drawn}
    first = drawn[0]
    whole = (first.begin_s, first.end_s)
    if route is None:
        try:
            edges = choose_road(net, network, [j.edges for j in journeys[first.control]])
        except InvalidInputError as error:
            empty = RoadSection(edges=(), given=False, facts=str(error), window="", pictures=())
            return empty, busiest_window([], *whole)
    else:
        edges = list(route)
    road = measure_road(net, network, edges)
    lines = {
        run.control: [
            line for pieces in trajectories(road, journeys[run.control], run.end_s)
            for line in pieces
        ]
        for run in drawn
    }  # fmt: skip
    begin_s, end_s = busiest_window(lines[first.control], *whole)
    pictures = []
    for k, run in enumerate(drawn):
        picture, bands = time_space_picture(
            road, run.control, lines[run.control], records[run.control], begin_s, end_s, f"road{k}"
        )
        pictures.append(
            RoadPicture(
                control=run.control,
                picture=picture,
                bands=_bands_in_words(road, bands),
                gridlocked=bool(run.measures["gridlock"]),
            )
        )
    section = RoadSection(
        edges=tuple(edges),
        given=route is not None,
        facts=_facts(road),
        window=f"{clock(begin_s)} to {clock(end_s)}",
        pictures=tuple(pictures),
    )
    return section, (begin_s, end_s)


def _facts(road: Road) -> str:
    signals = len(road.signals)
    return (
        f"{number(road.length_m, 0)} m, {signals} signal{'' if signals == 1 else 's'}, "
        f"{number(road.free_s(0, road.length_m), 0)} s at the speed limit"
    )


def _bands_in_words(road: Road, bands: Sequence[GreenBand]) -> str:
    if len(road.signals) < 2:
        return ""
    if not bands:
        return "No green band runs through all signals."
    widths = [band.width_s for band in bands]
    plural = "" if len(bands) == 1 else "s"
    return (
        f"{len(bands)} green band{plural} through all signals, "
        f"{number(fmean(widths), 0)} s wide on average, the widest {number(max(widths), 0)} s."
    )
