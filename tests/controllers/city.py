"""A made-up road with crossroads along it: two groups, two stages, one loop for each group."""

from __future__ import annotations

import json
from dataclasses import asdict

from ampelwerk.models.detection import Loop, LoopId, LoopRole
from ampelwerk.models.envelope import (
    Envelope,
    GroupId,
    IntersectionId,
    RoadUser,
    SignalGroup,
)
from ampelwerk.models.intersection import Intersection, LaneId, Movement, Stage, StageId, Turn
from ampelwerk.models.network import Approach, EdgeId, ExitLane, Network, StopLane
from ampelwerk.models.plan import CyclicPlan, PlanStep

NAMES = ("north", "middle", "south")


def crossroads(name: str) -> Intersection:
    """Main road and side road, 60 s of cycle time."""
    groups = tuple(
        SignalGroup(
            group_id=GroupId(group),
            road_user=RoadUser.MOTOR,
            min_green_ds=50,
            amber_ds=30,
            red_amber_ds=10,
            min_red_ds=10,
        )
        for group in ("main", "side")
    )
    return Intersection(
        envelope=Envelope(
            intersection_id=IntersectionId(name),
            profile="sumo/1",
            groups=groups,
            conflict=((False, True), (True, False)),
            intergreen_ds=((None, 50), (50, None)),
        ),
        movements=tuple(
            Movement(
                sumo_link_index=g,
                group=g,
                from_lane=LaneId(f"{name}.{way}"),
                to_lane=LaneId(f"{name}.{way}.out"),
                via_lane=LaneId(f":{name}_{g}"),
                turn=Turn.STRAIGHT,
            )
            for g, way in enumerate(("main", "side"))
        ),
        sumo_link_count=2,
        sumo_link_group=(0, 1),
        sumo_link_letter="  ",
        yields=((False, False), (False, False)),
        stages=(
            Stage(stage_id=StageId("main-stage"), groups=(0,)),
            Stage(stage_id=StageId("side-stage"), groups=(1,)),
        ),
        plans=(
            CyclicPlan(
                plan_id="day",
                cycle_ds=600,
                offset_ds=0,
                steps=(PlanStep(start_ds=0, stage=0), PlanStep(start_ds=350, stage=1)),
            ),
        ),
    )


def road(names: tuple[str, ...] = NAMES) -> Network:
    """Crossroads in a row."""
    lanes: list[StopLane] = []
    loops: list[Loop] = []
    approaches: list[Approach] = []
    exits: list[ExitLane] = []
    for i, name in enumerate(names):
        for g, way in enumerate(("main", "side")):
            number = len(lanes)
            loops.append(
                Loop(
                    loop_id=LoopId(f"{name}.{way}"),
                    role=LoopRole.STOP_LINE,
                    lane_id=LaneId(f"{name}.{way}"),
                    position_m=190.0,
                    length_m=2.0,
                    generated=True,
                )
            )
            approaches.append(
                Approach(
                    edge_id=EdgeId(f"{name}.{way}"),
                    intersection=i,
                    lanes=(number,),
                    upstream_loops=(),
                    upstream_m=(),
                    upstream_lanes=(),
                    bearing_deg=90.0 * g,
                )
            )
            lanes.append(
                StopLane(
                    lane_id=LaneId(f"{name}.{way}"),
                    intersection=i,
                    approach=number,
                    movements=(g,),
                    road_user=RoadUser.MOTOR,
                    length_m=200.0,
                    reach_m=200.0,
                    speed_mps=13.9,
                    stop_loops=(number,),
                    advance_loops=(),
                    advance_m=0.0,
                )
            )
            exits.append(
                ExitLane(
                    lane_id=LaneId(f"{name}.{way}.out"),
                    intersection=i,
                    movements=(g,),
                    exit_loops=(),
                    length_m=200.0,
                    leads_to=(),
                )
            )
    return Network(
        intersections=tuple(crossroads(name) for name in names),
        approaches=tuple(approaches),
        lanes=tuple(lanes),
        exits=tuple(exits),
        crossings=(),
        loops=tuple(loops),
        uncontrolled=(),
    )


def road_json() -> bytes:
    """The same as a model.json."""
    return json.dumps(asdict(road())).encode()
