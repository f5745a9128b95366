"""The tables of the report: the kinds of control side by side, then every run.

Means, paired differences and intervals are those of `sim.comparison`; here they become text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ampelwerk.sim.comparison import Comparison, Estimate
from ampelwerk.sim.report.definitions import MEASURES, QUALITY, TRIPS, Measure

NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One kind of control in a row of the comparison."""

    mean: str
    """Mean over the seeds, with half the width of its interval."""
    difference: str = ""
    """Mean paired difference to the reference; empty for the reference itself."""
    interval: str = ""
    """95 % interval of the difference."""
    clear: bool = False
    """The interval lies on one side of 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measure for all kinds of control."""

    measure: Measure
    """The measure."""
    cells: tuple[Cell, ...]
    """(controls,) in the order of the comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What is wrong with the runs of a control; means over such runs say little."""

    control: str
    """Kind of control."""
    runs: int
    """Finished runs."""
    gridlocked: int
    """Runs in which traffic stood still."""
    invalid: int
    """Runs with too many teleports."""
    violations: int
    """Switches that broke a rule, in all runs together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run in the table of all runs."""

    control: str
    """Kind of control."""
    seed: int
    """Seed."""
    cells: tuple[str, ...]
    """(columns,) values."""
    mark: str
    """GRIDLOCK, INVALID, both, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTable:
    """A table of all runs."""

    title: str
    """What it is about."""
    columns: tuple[Measure, ...]
    """Measures."""
    rows: tuple[RunRow, ...]
    """Runs."""


def number(value: float | None, digits: int, *, signed: bool = False) -> str:
    """A number for readers: thousands apart, a true minus, a dash where there is none."""
    if value is None:
        return NOTHING
    text = f"{value:{'+' if signed else ''},.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}").replace("-", "\N{MINUS SIGN}")


def comparison_rows(comparison: Comparison) -> list[Row]:
    """Every measure that some run has."""
    return [
        _row(comparison, measure)
        for measure in _known(comparison.runs)
        if measure.compared or len(comparison.controls) == 1
    ]


def _known(runs: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """Measures that at least one run has."""
    return [m for m in MEASURES if any(run.get(m.key) is not None for run in runs)]


def _row(comparison: Comparison, measure: Measure) -> Row:
    means = [comparison.mean(control, measure.key) for control in comparison.controls]
    differences = [comparison.difference(control, measure.key) for control in comparison.controls]
    # Counts of whole things have means that are not whole.
    whole = all(f is None or f.mean == round(f.mean) for f in (*means, *differences))
    digits = measure.digits if whole else max(1, measure.digits)
    cells = [Cell(mean=_with_half_width(means[0], digits))]
    cells += [
        Cell(
            mean=_with_half_width(mean, digits),
            difference=number(difference.mean, digits, signed=True) if difference else NOTHING,
            interval=_interval(difference, digits),
            clear=difference is not None and difference.is_clear,
        )
        for mean, difference in zip(means[1:], differences[1:], strict=True)
    ]
    return Row(measure=measure, cells=tuple(cells))


def _with_half_width(found: Estimate | None, digits: int) -> str:
    if found is None:
        return NOTHING
    text = number(found.mean, digits)
    if found.high is None or found.high == found.mean:
        return text
    return f"{text} ± {number(found.high - found.mean, digits)}"


def _interval(found: Estimate | None, digits: int) -> str:
    if found is None or found.low is None or found.low == found.high:
        return ""
    low, high = (number(end, digits, signed=True) for end in (found.low, found.high))
    return f"{low} to {high}"


def flags(comparison: Comparison) -> list[Flags]:
    """What is wrong, by control."""
    return [
        Flags(
            control=control,
            runs=len(runs),
            gridlocked=sum(bool(run["gridlock"]) for run in runs),
            invalid=sum(not run["valid"] for run in runs),
            violations=sum(int(run["safety"]["violations"]) for run in runs),
        )
        for control in comparison.controls
        for runs in [list(comparison.of(control).values())]
    ]


def run_tables(comparison: Comparison) -> list[RunTable]:
    """All runs by control and seed, in tables narrow enough for a page."""
    known = _known(comparison.runs)
    return [
        RunTable(
            title=group,
            columns=tuple(m for m in known if m.group == group),
            rows=tuple(
                RunRow(
                    control=control,
                    seed=seed,
                    cells=tuple(
                        number(run.get(m.key), m.digits) for m in known if m.group == group
                    ),
                    mark=_mark(run),
                )
                for control in comparison.controls
                for seed, run in sorted(comparison.of(control).items())
            ),
        )
        for group in (QUALITY, TRIPS)
    ]


def _mark(run: Mapping[str, Any]) -> str:
    words = ["GRIDLOCK"] if run["gridlock"] else []
    return ", ".join(words + ([] if run["valid"] else ["INVALID"]))
