"""Rows of tables: what others have written is shown as it is, brackets included."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text


def add_row(table: Table, *cells: str, style: str | None = None) -> None:
    """Add a row whose cells are plain text, never markup."""
    table.add_row(*(Text(cell) for cell in cells), style=style)
