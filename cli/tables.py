"""Rows: of tables, in which what others have written is shown as it is, or of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text


def add_row(table: Table, *cells: str, style: str | None = None) -> None:
    """Add a row whose cells are plain text, never markup."""
    table.add_row(*(Text(cell) for cell in cells), style=style)


def print_lines(rows: Iterable[Any]) -> None:
    """Print dataclasses, a line of JSON each."""
    for row in rows:
        print(json.dumps(asdict(row), ensure_ascii=False))
