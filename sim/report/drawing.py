"""How every picture of the report looks, and how it becomes inline SVG.

The same input gives the same bytes: a fixed salt for element ids, no date, no random order. Text
stays text, so that it can be searched and is never larger than the picture itself; names from
input files are drawn as they are, a dollar sign starts no formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ampelwerk.models.envelope import Aspect

Points = Sequence[tuple[float, float]]
"""Corners of a line or an area."""
Offset = tuple[float, float]
"""To the right and down. [pt]"""
WIDTH_IN = 10.4
"""Width of a full picture: 1,000 CSS pixels. [in]"""
INK, FAINT, PAPER = "#1b1f24", "#9aa3ad", "#ffffff"
ROAD = "#dfe3e8"
ASPECT_COLOUR = {
    Aspect.RED: "#d2232a",
    Aspect.RED_AMBER: "#f08a1d",
    Aspect.GREEN: "#009a4e",
    Aspect.AMBER: "#ffcc00",
}
ASPECT_NAME = {
    Aspect.RED: "red",
    Aspect.RED_AMBER: "red-amber",
    Aspect.GREEN: "green",
    Aspect.AMBER: "amber",
}
CONTROL_COLOURS = ("#0b5394", "#d97706", "#7b3fa0", "#2a9d8f", "#444c56", "#b0306a", "#6b8e23")
"""One per kind of control; none is a signal colour."""

_STYLE: dict[str, Any] = {
    "svg.hashsalt": "ampelwerk",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "text.usetex": False,
    "path.simplify": True,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}
_NUMBER = re.compile(r"-?\d+\.\d+")
_FONT_STACK = "'DejaVu Sans', Verdana, Arial, sans-serif"


@contextmanager
def style() -> Iterator[None]:
    """Everything drawn inside looks alike; Matplotlib's own settings come back afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in _STYLE.items():
            mpl.rcParams[name] = value  # type: ignore[index]
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure that knows how to become SVG."""
    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasSVG(figure)
    return figure


def bare_axes(figure: Figure, rectangle: tuple[float, float, float, float]) -> Axes:
    """Axes that measure in whatever the caller says, without frame or ticks."""
    axes = figure.add_axes(rectangle)
    axes.set_axis_off()
    return axes


def filled(axes: Axes, areas: Sequence[Points], colour: str, **more: Any) -> None:
    """Areas of one colour, as a single element of the picture."""
    if areas:
        _add(axes, areas, closed=True, facecolor=colour, edgecolor="none", linewidth=0, **more)


def stroked(axes: Axes, lines: Sequence[Points], colour: str, width_pt: float, **more: Any) -> None:
    """Lines of one colour, as a single element of the picture."""
    if lines:
        _add(axes, lines, closed=False, edgecolor=colour, linewidth=width_pt, fill=False, **more)


def _add(axes: Axes, pieces: Sequence[Points], *, closed: bool, **looks: Any) -> None:
    corners: list[tuple[float, float]] = []
    codes: list[int] = []
    for piece in pieces:
        corners += piece
        codes += [int(Path.MOVETO)] + [int(Path.LINETO)] * (len(piece) - 1)
        if closed:
            corners.append(piece[0])
            codes.append(int(Path.CLOSEPOLY))
    axes.add_patch(PathPatch(Path(corners, codes), capstyle="butt", joinstyle="round", **looks))


def svg(
    figure: Figure, *, title: str, key: str, copies: Mapping[str, Sequence[Offset]] | None = None
) -> str:
    """The figure as an SVG element for the inside of an HTML page.

    Parameters
    ----------
    title : what it shows, for readers who hear the page.
    key : short name, unique in the page; it keeps the ids of several pictures apart.
    copies : gid of an artist -> where else it appears, to the right and down. [pt]
    """
    with StringIO() as text:
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        markup = text.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>", "", markup, flags=re.DOTALL)
    markup = re.sub(r"<!--.*?-->\s*", "", markup, flags=re.DOTALL)
    for gid, offsets in (copies or {}).items():
        markup = _copied(markup, gid, offsets)
    markup = re.sub(r' d="([^"]*)"', lambda path: f' d="{_short(path[1])}"', markup)
    referenced = set(re.findall(r"#([\w.-]+)[\")]", markup))

    def keep(match: re.Match[str]) -> str:
        return f' id="{key}-{match[1]}"' if match[1] in referenced else ""

    markup = re.sub(r' id="([^"<>]*)"', keep, markup)
    markup = re.sub(r'(href="#|url\(#)', rf"\g<1>{key}-", markup)
    markup = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", rf"font: \1{_FONT_STACK}", markup)
    opening, rest = markup.split(">", 1)
    opening = f'{opening} role="img" aria-labelledby="{key}-title"'
    return f'{opening}><title id="{key}-title">{_escape(title)}</title>{rest}'


def _copied(markup: str, gid: str, offsets: Sequence[Offset]) -> str:
    """The markup with an artist's group repeated by reference, which saves most of its size."""
    start = markup.find(f'<g id="{gid}">')
    if start < 0:
        return markup
    end = markup.index("</g>", start) + len("</g>")
    uses = "".join(f'<use href="#{gid}" x="{x:.1f}" y="{y:.1f}"/>' for x, y in offsets)
    return markup[:end] + uses + markup[end:]


def _short(path: str) -> str:
    """A path in as few letters as will do: a tenth of a point is enough for every coordinate."""
    path = _NUMBER.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), path)
    words = path.split()
    kept = [w for k, w in enumerate(words) if not (w == "L" and k > 2 and _follows_line(words, k))]
    return re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(kept))


def _follows_line(words: Sequence[str], place: int) -> bool:
    """The letter L may be left out: the command before is a line or a move."""
    return words[place - 3] in ("L", "M")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clock(time_s: float) -> str:
    """Simulation time as hours, minutes and seconds, such as 7:05:00."""
    whole = round(time_s)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def clock_minutes(time_s: float) -> str:
    """Simulation time as hours and minutes, such as 7:05."""
    whole = round(time_s / 60)
    return f"{whole // 60}:{whole % 60:02d}"


def time_axis(axes: Axes, begin_s: float, end_s: float) -> None:
    """A horizontal axis of simulation time with ticks at round times."""
    span_s = end_s - begin_s
    steps: Sequence[int] = (5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    step_s = next((s for s in steps if span_s / s <= 13), steps[-1])
    first = int(-(-begin_s // step_s) * step_s)
    axes.set_xlim(begin_s, end_s)
    axes.set_xticks(list(range(first, int(end_s) + 1, step_s)))
    form, unit = (clock_minutes, "h:min") if step_s % 60 == 0 else (clock, "h:min:s")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))
    axes.set_xlabel(f"simulation time [{unit}]")


def delay_axis(axes: Axes) -> None:
    """A vertical axis of delay that starts at 0."""
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_ylabel("mean delay [s/veh]")
    axes.grid(axis="y", color="#e6e9ed", linewidth=0.7)
    axes.set_axisbelow(True)
