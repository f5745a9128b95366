"""From a signal program to groups, stages and a cyclic plan.

A program is a list of states, one letter per link. Links with equal columns from one incoming edge
form a signal group. Every set of groups that the program asks for is a stage, so that the program
itself is a plan; those which a strategy may choose are marked.
"""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.models.intersection import Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.sim.program_file import ProgramState, SignalProgram

GREEN, AMBER, RED_AMBER = "Gg", "yY", "u"
StageKey = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""What makes a stage: groups asked for, those of them that give way, those that turn on red."""
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
    yielding: tuple[int, ...]
    """Groups that are shown as g, or will be after their red-amber."""

    @property
    def green(self) -> frozenset[int]:
        """Green groups."""
        return frozenset(g for g, letter in enumerate(self.letters) if letter in GREEN)

    @property
    def requested(self) -> StageKey:
        """Groups asked for (green, or on the way through red-amber), those that yield, as s."""
        asked = tuple(g for g, letter in enumerate(self.letters) if letter in GREEN + RED_AMBER)
        turning = tuple(g for g, letter in enumerate(self.letters) if letter == "s")
        return asked, self.yielding, turning


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
        if link not in incoming or set(column) <= {"o", "O"}:
            constant[link] = column[0]
        else:
            groups.setdefault((incoming[link], column), []).append(link)
    return list(groups.values()), constant


def lamp_states(program: SignalProgram, groups: list[list[int]]) -> list[LampState]:
    """The program's states by group; states of no length are left out.

    Amber between two greens without red is continuous green: nobody clears, and programs made by
    netconvert show it wherever a group is green in two stages that follow each other.
    """
    states = [state for state in program.states if _duration_ds(state) > 0]
    columns = [continuous([state.state[links[0]] for state in states]) for links in groups]
    return [
        LampState(
            duration_ds=_duration_ds(state),
            letters="".join(column[k] for column in columns),
            fixed=state.fixed,
            min_duration_s=state.min_duration_s,
            yielding=tuple(g for g, column in enumerate(columns) if _green_from(column, k) == "g"),
        )
        for k, state in enumerate(states)
    ]


def _green_from(column: list[str], k: int) -> str:
    """The green that a group shows in state k, or comes to from the red-amber it shows there."""
    for ahead in range(len(column)):
        letter = column[(k + ahead) % len(column)]
        if letter not in RED_AMBER:
            return letter
    return ""


def continuous(column: list[str]) -> list[str]:
    """One group's letters around the cycle, amber between greens replaced by the green before."""
    letters = list(column)
    size = len(letters)
    for k in range(size):
        if column[k] not in AMBER or column[k - 1] not in GREEN:
            continue
        run = 1
        while run < size and column[(k + run) % size] in AMBER:
            run += 1
        if column[(k + run) % size] in GREEN:
            for m in range(run):
                letters[(k + m) % size] = column[k - 1]
    return letters


def _duration_ds(state: ProgramState) -> int:
    return round(state.duration_s * 10)


def is_selectable(
    state: LampState, before: LampState | None, walking: frozenset[int] = frozenset()
) -> bool:
    """The state is a stage of its own, not a step on the way to the next one.

    Where only pedestrians have turned red it is both: vehicles may go on in it for long.

    Parameters
    ----------
    walking : groups that serve pedestrians.
    """
    if not state.green or any(letter in AMBER + RED_AMBER for letter in state.letters):
        return False
    if before is None or not before.green or not state.fixed:
        return True
    if state.duration_ds > CLEARING_STEP_S * 10 or state.letters == before.letters:
        return True
    for letter, letter_before in zip(state.letters, before.letters, strict=True):
        if letter in GREEN and (
            letter_before not in GREEN or (letter_before, letter) == ("g", "G")
        ):
            return True
    return _only_walkers_stopped(state, before, walking)


def _only_walkers_stopped(state: LampState, before: LampState, walking: frozenset[int]) -> bool:
    """Every group that has turned red serves pedestrians, and others are still green."""
    stopped = before.green - state.green
    return bool(stopped) and stopped <= walking and bool(state.green - walking)


def stages_and_plans(
    programs: list[SignalProgram],
    groups: list[list[int]],
    walking: frozenset[int] = frozenset(),
) -> tuple[list[Stage], list[CyclicPlan]]:
    """Stages of all programs, those of the first one first, and each program as a plan.

    Parameters
    ----------
    groups : links of each signal group.
    walking : groups that serve pedestrians.
    """
    number: dict[StageKey, int] = {}
    selectable: dict[int, bool] = {}
    plans = []
    for program in programs:
        states = lamp_states(program, groups)
        steps: list[PlanStep] = []
        clock_ds = 0
        for k, state in enumerate(states):
            stage = number.setdefault(state.requested, len(number))
            before = last_stage_state(states, k)
            chosen = is_selectable(state, before, walking)
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
            turn_on_red=requested[2],
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
