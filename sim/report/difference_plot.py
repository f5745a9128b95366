"""Paired differences in delay to the first control: a dot for every seed, mean and 95 % interval."""

from __future__ import annotations

from ampelwerk.sim.comparison import Comparison
from ampelwerk.sim.report.drawing import (
    CONTROL_COLOURS,
    FAINT,
    INK,
    WIDTH_IN,
    new_figure,
    style,
    svg,
)

_LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN, _ROW_IN = 1.6, 0.35, 0.1, 0.5, 0.42
"""Margins, and the height of a control. [in]"""


def difference_picture(comparison: Comparison) -> str:
    """The picture as SVG; empty if there is nothing to compare."""
    others = [
        control
        for control in comparison.controls[1:]
        if comparison.difference(control, "delay_s") is not None
    ]
    if not others:
        return ""
    width_in, height_in = WIDTH_IN * 0.72, _TOP_IN + _BOTTOM_IN + _ROW_IN * len(others)
    with style():
        figure = new_figure(width_in, height_in)
        axes = figure.add_axes(
            (
                _LEFT_IN / width_in,
                _BOTTOM_IN / height_in,
                1 - (_LEFT_IN + _RIGHT_IN) / width_in,
                1 - (_TOP_IN + _BOTTOM_IN) / height_in,
            )
        )
        axes.axvline(0, color=INK, linewidth=0.9)
        for row, control in enumerate(others):
            colour = CONTROL_COLOURS[comparison.controls.index(control) % len(CONTROL_COLOURS)]
            found = comparison.difference(control, "delay_s")
            if found is None:
                continue
            if found.low is not None and found.high is not None:
                axes.plot([found.low, found.high], [row, row], color=colour, linewidth=2.2)
            axes.plot([found.mean], [row], color=colour, marker="D", markersize=6)
            values = _by_seed(comparison, control)
            axes.plot(
                values, [row + 0.27] * len(values), linestyle="none", marker="o", markersize=3.2,
                markerfacecolor="white", markeredgecolor=colour, markeredgewidth=0.8,
            )  # fmt: skip
        axes.set_ylim(len(others) - 0.45, -0.55)
        axes.set_yticks(range(len(others)), others)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color="#e6e9ed", linewidth=0.7)
        axes.set_axisbelow(True)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, -0.02 * (high - low)), max(high, 0.02 * (high - low)))
        axes.set_xlabel(f"delay minus that under {comparison.controls[0]} [s]; left of 0 is better")
        axes.spines["bottom"].set_color(FAINT)
        return svg(figure, title="Paired differences in delay", key="differences")


def _by_seed(comparison: Comparison, control: str) -> list[float]:
    """Difference of every seed that both have."""
    reference = comparison.of(comparison.controls[0])
    pairs = [
        (run.get("delay_s"), reference[seed].get("delay_s"))
        for seed, run in comparison.of(control).items()
        if seed in reference
    ]
    return [float(a) - float(b) for a, b in pairs if a is not None and b is not None]
