"""decisions.csv: which stage was asked for at which intersection, when and why.

One row per switch. The gap tells by how much the chosen stage was better than the runner-up, in
the measure of the control; what is binding is the rule or limit without which the choice would
have been another.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network

COLUMNS = ("time", "intersection", "stage", "reason", "runner_up", "gap", "binding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A stage asked for by the strategy."""

    time_s: float
    """When. [s]"""
    wish: Wish
    """What, and why."""


def decisions_csv(decisions: Iterable[Decision], network: Network) -> bytes:
    """The file's content; the same decisions give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for decision in decisions:
        wish = decision.wish
        site = network.intersections[wish.intersection]
        writer.writerow(
            [
                f"{decision.time_s:.15g}",
                site.intersection_id,
                site.stages[wish.stage].stage_id,
                wish.reason,
                "" if wish.runner_up is None else site.stages[wish.runner_up].stage_id,
                f"{wish.gap:.4f}",
                wish.binding,
            ]
        )
    return text.getvalue().encode()


def read_decisions(path: Path, network: Network) -> list[Decision]:
    """The decisions of a file, in its order.

    Raises
    ------
    InvalidInputError : it is no such file, or belongs to another network.
    """
    sites = {str(site.intersection_id): i for i, site in enumerate(network.intersections)}
    stages = [
        {str(stage.stage_id): k for k, stage in enumerate(site.stages)}
        for site in network.intersections
    ]
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        try:
            header = next(rows, [])
            if tuple(header) != COLUMNS:
                raise ValueError(f"columns {', '.join(header)}")
            for time, name, stage, reason, runner_up, gap, binding in rows:
                site = sites[name]
                wish = Wish(
                    intersection=site,
                    stage=stages[site][stage],
                    reason=reason,
                    runner_up=stages[site][runner_up] if runner_up else None,
                    gap=float(gap),
                    binding=binding,
                )
                found.append(Decision(time_s=float(time), wish=wish))
        except (ValueError, KeyError, csv.Error) as error:
            raise InvalidInputError(
                "this is no record of decisions for this network",
                where=f"{path}, line {rows.line_num}",
                found=f"unknown {error}" if isinstance(error, KeyError) else str(error),
                limit=f"columns {', '.join(COLUMNS)}; intersections and stages of model.json",
                remedy="run it again",
            ) from error
    return found


@dataclass(frozen=True, slots=True)
class WantedStages:
    """Which stage an intersection wanted, from when on."""

    times_s: list[float]
    """Begin of each, rising. [s]"""
    stages: list[int]
    """Indices into the intersection's stages."""

    def at(self, time_s: float) -> int:
        """Stage wanted at a time; the first one before the record begins."""
        return self.stages[max(0, bisect_right(self.times_s, time_s) - 1)]


def wanted_stages(
    site: Intersection,
    decisions: Sequence[Decision],
    begin_s: float,
    end_s: float,
) -> WantedStages:
    """Stages wanted at an intersection: by its plan until the first decision, then as decided.

    Parameters
    ----------
    decisions : those of this intersection, by time.
    """
    first_s = decisions[0].time_s if decisions else end_s
    wanted = WantedStages([], [])
    for at_ds, stage in site.schedule.changes(round(begin_s * 10), round(first_s * 10)):
        wanted.times_s.append(at_ds / 10)
        wanted.stages.append(stage)
    for decision in decisions:
        wanted.times_s.append(decision.time_s)
        wanted.stages.append(decision.wish.stage)
    return wanted


def by_intersection(decisions: Iterable[Decision], network: Network) -> list[list[Decision]]:
    """(intersections,) the decisions of each."""
    found: list[list[Decision]] = [[] for _ in network.intersections]
    for decision in decisions:
        found[decision.wish.intersection].append(decision)
    return found
