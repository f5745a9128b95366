"""`ampelwerk check`: are these plans safe, by which rules, and if not, where and why."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ampelwerk.cli.failure import BAD_INPUT, OK
from ampelwerk.cli.inputs import fresh_files, profile_of
from ampelwerk.models.errors import InvalidInputError, Severity
from ampelwerk.models.profile import Profile
from ampelwerk.sim.plan_check import Checked, check_plans, check_programs, read_model
from ampelwerk.sim.plan_file import is_plan_file, read_plans


def check(
    plans: Path,
    *,
    model: str,
    profile: str,
    min_green_s: float | None,
    max_green_s: float | None,
    max_red_s: float | None,
    max_cycle_s: float | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Print the verdict of every plan; the exit code says whether all are safe."""
    if output is not None:
        fresh_files([output], force=force)
    rules = _limited(
        profile_of(profile, min_green_s=min_green_s),
        {"max_green_s": max_green_s, "max_red_s": max_red_s, "max_cycle_s": max_cycle_s},
    )
    found = read_model(model, rules)
    if is_plan_file(plans):
        checked = check_plans(read_plans(plans), found, rules, str(plans))
    else:
        checked = check_programs(plans, found, rules)
        for left in found.uncontrolled:
            print(
                f"{left.intersection_id} is left to SUMO, not checked: {left.reason}",
                file=sys.stderr,
            )
    content = json.dumps([_as_data(item) for item in checked], indent=2, ensure_ascii=False)
    if output is not None:
        output.write_text(content + "\n", encoding="utf-8")
    if as_json:
        print(content)
    else:
        _show(checked, rules)
    return OK if all(item.certificate for item in checked) else BAD_INPUT


def _limited(profile: Profile, given: dict[str, float | None]) -> Profile:
    """The profile with the limits that were given."""
    wanted = {name: value for name, value in given.items() if value is not None}
    for name, value in wanted.items():
        if value <= 0:
            raise InvalidInputError(
                "a limit is longer than nothing",
                where=f"--{name.removesuffix('_s').replace('_', '-')}",
                found=f"{value:g}",
                limit="above 0 s",
            )
    return replace(profile, limits=replace(profile.limits, **wanted))


def _as_data(item: Checked) -> dict[str, Any]:
    certificate = asdict(item.certificate) if item.certificate else None
    if certificate is not None:
        certificate.pop("warnings")  # they stand under findings
    return {
        "intersection": item.intersection,
        "plan": item.plan,
        "safe": item.certificate is not None,
        "certificate": certificate,
        "findings": [asdict(found) for found in item.found],
        "notes": [asdict(note) for note in item.notes],
    }


def _show(checked: list[Checked], profile: Profile) -> None:
    console = Console(highlight=False)
    for item in checked:
        for finding in item.findings:
            style = "red" if finding.severity is Severity.ERROR else "yellow"
            console.print(str(finding), style=style, markup=False, soft_wrap=True)
    unsafe = sum(item.certificate is None for item in checked)
    console.print(
        f"{len(checked)} checked against {profile.label}: "
        + (f"[bold red]{unsafe} unsafe[/]" if unsafe else "[bold green]all safe[/]")
    )
