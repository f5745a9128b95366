"""Delay over time, by approach direction and by vehicle class, with every seed shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from ampelwerk.sim.report.delays import Spread
from ampelwerk.sim.report.drawing import (
    CONTROL_COLOURS,
    WIDTH_IN,
    delay_axis,
    new_figure,
    style,
    svg,
    time_axis,
)


def over_time_picture(
    curves: Mapping[str, Sequence[tuple[float, Spread]]], begin_s: float, end_s: float
) -> str:
    """A line for the mean of the seeds of each control, a band from the least to the greatest."""
    height_in = 3.6
    with style():
        figure = new_figure(WIDTH_IN, height_in)
        axes = figure.add_axes(
            (0.62 / WIDTH_IN, 0.45 / height_in, 1 - 0.97 / WIDTH_IN, 1 - 0.85 / height_in)
        )
        for k, (control, curve) in enumerate(curves.items()):
            colour = CONTROL_COLOURS[k % len(CONTROL_COLOURS)]
            points = [(t, fmean(s.known), min(s.known), max(s.known)) for t, s in curve if s.known]
            times = [p[0] for p in points]
            if any(len(s.by_seed) > 1 for _, s in curve):
                axes.fill_between(
                    times, [p[2] for p in points], [p[3] for p in points],
                    color=colour, alpha=0.16, linewidth=0,
                )  # fmt: skip
            axes.plot(
                times, [p[1] for p in points], color=colour, linewidth=1.6, label=control,
                marker="o", markersize=2.6,
            )  # fmt: skip
        time_axis(axes, begin_s, end_s)
        axes.set_xlabel(axes.get_xlabel().replace("simulation time", "time the trip was due"))
        delay_axis(axes)
        figure.legend(
            loc="upper left", bbox_to_anchor=(0.62 / WIDTH_IN, 1 - 0.05 / height_in),
            ncols=len(curves), borderpad=0, borderaxespad=0,
        )  # fmt: skip
        return svg(figure, title="Delay over time", key="over-time")


def bars_picture(
    bars: Mapping[str, Mapping[str, Spread]], categories: Sequence[str], title: str, key: str
) -> str:
    """Bars side by side for the controls; a dot for every seed."""
    height_in = 3.2
    width_in = min(WIDTH_IN, 2.2 + 0.24 * len(bars) * len(categories) + 0.3 * len(categories))
    width_in = max(width_in, 1.5 + 1.35 * len(bars))
    step = 0.8 / len(bars)
    with style():
        figure = new_figure(width_in, height_in)
        axes = figure.add_axes(
            (0.62 / width_in, 0.35 / height_in, 1 - 0.75 / width_in, 1 - 0.75 / height_in)
        )
        for k, (control, values) in enumerate(bars.items()):
            colour = CONTROL_COLOURS[k % len(CONTROL_COLOURS)]
            at = [c - 0.4 + (k + 0.5) * step for c in range(len(categories))]
            spreads = [values.get(category) for category in categories]
            means = [s.mean if s and s.mean is not None else 0.0 for s in spreads]
            axes.bar(at, means, width=step * 0.88, color=colour, alpha=0.75, label=control)
            dots = [(x, v) for x, s in zip(at, spreads, strict=True) if s for v in s.known]
            if any(s and len(s.known) > 1 for s in spreads):
                axes.plot(
                    [x for x, _ in dots], [v for _, v in dots], linestyle="none", marker="o",
                    markersize=2.6, markerfacecolor="white", markeredgecolor="#1b1f24",
                    markeredgewidth=0.6,
                )  # fmt: skip
        axes.set_xticks(range(len(categories)), categories)
        axes.set_xlim(-0.55, len(categories) - 0.45)
        axes.tick_params(axis="x", length=0)
        delay_axis(axes)
        figure.legend(
            loc="upper left", bbox_to_anchor=(0.62 / width_in, 1 - 0.05 / height_in),
            ncols=len(bars), borderpad=0, borderaxespad=0, columnspacing=1.2, handlelength=1.3,
        )  # fmt: skip
        return svg(figure, title=title, key=key)
