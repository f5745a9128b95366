"""An authority's intergreen table in CSV, read into safety data.

One row per signal group, clearing group first; after the columns of its own times one column per
entering group, headed by its name:

    group,serves,min_green_s,amber_s,red_amber_s,min_red_s,max_red_s,K1,K2,F1
    K1,motor,5,3,1,1,120,,6,5
    K2,motor,5,3,1,1,120,5,,
    F1,pedestrian,7,0,0,1,,8,,

============  =================================================================================
group         name, once
serves        motor, pedestrian, cyclist, tram or bus
min_green_s   minimum green [s]
amber_s       amber after green [s]
red_amber_s   red-amber before green [s]
min_red_s     minimum red [s]
max_red_s     red after which an alarm is raised [s]; empty for no limit
other names   intergreen from the end of green of the row's group to the start of green of the
              column's [s]; empty or - where the two do not conflict
============  =================================================================================

Every group needs its column. Two groups that conflict need both intergreens: what is missing is not
zero. Fields are separated by commas, or by semicolons; then decimals may have a comma. Times are
multiples of 0.1 s. A second table may name the stages, in their order in the fallback plan:

    stage,green,duration_s
    1,K1,30
    2,K2 F1,25

Without it the stages are all largest sets of compatible groups, and there is no plan. A table with
any error is refused whole, with all that was found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ampelwerk.controllers.csv_table import Table, read_table
from ampelwerk.controllers.local import FAR_DS, LocalController
from ampelwerk.controllers.modes import Display
from ampelwerk.controllers.safety_data import SafetyData, safety_data
from ampelwerk.engine.stage_sets import compatible_sets
from ampelwerk.models.envelope import (
    MAX_GROUPS,
    Envelope,
    GroupId,
    IntersectionId,
    RoadUser,
    SignalGroup,
)
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection, Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.profile import RilsaProfile

GROUP_COLUMNS = (
    "group", "serves", "min_green_s", "amber_s", "red_amber_s", "min_red_s", "max_red_s",
)  # fmt: skip
STAGE_COLUMNS = ("stage", "green", "duration_s")
NO_CONFLICT = ("", "-", "–")
"""Entries for two groups that do not conflict."""
MAX_STAGES = 64
"""Stages at most."""
LIMITS_DS = {
    "min_green_s": (10, 1200),
    "amber_s": (0, 60),
    "red_amber_s": (0, 20),
    "min_red_s": (0, 600),
    "max_red_s": (100, 6000),
    "intergreen": (0, 600),
    "duration_s": (10, 6000),
}
"""Least and greatest time that a table may hold. [ds]"""


def import_table(
    table: Path,
    intersection: str,
    *,
    stages: Path | None = None,
    profile: str = "rilsa/1",
    failure_display: Display = Display.FLASH,
) -> SafetyData:
    """Safety data of one intersection from its table.

    Parameters
    ----------
    table : the intergreen table.
    intersection : name of the intersection.
    stages : the table of stages and the fallback plan, if there is one.
    profile : rule profile the authority worked after; ``rilsa/1`` demands its minima.

    Raises
    ------
    InvalidInputError : no table at all.
    UnsafePlanError : with every finding.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", intersection):
        raise InvalidInputError(
            "this cannot be the name of an intersection",
            where="--intersection",
            found=intersection,
            limit="1 to 64 letters, digits and _ . : -",
        )
    rows = read_table(table, GROUP_COLUMNS)
    groups, names = _groups(rows, profile)
    gaps = _gaps(rows, names)
    rows.refuse()
    size = len(groups)
    envelope = Envelope(
        intersection_id=IntersectionId(intersection),
        profile=profile,
        groups=tuple(groups),
        conflict=tuple(tuple(gaps[i, j] is not None for j in range(size)) for i in range(size)),
        intergreen_ds=tuple(tuple(gaps[i, j] for j in range(size)) for i in range(size)),
    )
    named, plans = _stages(envelope, names, stages)
    return safety_data(
        Intersection(
            envelope=envelope,
            movements=(),
            sumo_link_count=size,
            sumo_link_group=tuple(range(size)),
            sumo_link_letter=" " * size,
            yields=tuple((False,) * size for _ in range(size)),
            stages=named,
            plans=plans,
        ),
        failure_display,
    )


