"""`ampelwerk report`: one page with the tables and diagrams of a directory of results."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from ampelwerk.sim.report.page import write_report


def report(directory: Path, *, route: list[str] | None, force: bool) -> None:
    """Write the page; say where it is."""
    console = Console(stderr=True)
    with console.status("reading") as status:
        path = write_report(
            directory, route=route, force=force, tell=lambda step: status.update(step)
        )
    print(path)
