"""A table that a person wrote in CSV: read by its header, every error kept with its line and column.

Fields are separated by commas, or by semicolons; then decimals may have a comma. Times are multiples of
0.1 s.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ampelwerk.models.errors import Finding, InvalidInputError, Severity, UnsafePlanError

_TIME = re.compile(r"[0-9]{1,5}([.,][0-9])?0*")


@dataclass(slots=True)
class Table:
    """Rows of a file, and what is wrong with them."""

    path: Path
    """The file."""
    rows: list[tuple[int, dict[str, str]]]
    """(line, cells by column)."""
    columns: list[str]
    """Names of the columns."""
    findings: list[Finding]
    """Errors so far."""
    semicolons: bool
    """Fields are separated by semicolons, so a decimal may have a comma."""

    def wrong(self, rule: str, line: int, column: str, message: str, remedy: str) -> None:
        """Note an error at a cell."""
        place = f"{self.path}, line {line}" + (f", {column}" if column else "")
        self.findings.append(
            Finding(rule=rule, severity=Severity.ERROR, where=place, message=message, remedy=remedy)
        )

    def time_ds(self, line: int, column: str, text: str, limits_ds: tuple[int, int]) -> int:
        """A time in a cell, noted as an error and 0 if it is none within the limits. [ds]"""
        least, most = limits_ds
        limit = f"{least / 10:g} to {most / 10:g} s in steps of 0.1 s"
        time_ds = -1
        if _TIME.fullmatch(text) and (self.semicolons or "," not in text):
            time_ds = round(float(text.replace(",", ".")) * 10)
        if not least <= time_ds <= most:
            found = f"found {text!r}" if text else "found nothing"
            self.wrong("time", line, column, f"No time within {limit}: {found}.", "Correct it.")
            return 0
        return time_ds

    def refuse(self) -> None:
        """Stop here if anything is wrong.

        Raises
        ------
        UnsafePlanError : with every error so far.
        """
        if self.findings:
            raise UnsafePlanError(tuple(self.findings))


def read_table(path: Path, needed: Sequence[str]) -> Table:
    """Rows of a CSV file by the names of its columns.

    Raises
    ------
    InvalidInputError : no text, a column missing or twice, or no rows.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            "the table is no UTF-8 text",
            where=str(path),
            found=str(error),
            remedy="save it as CSV in UTF-8",
        ) from error
    head = text.partition("\n")[0]
    semicolons = head.count(";") > head.count(",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if semicolons else ",")
    columns = [cell.strip() for cell in next(reader, [])]
    missing = [name for name in needed if name not in columns]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if missing or twice:
        raise InvalidInputError(
            f"columns are missing: {', '.join(missing)}" if missing else "a column stands twice",
            where=f"{path}, line 1",
            found=", ".join(twice or columns)[:200],
            limit=f"a header with {', '.join(needed)}, each once",
        )
    table = Table(path=path, rows=[], columns=columns, findings=[], semicolons=semicolons)
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            table.wrong(
                "row_length", reader.line_num, "",
                f"{len(cells)} fields where the header has {len(columns)}.", "Complete the row.",
            )  # fmt: skip
        padded = [*cells, *[""] * len(columns)]
        table.rows.append(
            (
                reader.line_num,
                {name: cell.strip() for name, cell in zip(columns, padded, strict=False)},
            )
        )
    if not table.rows:
        raise InvalidInputError("the table has no rows", where=str(path))
    return table
