"""`ampelwerk explain`: one decision in plain words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.controls import ON_PLAN
from ampelwerk.sim.explanation import Explanation, Lamps, ShownStage
from ampelwerk.sim.explanation import explain as explanation_of
from ampelwerk.sim.run_directory import open_run
from ampelwerk.sim.sumo_time import seconds

_INDENT = " " * 12
_REASON = {
    "gap-out": "gap-out: the traffic at green had gaps, and another stage was called",
    "max-out": "max-out: the longest green was over, and another stage was called",
}
"""Reasons that are a term of the trade, for those who are not of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What is said otherwise of a run and of a running server."""

    when: Callable[[float], str]
    """A moment. [s]"""
    never: str
    """Nothing came next."""


def explain(directory: Path | None, *, intersection: str, at: str | None, as_json: bool) -> None:
    """Print what was decided and why."""
    if directory is None or at is None:
        raise InvalidInputError(
            "it is not said what is to be explained",
            where="DIR" if directory is None else "--at",
            limit="a run and a time of it, or --live --server HOST:PORT",
        )
    found = explanation_of(open_run(directory), intersection, _time(at))
    if as_json:
        print(json.dumps(asdict(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(found)))


def require_no_run(directory: Path | None, *, live: bool, server: str | None) -> None:
    """Either a run or a running server is explained.

    Raises
    ------
    InvalidInputError : both, or half of one, are named.
    """
    if directory is not None or not live or not server:
        raise InvalidInputError(
            "either a run is explained or a running server",
            where="DIR" if directory is not None else "--live",
            limit="DIR --at TIME, or --live --server HOST:PORT",
        )


def _time(text: str) -> float:
    """A time of the simulation. [s]"""
    value = None if text.count(":") == 1 else seconds(text)  # 6:00 may be meant either way
    if value is None or not math.isfinite(value):
        raise InvalidInputError(
            "this is no time",
            where="--at",
            found=text,
            limit="seconds such as 25300 or 25300.5, or hours:minutes:seconds such as 7:01:40",
        )
    return value


def _lines(found: Explanation) -> list[str]:
    """The explanation, a fact a line."""
    lines = [f"{found.intersection} at {_s(found.at_s)}, {found.scenario}, {found.control}"]
    if found.replayed:
        lines.append(f"A replay: what {found.control} decides on loops that another run recorded.")
    lines += ["", headline(found, RUN), ""]
    if found.followed is not None:
        since, cause = _s(found.followed.since_s), found.followed.cause
        why = f" ({cause})" if cause else ""
        followed = f"{found.followed.level} since {since}{why}"
        lines += [f"But the controller followed no decisions: {followed}.", ""]
    lines += decision_lines(found, RUN)
    lines.append(lamps_line(found.lamps, f"at {_s(found.at_s)}"))
    return [*lines, next_line(found, RUN)]


def decision_lines(found: Explanation, wording: Wording) -> list[str]:
    """What was chosen, instead of what, and why."""
    lines = []
    if found.before is not None:
        lines += _stage("before", found.before, wording, found.decided_s)
    lines += _stage("chosen" if not found.plan else "shown", found.chosen, wording)
    if not found.plan:
        lines.append(f"{'why':<12}{_REASON.get(found.reason, found.reason)}")
        lines += _next_best(found)
        lines.append(f"{'binding':<12}{found.binding or 'no rule or limit was named'}")
    return lines


def headline(found: Explanation, wording: Wording) -> str:
    """What happened, in one sentence."""
    ago_s = found.at_s - found.decided_s
    when = (
        "At that moment"
        if ago_s == 0
        else f"{_s(ago_s)} earlier, at {wording.when(found.decided_s)},"
    )
    chosen = f"stage {found.chosen.stage}"
    if found.plan:
        why = (
            f"{found.control} decides nothing itself"
            if found.control in ON_PLAN
            else f"{found.control} had not decided anything yet"
        )
        if found.before is None:
            return f"The run began with {chosen}, as plan {found.plan} wants it: {why}."
        return f"{when} plan {found.plan} went on to {chosen}: {why}."
    if found.before is None:
        return f"{when} {found.control} chose {chosen}."
    return f"{when} {found.control} switched from stage {found.before.stage} to {chosen}."


def _stage(
    label: str, stage: ShownStage, wording: Wording, until_s: float | None = None
) -> list[str]:
    """A stage and what it serves, a group a line."""
    since = ""
    if until_s is not None and stage.since_s is not None:
        since = f", asked for at {wording.when(stage.since_s)}, for {_s(until_s - stage.since_s)}"
    lines = [f"{label:<12}stage {stage.stage}{since}"]
    for group in stage.green:
        gives_way = " (gives way)" if group.group in stage.permissive else ""
        lines.append(f"{_INDENT}  {group}{gives_way}")
    if not stage.green:
        lines.append(f"{_INDENT}  nobody: all red")
    return lines


def _next_best(found: Explanation) -> list[str]:
    """The runner-up, and what it would have cost."""
    best = found.next_best
    if best is None or found.gap is None:
        if found.gap_unit is None and found.control == "actuated":
            return [f"{'next best':<12}none: actuated compares no costs, it serves calls in turn"]
        return [f"{'next best':<12}no other stage was named"]
    kept = found.before is not None and best.stage == found.before.stage
    lines = [f"{'next best':<12}stage {best.stage}{', that is, no change' if kept else ''}"]
    lines.append(f"{_INDENT}  {_gap(found, best.stage)}")
    if not kept:
        lines += [f"{_INDENT}  {group}" for group in best.green]
    return lines


def _gap(found: Explanation, other: str) -> str:
    """By how much the chosen stage was better, in the measure of the control."""
    assert found.gap is not None
    if found.gap == 0:
        return "not decided by a difference in the prediction, but by the reason above"
    amount, chosen = f"{abs(found.gap):.4g}", f"stage {found.chosen.stage}"
    more, less = ("more", "less") if found.gap > 0 else ("less", "more")
    text = {
        "rolling-horizon": f"with {chosen}, {amount} vehicle-seconds {less} waiting were predicted",
        "priority-index": f"{chosen} was predicted to serve {amount} vehicles per second {more}",
        "max-pressure": f"the pressure of {chosen} was {amount} {more} (queues here less those "
        "ahead, times saturation flow)",
    }.get(found.control, f"{chosen} was {amount} {'better' if found.gap > 0 else 'worse'}")
    return text if found.gap > 0 else f"{text}; it was chosen for the reason above all the same"


def lamps_line(lamps: Lamps, when: str) -> str:
    """Groups by what they show."""
    shown = (
        ("green", lamps.green),
        ("amber", lamps.amber),
        ("red-amber", lamps.red_amber),
        ("red", lamps.red),
    )
    words = "; ".join(f"{word} {' '.join(groups)}" for word, groups in shown if groups)
    return f"{'lamps':<12}{when}: {words or 'dark'}"


def next_line(found: Explanation, wording: Wording) -> str:
    """What came afterwards."""
    if found.next is None:
        return f"{'next':<12}{wording.never}"
    what = f"stage {found.next.stage}{' by the plan' if found.next.by_plan else ''}"
    later = f"{_s(found.next.time_s - found.at_s)} later"
    return f"{'next':<12}{what} at {wording.when(found.next.time_s)}, {later}"


def _s(time_s: float) -> str:
    return f"{round(time_s, 3):.15g} s"


RUN = Wording(when=_s, never="nothing else until the end of the run")
"""Of a simulation."""