def _groups(table: Table, profile: str) -> tuple[list[SignalGroup], dict[str, int]]:
    """Signal groups with their times, and their numbers by name."""
    names: dict[str, int] = {}
    groups: list[SignalGroup] = []
    if len(table.rows) > MAX_GROUPS:
        table.wrong(
            "group_count", table.rows[-1][0], "group", f"{len(table.rows)} signal groups.",
            f"Use {MAX_GROUPS} at most.",
        )  # fmt: skip
    for line, row in table.rows:
        name = row["group"]
        if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", name):
            limit = "1 to 64 letters, digits and _ . : -"
            table.wrong("group_id", line, "group", f"{name!r} is no name.", f"Use {limit}.")
        if name in names:
            table.wrong("group_id", line, "group", f"{name} stands twice.", "Name it once.")
        if row["serves"] not in tuple(RoadUser):
            table.wrong(
                "road_user", line, "serves", f"{row['serves']!r} is unknown.",
                f"Use one of {', '.join(RoadUser)}.",
            )  # fmt: skip
        names.setdefault(name, len(names))
        times = {
            column: table.time_ds(line, column, row[column], LIMITS_DS[column])
            for column in GROUP_COLUMNS[2:6]
        }
        longest = row["max_red_s"]
        group = SignalGroup(
            group_id=GroupId(name),
            road_user=RoadUser(row["serves"])
            if row["serves"] in tuple(RoadUser)
            else RoadUser.MOTOR,
            min_green_ds=times["min_green_s"],
            amber_ds=times["amber_s"],
            red_amber_ds=times["red_amber_s"],
            min_red_ds=times["min_red_s"],
            max_red_ds=table.time_ds(line, "max_red_s", longest, LIMITS_DS["max_red_s"])
            if longest
            else None,
        )
        groups.append(group)
        if profile.startswith("rilsa/"):
            _keep_rilsa(table, line, group)
    return groups, names


def _keep_rilsa(table: Table, line: int, group: SignalGroup) -> None:
    """Minima of RiLSA 2015 and VwV-StVO to § 37."""
    rules = RilsaProfile()
    walks = group.road_user is RoadUser.PEDESTRIAN
    motor = group.road_user in (RoadUser.MOTOR, RoadUser.BUS)
    least_amber_ds = min(amber_s for _, amber_s in rules.amber_s) * 10
    for column, found_ds, least_ds, most_ds in (
        ("min_green_s", group.min_green_ds, rules.min_green_s * 10, LIMITS_DS["min_green_s"][1]),
        ("amber_s", group.amber_ds, least_amber_ds if motor else 0, 0 if walks else 60),
        ("red_amber_s", group.red_amber_ds, 0, 0 if walks else 20),
        ("min_red_s", group.min_red_ds, rules.min_red_s * 10, LIMITS_DS["min_red_s"][1]),
    ):
        if not least_ds <= found_ds <= most_ds:
            table.wrong(
                "profile", line, column,
                f"{found_ds / 10:g} s; {rules.label} allows {least_ds / 10:g} to {most_ds / 10:g} s "
                f"for {group.road_user}.",
                "Correct it, or import under another profile.",
            )  # fmt: skip


def _gaps(table: Table, names: Mapping[str, int]) -> dict[tuple[int, int], int | None]:
    """Intergreen by pair of groups, None where they do not conflict. [ds]"""
    others = [name for name in table.columns if name not in GROUP_COLUMNS]
    for name in others:
        if name not in names:
            table.wrong(
                "matrix_shape",
                1,
                name,
                "The column is no signal group.",
                "Add its row, or drop it.",
            )
    gaps: dict[tuple[int, int], int | None] = {}
    lines = [line for line, _ in table.rows]
    for i, (line, row) in enumerate(table.rows):
        for name, j in names.items():
            if name not in others:
                if i == j:
                    table.wrong(
                        "matrix_shape", line, "group", f"{name} has no column.",
                        "Give every group a column; missing is not zero.",
                    )  # fmt: skip
                continue
            text = row[name]
            if i == j and text not in NO_CONFLICT:
                table.wrong("self_conflict", line, name, "A group against itself.", "Clear it.")
            gaps[i, j] = (
                None
                if text in NO_CONFLICT or i == j
                else table.time_ds(line, name, text, LIMITS_DS["intergreen"])
            )
    by_number = {number: name for name, number in names.items()}
    for (i, j), gap in gaps.items():
        if gap is None and gaps.get((j, i)) is not None:
            table.wrong(
                "conflict_asymmetric", lines[i], by_number[j],
                f"{by_number[i]} to {by_number[j]} is empty, {by_number[j]} to {by_number[i]} is not.",
                "Two groups conflict in both directions or in none: give both intergreens.",
            )  # fmt: skip
    return gaps


