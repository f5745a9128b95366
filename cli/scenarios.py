"""`ampelwerk scenarios`: what can be run here by name."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.tables import add_row


def scenarios(*, as_json: bool) -> None:
    """List catalogue names with where they come from, and what is missing for the others."""
    from ampelwerk.sim.catalogue import catalogue

    entries = catalogue()
    if as_json:
        print(
            json.dumps(
                [{"name": e.name, "source": e.source, "available": e.available} for e in entries]
            )
        )
        return
    table = Table("name", "source", "runs here", box=None)
    for entry in entries:
        add_row(table, entry.name, entry.source, "yes" if entry.available else entry.remedy)
    Console().print(table)
