"""`ampelwerk plan publish|list|rollback`: plans of a running server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.certs import credentials_of
from ampelwerk.cli.failure import BAD_INPUT, OK, RUNTIME_ERROR
from ampelwerk.cli.plan import counted
from ampelwerk.cli.tables import add_row, print_lines
from ampelwerk.controllers.override_convert import KEY_BYTES
from ampelwerk.controllers.plan_client import ACTIVATIONS, PlanClient, SeenVersion, Takeover
from ampelwerk.controllers.plan_convert import plan_message
from ampelwerk.models.errors import InvalidInputError, Severity
from ampelwerk.models.override import REASON_LENGTH
from ampelwerk.models.plan_set import IntersectionPlans, PlanSet
from ampelwerk.sim.plan_file import read_plans

UNDER_WAY = ("published", "verified")
"""States of a version that its controller has not answered for yet."""
STANDS = ("published", "accepted", "applied")
"""States of what a controller shall have."""
LOOK_S = 0.5
"""Time between two looks at what became of plans. [s]"""


def publish(
    path: Path,
    *,
    server: str,
    certificates: Path,
    person: str,
    intersections: list[str],
    everywhere: bool,
    plan: str | None,
    timezone: str,
    activation: str,
    together: bool,
    dry_run: bool,
    reason: str,
    wait_s: float,
    as_json: bool,
) -> int:
    """Check, publish, and wait for what becomes of it; the exit code."""
    plan_set = read_plans(path)
    chosen = _chosen(plan_set, path, intersections, everywhere=everywhere)
    if not dry_run and len(reason) < REASON_LENGTH[0]:
        raise InvalidInputError(
            "the reason is too short" if reason else "it is not said why",
            where="--reason",
            limit="{} to {} characters, for the audit".format(*REASON_LENGTH),
        )
    when = takeover(activation, time.time_ns() // 1_000_000)
    if plan_set.calendar and plan is None and not timezone:
        raise InvalidInputError(
            "the plans have a calendar, and its times no time zone",
            where="--timezone",
            remedy="name one such as Europe/Berlin, or choose one plan with --plan",
        )
    plans = [
        plan_message(site, plan_set.calendar, plan_id=plan, timezone=timezone) for site in chosen
    ]
    with _line(server, certificates, person) as line:
        found = [finding for message in plans for finding in line.verify(message)]
        errors = [finding for finding in found if finding.severity is Severity.ERROR]
        console = Console(stderr=True, highlight=False)
        for finding in found:
            style = "red" if finding.severity is Severity.ERROR else "yellow"
            console.print(str(finding), style=style, markup=False, soft_wrap=True)
        if errors:
            console.print(f"{counted(len(errors), 'error')}: nothing was published.")
            return BAD_INPUT
        if dry_run:
            console.print(f"{counted(len(plans), 'plan')} may be published; nothing was.")
            return OK
        newest = {seen.intersection: seen.version for seen in _newest(line, chosen)}
        expected = [newest.get(site.intersection_id, 0) for site in chosen]
        send = line.publish_together if together else line.publish
        versions = send(plans, expected, when, reason=reason, key=secrets.token_bytes(KEY_BYTES))
        return _told(line, versions, wait_s=wait_s, as_json=as_json)


def rollback(
    intersection: str,
    version: int,
    *,
    server: str,
    certificates: Path,
    person: str,
    reason: str,
    wait_s: float,
    as_json: bool,
) -> int:
    """Publish an old version anew, and wait for what becomes of it; the exit code."""
    with _line(server, certificates, person) as line:
        known = line.versions(intersection)
        expected = known[-1].version if known else 0
        new = line.rollback(
            intersection, version, expected, reason=reason, key=secrets.token_bytes(KEY_BYTES)
        )
        return _told(line, {intersection: new}, wait_s=wait_s, as_json=as_json)


def listed(
    *,
    server: str,
    certificates: Path,
    person: str,
    intersection: str,
    everything: bool,
    as_json: bool,
) -> None:
    """Print the versions of a server."""
    with _line(server, certificates, person) as line:
        versions = line.versions(intersection)
    newest = {seen.intersection: seen.version for seen in versions}
    show(
        [
            seen
            for seen in versions
            if everything or seen.state in STANDS or newest[seen.intersection] == seen.version
        ],
        as_json=as_json,
    )


def show(versions: Sequence[SeenVersion], *, as_json: bool) -> None:
    """Print versions: one JSON line each, or a table."""
    if as_json:
        print_lines(versions)
        return
    if not versions:
        print("no published plans")
        return
    table = Table(box=None, header_style="bold")
    table.add_column("intersection", overflow="fold")
    table.add_column("version", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for column in ("plans", "author"):
        table.add_column(column, overflow="fold")
    table.add_column("published", no_wrap=True)
    table.add_column("cause", overflow="fold")
    for seen in versions:
        at = datetime.fromtimestamp(seen.published_unix_ms / 1000, UTC)
        add_row(
            table,
            seen.intersection,
            str(seen.version),
            seen.state,
            seen.plans,
            seen.author,
            f"{at:%Y-%m-%d %H:%M}Z",
            seen.cause,
        )
    Console().print(table)


def takeover(text: str, now_ms: int) -> Takeover:
    """When plans take over, from cycle-start, next-stage, +SECONDS or a time with its offset."""
    if text in ACTIVATIONS:
        return Takeover(activation=text)
    try:
        if text.startswith("+"):
            at_ms = now_ms + round(float(text) * 1000)
            datetime.fromtimestamp(at_ms / 1000, UTC)  # within the calendar
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            at_ms = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInputError(
            "it is not said when the plans take over",
            where="--activation",
            found=text,
            limit=f"{', '.join(ACTIVATIONS)}, +SECONDS, or a time such as 2030-05-01T04:00+02:00",
        ) from error
    return Takeover(at_unix_ms=at_ms - at_ms % 100)


def _chosen(
    plan_set: PlanSet, path: Path, intersections: list[str], *, everywhere: bool
) -> list[IntersectionPlans]:
    """The intersections whose plans are meant."""
    if everywhere == bool(intersections):
        raise InvalidInputError(
            "some intersections and all of them are meant"
            if everywhere
            else "it is not said which intersections are meant",
            where="--intersection",
            limit="--intersection NAME, which may be repeated, or --all",
        )
    if everywhere:
        return list(plan_set.intersections)
    chosen = []
    for name in dict.fromkeys(intersections):
        site = plan_set.site(name)
        if site is None:
            raise InvalidInputError(
                "the file has no plans for this intersection",
                where=f"{path}, --intersection",
                found=name,
                limit=", ".join(str(site.intersection_id) for site in plan_set.intersections),
            )
        chosen.append(site)
    return chosen


def _newest(line: PlanClient, chosen: Sequence[IntersectionPlans]) -> list[SeenVersion]:
    """Versions of the intersections that are meant, by number."""
    if len(chosen) == 1:
        return line.versions(chosen[0].intersection_id)
    return line.versions()


def _told(line: PlanClient, versions: Mapping[str, int], *, wait_s: float, as_json: bool) -> int:
    """Print what has become of new versions as soon as it is known; the exit code."""
    end_s = time.monotonic() + wait_s
    while True:
        name = next(iter(versions)) if len(versions) == 1 else ""
        found = [
            seen for seen in line.versions(name) if versions.get(seen.intersection) == seen.version
        ]
        waiting = [seen for seen in found if seen.state in UNDER_WAY]
        if not waiting or time.monotonic() >= end_s:
            break
        time.sleep(LOOK_S)
    show(found, as_json=as_json)
    console = Console(stderr=True, highlight=False)
    if waiting:
        names = ", ".join(seen.intersection for seen in waiting[:5])
        more = f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
        what = "a controller that is not connected gets its plan when it is back"
        if waiting[0].state == "verified":
            what = "the batch is under way"
        console.print(
            f"{len(waiting)} without an answer yet ({names}{more}): {what}. See `ampelwerk plan list`.",
            soft_wrap=True,
        )
    failed = [seen for seen in found if seen.state not in STANDS and seen.state not in UNDER_WAY]
    return RUNTIME_ERROR if failed else OK


def _line(server: str, certificates: Path, person: str) -> PlanClient:
    _, credentials = credentials_of(certificates, person)
    return PlanClient(server, credentials)
