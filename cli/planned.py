"""Plans that a simulation is to run: read, fitted to the network and checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.plan_set import PlanSet
from ampelwerk.models.profile import Profile
from ampelwerk.sim.controls import PLAN
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.plan_check import Model, check_plans
from ampelwerk.sim.plan_file import read_plans
from ampelwerk.sim.scenario import Scenario

_NAMED = 5
"""Intersections that are named before the rest is only counted."""


def plans_for(
    controls: Sequence[str],
    path: Path | None,
    scenario: Scenario,
    profile: Profile,
    console: Console,
) -> PlanSet | None:
    """The plans of a file, for the one kind of control that runs them; says what is odd about them.

    Raises
    ------
    InvalidInputError : control `plan` without a file, a file without it, a broken file, or one that was
        made for another network.
    """
    if PLAN not in controls:
        if path is None:
            return None
        raise InvalidInputError(
            "no kind of control runs these plans",
            where="--plans",
            found=f"--control {', '.join(controls)}",
            remedy="add --control plan",
        )
    if path is None:
        raise InvalidInputError(
            "control plan needs a plan file",
            where="--control plan",
            remedy="name one with --plans, made by `ampelwerk plan import` for example",
        )
    plan_set = read_plans(path)
    signals = read_intersections(scenario.net_file, scenario.additional_files, profile)
    model = Model(intersections=signals.intersections, uncontrolled=signals.uncontrolled)
    say_unsafe(plan_set, model, profile, path, console)
    without = [
        str(site.intersection_id)
        for site in model.intersections
        if plan_set.site(site.intersection_id) is None
    ]
    if without:
        _say(console, f"not in {path}, so its own program runs", without)
    if plan_set.profile != profile.label:
        console.print(
            f"The plans were made under {plan_set.profile}, they run under {profile.label}.",
            highlight=False,
        )
    return plan_set


def _say(console: Console, what: str, names: Sequence[str]) -> None:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    console.print(
        f"{'; '.join(names[:_NAMED])}{more}: {what}.", highlight=False, markup=False, soft_wrap=True
    )


def say_unsafe(
    plan_set: PlanSet, model: Model, profile: Profile, path: Path, console: Console
) -> None:
    """Name the plans that do not verify."""
    checked = check_plans(plan_set, model, profile, str(path))
    unsafe = [f"{item.intersection}, plan {item.plan}" for item in checked if not item.certificate]
    if unsafe:
        _say(
            console,
            f"not safe by {profile.label}, the interlock delays what is illegal (see `ampelwerk check`)",
            unsafe,
        )
