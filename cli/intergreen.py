"""`ampelwerk model --explain-intergreen`: where an intergreen comes from."""

from __future__ import annotations

import json
from dataclasses import asdict

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import Profile
from ampelwerk.sim.intergreen_explanation import IntergreenExplanation, explain_intergreen
from ampelwerk.sim.intergreens import IntergreenTrace
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.scenario import Scenario


def explain(
    scenario: Scenario,
    profile: Profile,
    *,
    intersection: str | None,
    groups: tuple[str, str],
    as_json: bool,
) -> None:
    """Print the intergreen of two groups with all that it was computed from."""
    found = explain_intergreen(
        scenario.net_file,
        scenario.additional_files,
        profile,
        intersection or _only_intersection(scenario, profile),
        *groups,
    )
    if as_json:
        print(json.dumps(_as_data(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(found)))


def _only_intersection(scenario: Scenario, profile: Profile) -> str:
    """The intersection of a scenario that has a single one."""
    signals = read_intersections(scenario.net_file, scenario.additional_files, profile)
    names = [str(site.intersection_id) for site in signals.intersections]
    if len(names) != 1:
        raise InvalidInputError(
            "the scenario has several intersections",
            where="--explain-intergreen",
            limit=", ".join(names),
            remedy="name one with --intersection",
        )
    return names[0]


def _as_data(found: IntergreenExplanation) -> dict[str, object]:
    streams = [
        {
            **asdict(trace),
            "clearing_s": trace.clearing_s,
            "entering_s": trace.entering_s,
            "exact_s": trace.exact_s,
            "result_s": trace.result_s,
        }
        for trace in found.streams
    ]
    return {**asdict(found), "streams": streams}


def _lines(found: IntergreenExplanation) -> list[str]:
    pair = f"{found.intersection}, end of green of {found.clearing} to start of {found.entering}"
    if found.intergreen_s is None:
        return [f"{pair}: none, the groups do not conflict."]
    lines = [f"{pair}: {found.intergreen_s:g} s ({found.profile})"]
    if found.program is not None:
        gap_s = found.program.smallest_gap_s
        gap = "never one after the other" if gap_s is None else f"{gap_s:g} s"
        longest = f"longest time from the end of {found.clearing} to the next stage"
        lines += [
            f"  smallest gap that the scenario's programs show: {gap}",
            f"  {longest}: {found.program.clearing_s:g} s",
            "  The smaller of the two is taken, or amber and all-red where they are given.",
        ]
    least_s = found.amber_s + found.red_amber_s
    table_s = max((trace.result_s for trace in found.streams), default=None)
    for k, trace in enumerate(found.streams):
        lines += ["", *_trace_lines(trace, decides=k == 0 and trace.result_s >= least_s)]
    lines.append("")
    lines.append(
        f"amber {found.amber_s:g} s + red-amber {found.red_amber_s:g} s = {least_s:g} s: the least, "
        "for amber and red-amber never overlap"
        + (" (decides)" if table_s is not None and least_s > table_s else "")
    )
    return lines


def _trace_lines(trace: IntergreenTrace, *, decides: bool) -> list[str]:
    """One pair of streams, a line for every term of the formula."""
    place = "where the paths meet" if trace.met else "where they come closest; they never meet"
    entering = (
        "t_e = 0: pedestrians enter at once"
        if trace.entering_mps is None
        else f"t_e = s_e / v_e = {trace.entering_m:.1f} m / {trace.entering_mps:.2f} m/s "
        f"= {trace.entering_s:.2f} s"
    )
    clearing = f"({trace.clearing_m:.1f} m + {trace.length_m:g} m) / {trace.clearing_mps:g} m/s"
    streams = (
        f"link {trace.clearing_link} ({trace.clearing_kind}: {trace.clearing_way}) clears for link "
        f"{trace.entering_link} ({trace.entering_kind}: {trace.entering_way}), {place}"
    )
    return [
        f"{streams} (decides)" if decides else streams,
        f"  t_u = {trace.crossing_s:g} s",
        f"  t_r = (s_0 + l) / v_r = {clearing} = {trace.clearing_s:.2f} s",
        f"  {entering}",
        f"  t_z = t_u + t_r - t_e = {trace.exact_s:.2f} s, rounded up: {trace.result_s} s",
    ]
