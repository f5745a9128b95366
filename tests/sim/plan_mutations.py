"""Random changes of timing plans and of signal programs, most of them for the worse."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from ampelwerk.engine.lamp_program import LampProgram
from ampelwerk.models.intersection import Intersection, Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep


def mutated_plan(
    plan: CyclicPlan, site: Intersection, random: Random
) -> tuple[CyclicPlan, Intersection]:
    """A plan after one to three changes; the intersection has the stages that it wants."""
    ends = [*(step.start_ds for step in plan.steps[1:]), plan.cycle_ds]
    lengths = [(end - step.start_ds) // 10 for step, end in zip(plan.steps, ends, strict=True)]
    wanted = [step.stage for step in plan.steps]
    stages = list(site.stages)
    offset_s = plan.offset_ds // 10
    for _ in range(random.randint(1, 3)):
        k = random.randrange(len(wanted))
        kind = random.choice(
            ["longer", "shorter", "second", "swap", "other", "drop", "repeat", "group", "letter",
             "offset"]
        )  # fmt: skip
        if kind == "longer":
            lengths[k] += random.randint(1, 60)
        elif kind == "shorter":
            lengths[k] = random.randint(1, lengths[k])
        elif kind == "second":
            lengths[k] = max(1, lengths[k] - 1)
        elif kind == "swap":
            wanted[k], wanted[k - 1] = wanted[k - 1], wanted[k]
        elif kind == "other":
            wanted[k] = random.randrange(len(site.stages))
        elif kind == "drop" and len(wanted) > 2:
            del wanted[k], lengths[k]
        elif kind == "repeat":
            wanted.append(wanted[k])
            lengths.append(random.randint(1, 20))
        elif kind in ("group", "letter"):
            stages.append(_other_stage(stages[wanted[k]], site, random, kind, len(stages)))
            wanted[k] = len(stages) - 1
        elif kind == "offset":
            offset_s = random.randrange(1000)
    starts = [sum(lengths[:k]) for k in range(len(lengths))]
    cycle_s = sum(lengths)
    changed = CyclicPlan(
        plan_id="mutant",
        cycle_ds=10 * cycle_s,
        offset_ds=10 * (offset_s % cycle_s),
        steps=tuple(
            PlanStep(start_ds=10 * start, stage=stage)
            for start, stage in zip(starts, wanted, strict=True)
        ),
    )
    return changed, replace(site, stages=tuple(stages))


def _other_stage(stage: Stage, site: Intersection, random: Random, kind: str, number: int) -> Stage:
    """The stage with a group more or less, or one that no longer gives way, or now does."""
    group = random.randrange(site.envelope.size)
    groups, permissive = set(stage.groups), set(stage.permissive)
    if kind == "group":
        groups ^= {group}
    elif group in groups:
        permissive ^= {group}
    return Stage(
        stage_id=StageId(f"x{number}"),
        groups=tuple(sorted(groups)),
        permissive=tuple(sorted(permissive & groups)),
        turn_on_red=tuple(g for g in stage.turn_on_red if g not in groups),
        delivered=False,
    )


def mutated_program(program: LampProgram, random: Random) -> LampProgram:
    """A program after one to three changes of states or durations."""
    durations = [duration_ds // 10 for duration_ds in program.durations_ds]
    states = list(program.states)
    for _ in range(random.randint(1, 3)):
        k = random.randrange(len(states))
        kind = random.choice(
            ["longer", "shorter", "second", "swap", "drop", "repeat", "link", "group"]
        )
        if kind == "longer":
            durations[k] += random.randint(1, 60)
        elif kind == "shorter":
            durations[k] = random.randint(1, durations[k])
        elif kind == "second":
            durations[k] = max(1, durations[k] - 1)
        elif kind == "swap":
            states[k], states[k - 1] = states[k - 1], states[k]
        elif kind == "drop" and len(states) > 2:
            del states[k], durations[k]
        elif kind == "repeat":
            states.append(states[k])
            durations.append(random.randint(1, 20))
        else:
            link, letter = random.randrange(len(states[k])), random.choice("rsuGgy")
            group = program.group_of[link]
            touched = [link] if kind == "link" else [
                other for other, g in enumerate(program.group_of) if g == group
            ]  # fmt: skip
            if group >= 0:
                states[k] = "".join(
                    letter if other in touched else old for other, old in enumerate(states[k])
                )
    return program._replace(
        durations_ds=tuple(10 * duration for duration in durations), states=tuple(states)
    )
