"""A junction with two crossings as a controller has it, and names for its parts."""

from __future__ import annotations

from ampelwerk.models.envelope import Envelope, IntersectionId
from ampelwerk.models.intersection import Intersection, Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep
from tests.reference.junctions import with_crossings

STAGES = {"main": (0, 1), "side": (2, 3), "walk": (4, 5), "turn": (0,)}
"""Stages by name: groups at green. F4 conflicts with K0 and K1, F5 with K2 and K3."""


def junction(name: str = "J1") -> Intersection:
    """Three stages in the plan `day`, of which `night` leaves one out; one that no plan shows."""
    old = with_crossings()
    envelope = Envelope(
        intersection_id=IntersectionId(name),
        profile="sumo/1",
        groups=old.groups,
        conflict=old.conflict,
        intergreen_ds=old.intergreen_ds,
    )
    size = envelope.size
    return Intersection(
        envelope=envelope,
        movements=(),
        sumo_link_count=size,
        sumo_link_group=tuple(range(size)),
        sumo_link_letter=" " * size,
        yields=tuple((False,) * size for _ in range(size)),
        stages=tuple(
            Stage(stage_id=StageId(stage), groups=groups, delivered=stage != "turn")
            for stage, groups in STAGES.items()
        ),
        plans=(
            _plan("day", [(0, 0), (200, 1), (400, 2)], 600),
            _plan("night", [(0, 0), (300, 1)], 400),
        ),
    )


def _plan(name: str, steps: list[tuple[int, int]], cycle_ds: int) -> CyclicPlan:
    return CyclicPlan(
        plan_id=name,
        cycle_ds=cycle_ds,
        offset_ds=0,
        steps=tuple(PlanStep(start_ds=at_ds, stage=stage) for at_ds, stage in steps),
    )
