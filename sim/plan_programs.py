"""From timing plans to SUMO's own signal programs (tlLogic), second by second the same.

The states are those that our local controller shows once the plan has run in, interlock and all. A
cycle that is not a whole number of simulation steps is written out until it is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import lcm
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ampelwerk.controllers.local import LocalController
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.sim.net_file import elements

RUN_IN_PERIODS = 8
"""A plan whose states do not repeat by then never settles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrolledPlan:
    """What a plan shows, state by state."""

    offset_ds: int
    """Begin of the first state after midnight, modulo the sum of the durations. [ds]"""
    states: tuple[tuple[int, str], ...]
    """(duration [ds], one letter per link) of every state."""


def unrolled(site: Intersection, plan: CyclicPlan, step_ds: int) -> UnrolledPlan:
    """States that the local controller shows under a plan.

    Parameters
    ----------
    step_ds : time between two ticks. [ds]

    Raises
    ------
    InvalidInputError : the states never repeat: the interlock delays the plan ever anew.
    """
    period_ds = lcm(plan.cycle_ds, step_ds)
    first_ds = -(-plan.offset_ds // step_ds) * step_ds
    controller = LocalController(
        replace(site, plans=(plan,), calendar=()), tick_ds=step_ds, now_ds=first_ds
    )
    before = list[str]()
    for period in range(RUN_IN_PERIODS):
        shown = [controller.state]
        for now_ds in range(first_ds + step_ds, first_ds + period_ds, step_ds):
            controller.tick(now_ds + period * period_ds)
            shown.append(controller.state)
        if shown == before:
            return UnrolledPlan(
                offset_ds=first_ds % period_ds,
                states=tuple((len(list(run)) * step_ds, state) for state, run in groupby(shown)),
            )
        before = shown
        controller.tick(first_ds + (period + 1) * period_ds)
    raise InvalidInputError(
        "the plan never settles: its steps are too short, so that the interlock delays it ever anew",
        where=f"intersection {site.intersection_id}, plan {plan.plan_id}",
        remedy="see `ampelwerk check`",
    )


def used_names(net_file: Path, additional_files: Sequence[Path]) -> dict[str, set[str]]:
    """Signal -> names of the programs that SUMO loads for it."""
    found: dict[str, set[str]] = {}
    for path in (net_file, *additional_files):
        for element in elements(path, ("tlLogic",)):
            found.setdefault(element.get("id", ""), set()).add(element.get("programID", "0"))
    return found


def write_sumo_additional(
    sites: Sequence[Intersection],
    path: Path,
    *,
    step_ds: int,
    taken: dict[str, set[str]],
    plan_of: Callable[[Intersection], CyclicPlan] = lambda site: site.plans[0],
) -> None:
    """Write the plans of intersections as an additional file of tlLogic elements.

    Parameters
    ----------
    step_ds : SUMO's step length. [ds]
    taken : signal -> names of programs that are loaded too; a namesake gets another name.
    plan_of : the plan to write for an intersection.

    Raises
    ------
    InvalidInputError : a plan never settles.
    """
    lines = [line for site in sites for line in _program(site, plan_of(site), step_ds, taken)]
    path.write_text(f"<additional>\n{''.join(lines)}</additional>\n", encoding="utf-8")


def _program(
    site: Intersection, plan: CyclicPlan, step_ds: int, taken: dict[str, set[str]]
) -> Iterator[str]:
    found = unrolled(site, plan, step_ds)
    for k, name in enumerate(site.part_names):
        program = plan.plan_id
        while program in taken.get(name, ()):
            program += "-plan"
        yield (
            f'    <tlLogic id={quoteattr(name)} type="static" programID={quoteattr(program)} '
            f'offset="{found.offset_ds / 10:g}">\n'
        )
        of_part = [(duration_ds, site.states(state)[k][1]) for duration_ds, state in found.states]
        for state, run in groupby(of_part, key=lambda item: item[1]):
            duration_s = sum(duration_ds for duration_ds, _ in run) / 10
            yield f'        <phase duration="{duration_s:g}" state="{state}"/>\n'
        yield "    </tlLogic>\n"
