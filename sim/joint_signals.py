"""Signals at a short link run by one controller: nobody is let in who cannot leave.

Who turns left out of a link of two or three cars' length waits inside the junction for a gap. The
next vehicle fills the link, and one more stands in the junction behind, in the way of who turns
there: with traffic both ways the two junctions lock, and no order of greens undoes that. Practice
runs such junctions (RiLSA: Teilknoten) from one controller. Here they become one intersection. Its
stages are pairs of stages, and of those only such in which whoever is let into the link has green at
its far end with nobody to give way to; beside them such in which only turning vehicles enter the link
and wait there at red, for control that watches it (`engine/short_links.py`).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ampelwerk.models.envelope import MAX_GROUPS, Envelope, GroupId, IntersectionId
from ampelwerk.models.intersection import (
    Intersection,
    Movement,
    PartialIntersection,
    Stage,
    StageId,
    Turn,
    edge_of,
)
from ampelwerk.models.network import Crossing, ExitLane, Network, StopLane
from ampelwerk.models.plan import CyclicPlan, PlanStep

T = TypeVar("T")
Part = TypeVar("Part", StopLane, ExitLane)
SHORT_LINK_M = 22.0
"""A link no longer than this is short: three cars fill it. [m]"""
CLEARING_MPS = 14.0
"""Speed at which the last vehicles leave the link. [m/s]"""
LEAST_STEP_DS = 100
"""Length in the joint plan of a stage that no plan of its own shows. [ds]"""
MAX_STAGES = 64
"""Joint stages at most; signals with more stay apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A stop-line lane that the movements of another signal enter directly, and few vehicles fill."""

    feeder: int
    """Intersection that lets vehicles in."""
    feeding: tuple[Movement, ...]
    """Its movements into the link."""
    far: int
    """Intersection at the end."""
    leaving: tuple[Movement, ...]
    """Movements out of the lane."""
    length_m: float
    """Length of the link. [m]"""


Combination = tuple[int, ...]
"""A stage of each member."""


def join_signals(network: Network) -> Network:
    """The same network, signals at short links made one intersection where that can be."""
    links = _short_links(network)
    parts: list[tuple[tuple[int, ...], Intersection]] = []
    for members in _connected(len(network.intersections), links):
        joint = None
        if len(members) > 1:
            sites = [network.intersections[i] for i in members]
            own = [link for link in links if link.feeder in members]
            joint = _Joint(members, sites, own).intersection()
        if joint is not None:
            parts.append((members, joint))
        else:
            parts.extend(((i,), network.intersections[i]) for i in members)
    if len(parts) == len(network.intersections):
        return network
    return _renumbered(network, sorted(parts, key=lambda part: part[0]))


def _short_links(network: Network) -> list[_Link]:
    """Every lane of every short link."""
    found = []
    for exit_ in network.exits:
        if exit_.length_m > SHORT_LINK_M:
            continue
        site = network.intersections[exit_.intersection]
        for number in exit_.leads_to:
            lane = network.lanes[number]
            same_road = edge_of(lane.lane_id) == edge_of(exit_.lane_id)
            if same_road and lane.intersection != exit_.intersection:
                far = network.intersections[lane.intersection]
                found.append(
                    _Link(
                        feeder=exit_.intersection,
                        feeding=tuple(site.movements[m] for m in exit_.movements),
                        far=lane.intersection,
                        leaving=tuple(far.movements[m] for m in lane.movements),
                        length_m=exit_.length_m,
                    )
                )
    return found


def _connected(size: int, links: Sequence[_Link]) -> list[tuple[int, ...]]:
    """Intersections that short links connect, in order."""
    home = list(range(size))
    for link in links:
        low, high = sorted((home[link.feeder], home[link.far]))
        home = [low if place == high else place for place in home]
    found: dict[int, list[int]] = defaultdict(list)
    for number, place in enumerate(home):
        found[place].append(number)
    return [tuple(members) for members in found.values()]


class _Joint:
    """Makes one intersection out of several."""

    def __init__(
        self, members: Sequence[int], sites: Sequence[Intersection], links: Sequence[_Link]
    ) -> None:
        self._members, self._sites, self._links = members, sites, links
        self._first_group = _starts(site.envelope.size for site in sites)
        self._first_link = _starts(site.sumo_link_count for site in sites)

    def intersection(self) -> Intersection | None:
        """None where no joint stages serve everybody."""
        sites = self._sites
        if self._first_group[-1] > MAX_GROUPS:
            return None
        chosen = [
            combination
            for combination in itertools.product(*map(_selectable, sites))
            if all(self._passes(combination, link) for link in self._links)
        ]
        plan = self._plan(chosen)
        if plan is None or len(chosen) > MAX_STAGES:
            return None
        return Intersection(
            envelope=self._envelope(chosen),
            movements=tuple(
                replace(
                    movement,
                    sumo_link_index=movement.sumo_link_index + self._first_link[k],
                    group=self._group(k, movement.group),
                    yields_to=tuple(self._group(k, g) for g in movement.yields_to),
                    yields_to_links=tuple(
                        link + self._first_link[k] for link in movement.yields_to_links
                    ),
                )
                for k, site in enumerate(sites)
                for movement in site.movements
            ),
            sumo_link_count=self._first_link[-1],
            sumo_link_group=tuple(
                self._group(k, g) for k, site in enumerate(sites) for g in site.sumo_link_group
            ),
            sumo_link_letter="".join(site.sumo_link_letter for site in sites),
            yields=tuple(
                tuple(row) for row in self._blocks([site.yields for site in sites], False)
            ),
            stages=tuple(self._stage(combination) for combination in chosen),
            plans=(plan,),
            findings=tuple(finding for site in sites for finding in site.findings),
            parts=tuple(
                PartialIntersection(name=site.intersection_id, links=site.sumo_link_count)
                for site in sites
            ),
        )

    def _group(self, member: int, group: int) -> int:
        """Number of a member's group in the joint intersection; -1 stays."""
        return group + self._first_group[member] if group >= 0 else -1

    def _at(self, intersection: int) -> int:
        return self._members.index(intersection)

    def _passes(self, combination: Combination, link: _Link) -> bool:
        """Nobody is let into the link, or all its ways out are released and free."""
        here, there = self._at(link.feeder), self._at(link.far)
        green = set(self._sites[here].stages[combination[here]].groups)
        entering = [movement for movement in link.feeding if movement.group in green]
        if not entering:
            return True
        ahead = self._sites[there].stages[combination[there]]
        released = set(ahead.groups)
        if all(movement.turn is not Turn.STRAIGHT for movement in entering) and not any(
            movement.group in released for movement in link.leaving
        ):
            return True
        return all(
            movement.group < 0
            or (
                movement.group in released
                and not (movement.group in ahead.permissive and released & set(movement.yields_to))
            )
            for movement in link.leaving
        )

    def _stage(self, combination: Combination) -> Stage:
        stages = [site.stages[s] for site, s in zip(self._sites, combination, strict=True)]
        return Stage(
            stage_id=StageId("+".join(stage.stage_id for stage in stages)),
            groups=tuple(self._group(k, g) for k, s in enumerate(stages) for g in s.groups),
            permissive=tuple(self._group(k, g) for k, s in enumerate(stages) for g in s.permissive),
            turn_on_red=tuple(
                self._group(k, g) for k, s in enumerate(stages) for g in s.turn_on_red
            ),
        )

    def _plan(self, chosen: Sequence[Combination]) -> CyclicPlan | None:
        """A plan that serves all groups, each stage as long as the members' own plans show it.

        None if there is a group that no joint stage serves. The members' plans cannot run side by
        side: they let vehicles into the link that cannot leave.
        """
        wanted = {
            (k, g)
            for k, site in enumerate(self._sites)
            for s in _selectable(site)
            for g in site.stages[s].groups
        }
        lengths = [_shown_ds(site.plans[0]) for site in self._sites]
        steps, clock_ds = list[PlanStep](), 0
        for number, combination in enumerate(chosen):
            fresh = {
                (k, g)
                for k, s in enumerate(combination)
                for g in self._sites[k].stages[s].groups
                if (k, g) in wanted
            }
            if not fresh:
                continue
            wanted -= fresh
            steps.append(PlanStep(start_ds=clock_ds, stage=number))
            clock_ds += max(
                lengths[k].get(s, LEAST_STEP_DS)
                for k, s in enumerate(combination)
                if any(member == k for member, _ in fresh)
            )
        if wanted or len(steps) < 2:
            return None
        name = "+".join(site.plans[0].plan_id for site in self._sites)
        return CyclicPlan(plan_id=name, cycle_ds=clock_ds, offset_ds=0, steps=tuple(steps))

    def _envelope(self, chosen: Sequence[Combination]) -> Envelope:
        """The members' rules, and time to clear the links."""
        sites = self._sites
        conflict = self._blocks([site.envelope.conflict for site in sites], False)
        intergreen = self._blocks([site.envelope.intergreen_ds for site in sites], None)
        self._clear_links(conflict, intergreen, chosen)
        return Envelope(
            intersection_id=IntersectionId("+".join(site.intersection_id for site in sites)),
            profile=sites[0].envelope.profile,
            groups=tuple(
                replace(group, group_id=GroupId(f"{site.intersection_id}:{group.group_id}"))
                for site in sites
                for group in site.envelope.groups
            ),
            conflict=tuple(map(tuple, conflict)),
            intergreen_ds=tuple(map(tuple, intergreen)),
        )

    def _clear_links(
        self,
        conflict: list[list[bool]],
        intergreen: list[list[int | None]],
        chosen: Sequence[Combination],
    ) -> None:
        """Time to leave a link before those begin whom its left turn would have to let pass.

        Only after those who go straight into it: who turns into it comes one at a time, and one
        vehicle left over fits. With time after every movement ingolstadt21 lost 7 s a vehicle more.
        """
        sites = self._sites
        together = {
            frozenset(pair)
            for combination in chosen
            for pair in itertools.combinations(self._stage(combination).groups, 2)
        }
        for link in self._links:
            here, there = self._at(link.feeder), self._at(link.far)
            for fed, left in itertools.product(link.feeding, link.leaving):
                if fed.group < 0 or left.group < 0 or fed.turn is not Turn.STRAIGHT:
                    continue
                amber_ds = sites[here].envelope.groups[fed.group].amber_ds
                clearing_ds = round(10 * (fed.length_m + link.length_m) / CLEARING_MPS)
                before = self._group(here, fed.group)
                for foe in left.yields_to:
                    after = self._group(there, foe)
                    hard = sites[there].envelope.conflict[left.group][foe]
                    if hard or frozenset((before, after)) in together:
                        continue
                    conflict[before][after] = conflict[after][before] = True
                    intergreen[before][after] = max(
                        intergreen[before][after] or 0, amber_ds + clearing_ds
                    )
                    intergreen[after][before] = max(
                        intergreen[after][before] or 0,
                        sites[there].envelope.groups[foe].amber_ds,
                    )

    def _blocks(self, squares: Sequence[Sequence[Sequence[T]]], empty: T) -> list[list[T]]:
        """Square matrices of the members along the diagonal of one."""
        size = self._first_group[-1]
        found = [[empty] * size for _ in range(size)]
        for first, square in zip(self._first_group, squares, strict=False):
            for r, row in enumerate(square):
                found[first + r][first : first + len(row)] = row
        return found