def _stages(
    envelope: Envelope, names: Mapping[str, int], path: Path | None
) -> tuple[tuple[Stage, ...], tuple[CyclicPlan, ...]]:
    """Stages and the fallback plan, from their table or from the conflicts."""
    if path is None:
        sets = compatible_sets(envelope.conflict, range(envelope.size))[:MAX_STAGES]
        return tuple(
            Stage(stage_id=StageId(str(k)), groups=groups, delivered=False)
            for k, groups in enumerate(sets, start=1)
        ), ()
    table = read_table(path, STAGE_COLUMNS)
    stages: list[Stage] = []
    steps: list[PlanStep] = []
    at_ds = 0
    for line, row in table.rows:
        unknown = [name for name in row["green"].split() if name not in names]
        if unknown or not row["green"]:
            table.wrong(
                "stage_group", line, "green", f"No signal group: {' '.join(unknown)}.",
                f"Use names of the intergreen table, separated by spaces: {' '.join(names)}.",
            )  # fmt: skip
        groups = tuple(sorted({names[n] for n in row["green"].split() if n in names}))
        foes = [(a, b) for a in groups for b in groups if a < b and envelope.conflict[a][b]]
        for a, b in foes:
            pair = f"{envelope.groups[a].group_id} and {envelope.groups[b].group_id}"
            table.wrong("stage_conflict", line, "green", f"{pair} conflict.", "Take one out.")
        if not row["stage"] or any(stage.stage_id == row["stage"] for stage in stages):
            table.wrong("stage_id", line, "stage", "No name, or one twice.", "Name it once.")
        duration_ds = table.time_ds(line, "duration_s", row["duration_s"], LIMITS_DS["duration_s"])
        steps.append(PlanStep(start_ds=at_ds, stage=len(stages)))
        stages.append(Stage(stage_id=StageId(row["stage"]), groups=groups))
        at_ds += duration_ds
    table.refuse()
    plan = CyclicPlan(plan_id="fallback", cycle_ds=at_ds, offset_ds=0, steps=tuple(steps))
    _keep_minima(table, envelope, stages, plan)
    return tuple(stages), (plan,)


def _keep_minima(
    table: Table, envelope: Envelope, stages: Sequence[Stage], plan: CyclicPlan
) -> None:
    """Each step is long enough for the intergreens into it and its minimum greens.

    The plan is played through the interlock, which is what will carry it out.
    """
    size = envelope.size
    site = Intersection(
        envelope=envelope,
        movements=(),
        sumo_link_count=size,
        sumo_link_group=tuple(range(size)),
        sumo_link_letter=" " * size,
        yields=tuple((False,) * size for _ in range(size)),
        stages=tuple(stages),
        plans=(plan,),
    )
    controller = LocalController(site, tick_ds=1, now_ds=0)
    ends_ds = [step.start_ds for step in plan.steps[1:]] + [plan.cycle_ds]
    lines = {end_ds: line for end_ds, (line, _) in zip(ends_ds, table.rows, strict=True)}
    for now_ds in range(1, plan.cycle_ds + 1):
        ending, in_full = stages[controller.stage], controller.decidable_from_ds < FAR_DS
        controller.tick(now_ds)
        held_back = controller.green_mask & ending.mask & ~stages[controller.stage].mask
        if now_ds in lines and (held_back or not in_full):
            table.wrong(
                "plan_step", lines[now_ds], "duration_s",
                "The step ends before its greens have begun and lasted their minimum.",
                "Lengthen it: it holds the intergreens from the stage before and the greens.",
            )  # fmt: skip
    table.refuse()
