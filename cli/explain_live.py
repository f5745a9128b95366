"""`ampelwerk explain --live`: what a running server decided at an intersection, in the words for a run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ampelwerk.cli.alarms import moment
from ampelwerk.cli.certs import credentials_of
from ampelwerk.cli.explain import Wording, decision_lines, headline, lamps_line, next_line
from ampelwerk.controllers.city_view import CityView
from ampelwerk.controllers.city_words import SeenDecision, SeenIntersection, SeenStage
from ampelwerk.controllers.control_room import ControlRoomClient, SeenOverride
from ampelwerk.models.errors import InvalidInputError, RefusalCode, RequestRefusedError
from ampelwerk.sim.explanation import GAP_UNIT, Explanation, Lamps, NextDecision, ShownStage
from ampelwerk.sim.group_service import GroupService
from ampelwerk.sim.sumo_time import seconds

LIVE = Wording(
    when=lambda time_s: moment(round(time_s * 1000)),
    never="nothing has been decided since",
)
"""Times of day instead of those of a simulation."""
FIRST_UNIX_S = 1_000_000_000.0
"""A number from here on is a Unix time. [s]"""


def explain(
    server: str,
    certificates: Path,
    person: str,
    *,
    intersection: str,
    at: str | None,
    as_json: bool,
) -> None:
    """Print what was decided and why, who has the say now, and what is shown now."""
    _, credentials = credentials_of(certificates, person)
    with CityView(server, credentials) as view:
        (status,), now_ms = view.intersections([intersection])
        at_s = now_ms / 1000 if at is None else _unix_s(at, now_ms / 1000)
        decision = _decision(view, intersection, round(at_s * 1000), required=at is not None)
    with ControlRoomClient(server, credentials) as room:
        overrides = room.overrides(intersection)
    found = None if decision is None else _explanation(decision, status, at_s)
    if as_json:
        parts = {
            "decision": None if found is None else asdict(found),
            "now": asdict(status),
            "overrides": [asdict(override) for override in overrides],
        }
        print(json.dumps(parts, indent=2, ensure_ascii=False))
        return
    lines = [f"{intersection} at {LIVE.when(at_s)}, live, {_control(decision, status)}", ""]
    if found is None:
        lines.append("The server has decided nothing here since it was started.")
    else:
        lines += [headline(found, LIVE), "", *decision_lines(found, LIVE)]
        lines.append(next_line(found, LIVE))
    lines += ["", *_now(status, overrides, now_ms)]
    print("\n".join(lines))


def _decision(
    view: CityView, intersection: str, at_ms: int, *, required: bool
) -> SeenDecision | None:
    """The decision in force; None if there was none yet and nobody asked for a certain time."""
    try:
        return view.decision(intersection, at_ms)
    except RequestRefusedError as error:
        if required or error.code is not RefusalCode.UNKNOWN_ID:
            raise
        return None


def _unix_s(text: str, now_s: float) -> float:
    """A moment that has passed: Unix seconds, or a time of the last 24 h in UTC. [s]"""
    value = seconds(text)
    if value is not None and math.isfinite(value):
        if value >= FIRST_UNIX_S and value <= now_s:
            return value
        if ":" in text and 0 <= value < 86_400:
            now = datetime.fromtimestamp(now_s, UTC)
            day = now.replace(hour=0, minute=0, second=0, microsecond=0)
            at = day + timedelta(seconds=value)
            return (at if at <= now else at - timedelta(days=1)).timestamp()
    raise InvalidInputError(
        "this is no time that has passed",
        where="--at",
        found=text,
        limit="Unix seconds up to now, or hours:minutes:seconds of the last 24 h in UTC",
    )


def _explanation(decision: SeenDecision, status: SeenIntersection, at_s: float) -> Explanation:
    """The decision as `ampelwerk.sim.explanation` has it of a run; the lamps are those of now."""
    chosen = _stage(decision.chosen)
    next_best = None if decision.next_best is None else _stage(decision.next_best)
    following = None
    if decision.next_stage:
        following = NextDecision(
            time_s=decision.next_unix_ms / 1000, stage=decision.next_stage, by_plan=False
        )
    return Explanation(
        intersection=status.intersection,
        at_s=at_s,
        scenario="live",
        control=decision.control,
        replayed=False,
        plan="",
        decided_s=decision.at_unix_ms / 1000,
        before=None if decision.before is None else _stage(decision.before),
        chosen=chosen,
        reason=decision.reason,
        next_best=next_best,
        gap=None if next_best is None else decision.margin,
        gap_unit=None if next_best is None else GAP_UNIT.get(decision.control),
        binding=decision.binding,
        lamps=_lamps(status),
        next=following,
    )


def _stage(stage: SeenStage) -> ShownStage:
    return ShownStage(
        stage=stage.stage,
        green=tuple(
            GroupService(
                group=one.group, serves=one.serves, comes_from=one.comes_from, turns=one.turns
            )
            for one in stage.green
        ),
        permissive=stage.permissive,
        since_s=stage.since_unix_ms / 1000 if stage.since_unix_ms else None,
    )


def _lamps(status: SeenIntersection) -> Lamps:
    return Lamps(
        state="",
        green=status.green,
        amber=status.amber,
        red_amber=status.red_amber,
        red=status.red,
    )


def _control(decision: SeenDecision | None, status: SeenIntersection) -> str:
    return decision.control if decision is not None else status.level or "no controller"


def _now(status: SeenIntersection, overrides: list[SeenOverride], now_ms: int) -> list[str]:
    """What the controller does at present, whatever was decided."""
    cause = f" ({status.cause})" if status.cause else ""
    follows = f"{status.level}{cause}" if status.level else "not known"
    if status.controller == "unknown":
        follows = "nobody knows: no controller has been heard since the server was started"
    elif status.controller != "leased":
        follows = f"{status.controller}; when it was heard last it followed {follows}"
    lines = [f"{'now':<12}{moment(now_ms)}", f"{'follows':<12}{follows}"]
    for one in overrides:
        lines.append(
            f"{'override':<12}{one.action} of {one.holder} ({one.role}), {one.state}, until "
            f"{moment(one.expiry_unix_ms)}: {one.reason}"
        )
        if status.intersection in one.greens:
            lines.append(f"{'':<12}{one.greens[status.intersection]}")
    if status.controller != "unknown":
        lines.append(lamps_line(_lamps(status), "shown"))
    return lines