def _starts(sizes: Iterable[int]) -> list[int]:
    """First number of each member, and the total."""
    return list(itertools.accumulate(sizes, initial=0))


def _selectable(site: Intersection) -> list[int]:
    """Stages of the site's own program that a strategy may choose."""
    return [s for s, stage in enumerate(site.stages) if stage.selectable and stage.delivered]


def _shown_ds(plan: CyclicPlan) -> dict[int, int]:
    """How long a plan asks for each stage, at its longest. [ds]"""
    found: dict[int, int] = {}
    ends = [step.start_ds for step in plan.steps[1:]] + [plan.cycle_ds]
    for step, end_ds in zip(plan.steps, ends, strict=True):
        found[step.stage] = max(found.get(step.stage, 0), end_ds - step.start_ds)
    return found


def _renumbered(network: Network, parts: Sequence[tuple[tuple[int, ...], Intersection]]) -> Network:
    """Lanes, approaches, exits and crossings follow the new intersections."""
    place, first_movement, first_group = dict[int, int](), dict[int, int](), dict[int, int]()
    for number, (members, _) in enumerate(parts):
        movements = _starts(len(network.intersections[i].movements) for i in members)
        groups = _starts(network.intersections[i].envelope.size for i in members)
        for k, i in enumerate(members):
            place[i], first_movement[i], first_group[i] = number, movements[k], groups[k]
    order = sorted(
        range(len(network.lanes)), key=lambda k: (place[network.lanes[k].intersection], k)
    )
    lane_of = {old: new for new, old in enumerate(order)}

    def moved(part: Part) -> Part:
        first = first_movement[part.intersection]
        return replace(
            part,
            intersection=place[part.intersection],
            movements=tuple(m + first for m in part.movements),
        )

    def crossed(crossing: Crossing) -> Crossing:
        i = crossing.intersection
        return replace(crossing, intersection=place[i], group=crossing.group + first_group[i])

    def lanes(numbers: Sequence[int]) -> tuple[int, ...]:
        return tuple(lane_of[k] for k in numbers)

    return replace(
        network,
        intersections=tuple(site for _, site in parts),
        lanes=tuple(moved(network.lanes[k]) for k in order),
        approaches=tuple(
            replace(
                approach,
                intersection=place[approach.intersection],
                lanes=lanes(approach.lanes),
                upstream_lanes=tuple(map(lanes, approach.upstream_lanes)),
            )
            for approach in network.approaches
        ),
        exits=tuple(
            replace(moved(exit_), leads_to=lanes(exit_.leads_to))
            for exit_ in sorted(network.exits, key=lambda e: place[e.intersection])
        ),
        crossings=tuple(map(crossed, network.crossings)),
    )
