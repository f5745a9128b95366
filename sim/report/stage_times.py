"""How often and how long each stage was shown, from the signals SUMO really showed.

A stage is shown while exactly its signal groups are green and none shows amber or red-amber. All
other time is transition: amber, all-red, red-amber, or greens that form no stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ampelwerk.models.envelope import Aspect
from ampelwerk.models.intersection import Intersection
from ampelwerk.sim.report.signal_record import StateChanges, aspect_of, group_links

_UNDER_WAY = (Aspect.AMBER, Aspect.RED_AMBER)


@dataclass(frozen=True, slots=True)
class StageShown:
    """One appearance of a stage."""

    start_s: float
    """Begin. [s]"""
    end_s: float
    """End. [s]"""
    stage: int
    """Index into the intersection's stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageUse:
    """Use of one stage in a run."""

    times: int
    """How often it was shown."""
    mean_s: float
    """Mean duration. [s]"""
    shortest_s: float
    """Shortest duration. [s]"""
    longest_s: float
    """Longest duration. [s]"""
    share: float
    """Share of the run. [-]"""


def stages_shown(
    site: Intersection, changes: StateChanges, begin_s: float, end_s: float
) -> list[StageShown]:
    """Appearances of stages between two times; a mere change from g to G does not end one."""
    stage_of = StageFinder(site)
    found: list[StageShown] = []
    for start_s, stop_s, state in changes.spans(begin_s, end_s):
        stage = stage_of(state)
        if stage is None:
            continue
        if found and found[-1].stage == stage and found[-1].end_s == start_s:
            found[-1] = StageShown(found[-1].start_s, stop_s, stage)
        else:
            found.append(StageShown(start_s, stop_s, stage))
    return found


class StageFinder:
    """From a state string to the stage it shows, None in transition.

    Stages may have the same green groups. Then the one whose permissive groups show the letter g
    is meant, and rather one that may be chosen than a step that only leads on.
    """

    def __init__(self, site: Intersection) -> None:
        self._site = site
        self._links = [group_links(site, group) for group in range(site.envelope.size)]
        self._known: dict[str, int | None] = {}

    def __call__(self, state: str) -> int | None:
        """Stage of a state string."""
        if state not in self._known:
            self._known[state] = self._stage_of(state)
        return self._known[state]

    def _stage_of(self, state: str) -> int | None:
        aspects = [aspect_of(state, links) for links in self._links]
        green = tuple(g for g, aspect in enumerate(aspects) if aspect is Aspect.GREEN)
        if not green or any(aspect in _UNDER_WAY for aspect in aspects):
            return None
        permissive = {
            g for g in green if any(state[k] == "g" for k in self._links[g] if k < len(state))
        }
        stages = self._site.stages
        same = [k for k, stage in enumerate(stages) if stage.groups == green]
        return min(
            same,
            key=lambda k: (set(stages[k].permissive) != permissive, not stages[k].selectable, k),
            default=None,
        )


def stage_use(shown: list[StageShown], begin_s: float, end_s: float) -> dict[int, StageUse]:
    """Use of every stage that was shown."""
    return {
        stage: StageUse(
            times=len(durations),
            mean_s=sum(durations) / len(durations),
            shortest_s=min(durations),
            longest_s=max(durations),
            share=sum(durations) / (end_s - begin_s),
        )
        for stage, durations in _by_stage(shown)
    }


def _by_stage(shown: list[StageShown]) -> Iterator[tuple[int, list[float]]]:
    for stage in sorted({item.stage for item in shown}):
        yield stage, [item.end_s - item.start_s for item in shown if item.stage == stage]
