"""Delay over time, by approach direction and by vehicle class: pictures and their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ampelwerk.models.network import Network
from ampelwerk.sim import measures
from ampelwerk.sim.net_file import NetFile
from ampelwerk.sim.report.delay_plots import bars_picture, over_time_picture
from ampelwerk.sim.report.delays import (
    Spread,
    delay_by_direction,
    delay_over_time,
    interval_length_s,
)
from ampelwerk.sim.report.naming import COMPASS
from ampelwerk.sim.report.results import FinishedRun, Results
from ampelwerk.sim.report.tables import NOTHING, number
from ampelwerk.sim.report.trajectories import read_journeys

Values = Mapping[str, Mapping[str, Spread]]
"""Control -> category -> delay of every seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Delay by category."""

    picture: str
    """SVG; empty without any value."""
    categories: tuple[str, ...]
    """Categories."""
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """(control, mean of every category)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelaySection:
    """Delay in more detail."""

    interval_s: float
    """Length of the intervals of the first picture. [s]"""
    over_time: str
    """SVG."""
    by_direction: Breakdown
    """By the direction vehicles come from."""
    by_class: Breakdown
    """By vehicle class."""


def delay_section(
    results: Results, net: NetFile, network: Network, tell: Callable[[str], None]
) -> DelaySection:
    """Read every run and draw."""
    begin_s = min(run.begin_s for run in results.runs)
    end_s = max(run.end_s for run in results.runs)
    tell("delay over time")
    curves = {
        control: delay_over_time(runs, begin_s, end_s) for control, runs in results.controls.items()
    }
    tell("delay by direction and class")
    directions = {
        control: _spreads([_directions(run, net, network) for run in runs])
        for control, runs in results.controls.items()
    }
    classes = {
        control: _spreads([_classes(run) for run in runs])
        for control, runs in results.controls.items()
    }
    return DelaySection(
        interval_s=interval_length_s(begin_s, end_s),
        over_time=over_time_picture(curves, begin_s, end_s),
        by_direction=_breakdown(
            directions, COMPASS, "Delay at a signal by approach direction", "by-direction"
        ),
        by_class=_breakdown(
            classes,
            sorted({name for values in classes.values() for name in values}),
            "Delay by vehicle class",
            "by-class",
        ),
    )


def _directions(run: FinishedRun, net: NetFile, network: Network) -> dict[str, float]:
    journeys = read_journeys(run.file(measures.VEHROUTES))
    return delay_by_direction(net, network, journeys, run.end_s)


def _classes(run: FinishedRun) -> dict[str, float]:
    """As `sim.measures` found them."""
    return {name: float(value["delay_s"]) for name, value in run.measures["by_class"].items()}


def _spreads(by_seed: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Category -> value of every seed."""
    names = {name for values in by_seed for name in values}
    return {name: Spread(by_seed=tuple(v.get(name) for v in by_seed)) for name in names}


def _breakdown(values: Values, order: Sequence[str], title: str, key: str) -> Breakdown:
    categories = [c for c in order if any(c in found for found in values.values())]
    return Breakdown(
        picture=bars_picture(values, categories, title, key) if categories else "",
        categories=tuple(categories),
        rows=tuple(
            (
                control,
                tuple(number(found[c].mean, 1) if c in found else NOTHING for c in categories),
            )
            for control, found in values.items()
        ),
    )
