"""From a signal program to groups, stages and a cyclic plan.

A program is a list of states, one letter per link. Links with equal columns from one incoming edge
form a signal group. Every set of groups that the program asks for is a stage, so that the program
itself is a plan; those which a strategy may choose are marked.
"""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.models.intersection import Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.sim.net_file import ProgramState, SignalProgram

GREEN, AMBER, RED_AMBER = "Gg", "yY", "u"
CLEARING_STEP_S = 15.0
"""A state that only takes greens away and lasts no longer is a clearing step. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LampState:
    """One program state as signal groups see it."""

    duration_ds: int
    """How long it lasts. [ds]"""
    letters: str
    """(groups,) letter of each group."""
    fixed: bool
    """Its duration does not vary."""
    min_duration_s: float | None
    """Declared minimum. [s]"""

    @property
    def green(self) -> frozenset[int]:
        """Green groups."""
        return frozenset(g for g, letter in enumerate(self.letters) if letter in GREEN)

    @property
    def requested(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Groups asked for (green, or on the way through red-amber), and those shown as g."""
        asked = tuple(g for g, letter in enumerate(self.letters) if letter in GREEN + RED_AMBER)
        return asked, tuple(g for g, letter in enumerate(self.letters) if letter == "g")


def group_links(
    programs: list[SignalProgram], incoming: dict[int, str], link_count: int
) -> tuple[list[list[int]], dict[int, str]]:
    """Signal groups, each a list of links, and the constant letter of links outside any group.

    Parameters
    ----------
    programs : all programs of the signal.
    incoming : link -> edge (or crossing) it comes from.
    link_count : length of the state string.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    constant: dict[int, str] = {}
    for link in range(link_count):
        column = "".join(
            state.state[link] for program in programs for state in program.states
        ).replace("Y", "y")
        if link not in incoming:
            constant[link] = column[0]
        elif set(column) <= {"o", "O"}:
            constant[link] = column[0]
        else:
            groups.setdefault((incoming[link], column), []).append(link)
    return list(groups.values()), constant


def lamp_states(program: SignalProgram, groups: list[list[int]]) -> list[LampState]:
    """The program's states by group; states of no length are left out."""
    return [
        LampState(
            duration_ds=duration_ds,
            letters="".join(state.state[links[0]] for links in groups),
            fixed=state.fixed,
            min_duration_s=state.min_duration_s,
        )
        for state in program.states
        if (duration_ds := _duration_ds(state)) > 0
    ]


def _duration_ds(state: ProgramState) -> int:
    return round(state.duration_s * 10)


def is_selectable(state: LampState, before: LampState | None) -> bool:
    """The state is a stage of its own, not a step on the way to the next one."""
    if not state.green or any(letter in AMBER + RED_AMBER for letter in state.letters):
        return False
    if before is None or not before.green or not state.fixed:
        return True
    if state.duration_ds > CLEARING_STEP_S * 10 or state.letters == before.letters:
        return True
    for letter, letter_before in zip(state.letters, before.letters, strict=True):
        if letter in GREEN and (letter_before not in GREEN or (letter_before, letter) == ("g", "G")):
            return True
    return False


def stages_and_plans(
    programs: list[SignalProgram], groups: list[list[int]]
) -> tuple[list[Stage], list[CyclicPlan]]:
    """Stages of all programs, those of the first one first, and each program as a plan."""
    number: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    selectable: dict[int, bool] = {}
    plans = []
    for program in programs:
        states = lamp_states(program, groups)
        steps: list[PlanStep] = []
        clock_ds = 0
        for k, state in enumerate(states):
            stage = number.setdefault(state.requested, len(number))
            before = last_stage_state(states, k)
            chosen = is_selectable(state, before)
            selectable[stage] = selectable.get(stage, False) or chosen
            if not steps or steps[-1].stage != stage:
                steps.append(PlanStep(start_ds=clock_ds, stage=stage))
            clock_ds += state.duration_ds
        if clock_ds:
            plans.append(
                CyclicPlan(
                    plan_id=program.program_id,
                    cycle_ds=clock_ds,
                    offset_ds=round(program.offset_s * 10) % clock_ds,
                    steps=tuple(steps),
                )
            )
    stages = [
        Stage(
            stage_id=StageId(str(index + 1)),
            groups=requested[0],
            permissive=requested[1],
            selectable=selectable[index],
        )
        for requested, index in number.items()
    ]
    return stages, plans


def last_stage_state(states: list[LampState], k: int) -> LampState | None:
    """The state before, around the cycle, that shows no amber or red-amber."""
    for back in range(1, len(states)):
        state = states[k - back]
        if state.green and not any(letter in AMBER + RED_AMBER for letter in state.letters):
            return state
    return None
