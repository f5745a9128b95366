"""`ampelwerk watch`: a city as it stands and as it changes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live

from ampelwerk.cli.alarms import view_of
from ampelwerk.cli.watch_table import Board, line_of
from ampelwerk.controllers.city_words import LineState, Picture, Seen

EVENT = {
    "SeenIntersection": "intersection",
    "SeenAlarm": "alarm",
    "SeenOverride": "override",
    "SeenPlan": "plan",
    "LineState": "line",
}
"""Names of changes in JSON."""


def watch(
    server: str,
    certificates: Path,
    person: str,
    intersections: Sequence[str],
    *,
    once: bool,
    as_json: bool,
) -> None:
    """Show until interrupted, or what stands once."""
    board = Board()
    with view_of(server, certificates, person) as view:
        changes = view.watch(intersections)
        try:
            if once:
                _print_once(board, changes, as_json=as_json)
                return
            with _screen(board, as_json=as_json) as show:
                for change in changes:
                    if board.take(change):
                        show(change)
        except KeyboardInterrupt:  # this is how watching ends
            return


def _print_once(board: Board, changes: Iterator[Seen], *, as_json: bool) -> None:
    for change in changes:
        if board.take(change) and as_json:
            _print_json(change)
        if isinstance(change, Picture) and change.complete:
            break
    if not as_json:
        Console().print(board.table())


@contextmanager
def _screen(board: Board, *, as_json: bool) -> Iterator[Callable[[Seen], None]]:
    """Shows a change: in the table on a terminal, else a line each."""
    if as_json:
        yield _print_json
    elif not sys.stdout.isatty():
        yield _print_line
    else:
        with Live(get_renderable=board.table, refresh_per_second=4, screen=False):
            yield lambda change: None


def _print_json(change: Seen) -> None:
    kind = EVENT.get(type(change).__name__)
    if kind is not None:
        at_ms = round(datetime.now(UTC).timestamp() * 1000)
        line = {"event": kind, "seen_unix_ms": at_ms, **asdict(change)}
        print(json.dumps(line, ensure_ascii=False), flush=True)


def _print_line(change: Seen) -> None:
    text = line_of(change)
    if text:
        where = sys.stderr if isinstance(change, LineState) else sys.stdout
        print(f"{datetime.now(UTC):%H:%M:%SZ} {text}", file=where, flush=True)
