"""Stage diagram (Phasenbilder): the plan of the intersection, once for every stage.

Green movements are arrows along their true paths: solid where they have the right of way, dashed
where they give way to another green movement (permissive). Pedestrian crossings are drawn with an
arrow at both ends. The first picture names all signal groups, the others the green ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import Any

from matplotlib.axes import Axes

from ampelwerk.models.envelope import Aspect
from ampelwerk.models.intersection import Intersection, Turn
from ampelwerk.sim.net_file import NetFile, Point
from ampelwerk.sim.report.drawing import (
    ASPECT_COLOUR,
    FAINT,
    INK,
    ROAD,
    WIDTH_IN,
    Offset,
    bare_axes,
    filled,
    new_figure,
    stroked,
    style,
    svg,
)
from ampelwerk.sim.report.junction_geometry import JunctionPlan, MovementPath, junction_plan

COLUMNS = 4
HEADING_IN = 0.3
MOST_PANELS = 20
"""More stages than this are listed in the table only."""
_GREEN = ASPECT_COLOUR[Aspect.GREEN]


def stage_picture(
    net: NetFile, site: Intersection, stages: Sequence[int], captions: Sequence[str], key: str
) -> str:
    """All stages of one intersection side by side, as SVG.

    Parameters
    ----------
    stages : indices of the stages to draw.
    captions : (stages,) a second line under the name of each.
    """
    plan = junction_plan(net, site)
    count = min(len(stages), MOST_PANELS) + 1
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    panel_in = WIDTH_IN / COLUMNS
    size_m = 2 * plan.radius_m * 1.06
    points_per_m = (panel_in - 0.12) * 72 / size_m
    with style():
        width_in, height_in = columns * panel_in, rows * (panel_in + HEADING_IN)
        figure = new_figure(width_in, height_in)
        axes = bare_axes(figure, (0, 0, 1, 1))
        axes.set_xlim(0, columns * size_m)
        axes.set_ylim(rows * size_m * (1 + HEADING_IN / panel_in), 0)
        layers: list[str] = []
        offsets: list[Offset] = []
        for place in range(count):
            row, column = divmod(place, columns)
            corner = (column * size_m, row * size_m * (1 + HEADING_IN / panel_in))
            panel = _Panel(axes, plan, corner, size_m, points_per_m, HEADING_IN / panel_in)
            if place == 0:
                layers = panel.roads()
                panel.overview(site)
            else:
                offsets.append((column * panel_in * 72, row * (panel_in + HEADING_IN) * 72))
                panel.stage(site, stages[place - 1], captions[place - 1])
        return svg(
            figure,
            title=f"Stages of {site.intersection_id}",
            key=key,
            copies=dict.fromkeys(layers, offsets),
        )


class _Panel:
    """One small plan in the picture; its upper left corner lies at `corner`."""

    def __init__(
        self,
        axes: Axes,
        plan: JunctionPlan,
        corner: Point,
        size_m: float,
        points_per_m: float,
        heading: float,
    ) -> None:
        self._axes, self._plan, self._corner = axes, plan, corner
        self._size_m, self._points_per_m, self._heading = size_m, points_per_m, heading

    def _at(self, point: Point) -> Point:
        """From metres around the intersection, north up, to the picture, down."""
        half = self._size_m / 2
        return (
            self._corner[0] + half + point[0],
            self._corner[1] + self._size_m * self._heading + half - point[1],
        )

    def roads(self) -> list[str]:
        """Draw the roads, the same in every panel; names of the layers."""
        layers: list[tuple[Sequence[Sequence[Point]], str, float, dict[str, Any]]] = []
        for width_m in sorted({width for _, width in self._plan.lanes}):
            lanes = [shape for shape, w in self._plan.lanes if w == width_m]
            layers.append((lanes, ROAD, max(0.5, width_m * self._points_per_m - 0.5), {}))
        layers.append((self._plan.inner, ROAD, 3.4 * self._points_per_m, {}))
        layers.append((self._plan.stop_lines, "#57606a", 1.0, {}))
        for shape, width_m in self._plan.walks:
            dashed = {"linestyle": (0, (0.35, 0.35))}
            layers.append(([shape], "#ffffff", width_m * self._points_per_m, dashed))
        names = [f"roads{k}" for k in range(len(layers))]
        for name, (lines, colour, width_pt, looks) in zip(names, layers, strict=True):
            moved = [[self._at(p) for p in line] for line in lines]
            stroked(self._axes, moved, colour, width_pt, gid=name, **looks)
        return names

    def _title(self, name: str, caption: str) -> None:
        x, y = self._corner[0] + self._size_m * 0.03, self._corner[1]
        self._axes.text(x, y + self._size_m * 0.055, name, fontweight="bold", fontsize=9.5,
                        va="center")  # fmt: skip
        self._axes.text(x, y + self._size_m * 0.125, caption, fontsize=7.2, color="#57606a",
                        va="center")  # fmt: skip

    def overview(self, site: Intersection) -> None:
        """All movements thin, all signal groups named, north."""
        self._title("signal groups", "north is up")
        self._arrows(self._plan.paths, INK, 0.7, dashed=False)
        self._names(site, [path for path in self._plan.paths if path.movement.group >= 0], INK)

    def stage(self, site: Intersection, index: int, caption: str) -> None:
        """The green movements of a stage."""
        stage = site.stages[index]
        self._title(f"stage {stage.stage_id}", caption)
        paths = self._plan.paths
        rest = [path for path in paths if path.movement.group < 0]
        released = [path for path in paths if path.movement.group in stage.groups]
        permissive = [path for path in released if _gives_way(path, stage.permissive, stage.groups)]
        protected = [path for path in released if path not in permissive]
        on_red = [path for path in paths if path.movement.group in stage.turn_on_red
                  and path.movement.turn is Turn.RIGHT]  # fmt: skip
        self._arrows(rest, FAINT, 0.7, dashed=True)
        self._arrows(on_red, "#d97706", 1.1, dashed=True)
        self._arrows(permissive, _GREEN, 1.5, dashed=True)
        self._arrows(protected, _GREEN, 1.7, dashed=False)
        self._names(site, released, INK)

    def _arrows(
        self, paths: Sequence[MovementPath], colour: str, width_pt: float, *, dashed: bool
    ) -> None:
        lines, heads = [], []
        size = (3.4 + 1.5 * width_pt) / self._points_per_m
        for path in paths:
            points = [self._at(p) for p in path.points]
            if len(points) < 2:
                continue
            lines.append(points)
            heads.append(_head(points, size))
            if path.movement.turn is Turn.CROSSING:
                heads.append(_head(points[::-1], size))
        looks = {"linestyle": (0, (2.2, 1.5))} if dashed else {}
        stroked(self._axes, lines, colour, width_pt, **looks)
        filled(self._axes, heads, colour)

    def _names(self, site: Intersection, paths: Sequence[MovementPath], colour: str) -> None:
        """Signal groups, those of one road together, behind the tails of their arrows."""
        spots: dict[str, tuple[list[Point], list[int]]] = {}
        for path in paths:
            road = path.movement.from_lane.rsplit("_", 1)[0]
            if path.movement.turn is Turn.CROSSING:
                road = str(path.movement.to_lane)
            places, groups = spots.setdefault(road, ([], []))
            places.append(path.name_at)
            if path.movement.group not in groups:
                groups.append(path.movement.group)
        limit = self._size_m / 2 * 0.93
        for places, groups in spots.values():
            x = sum(p[0] for p in places) / len(places)
            y = sum(p[1] for p in places) / len(places)
            x, y = max(-limit, min(limit, x)), max(-limit, min(limit, y))
            names = [str(site.envelope.groups[group].group_id) for group in sorted(groups)]
            self._axes.text(
                *self._at((x, y)), "\n".join(names), fontsize=6.8, color=colour, linespacing=0.95,
                ha="center", va="center", fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
            )  # fmt: skip


def _gives_way(path: MovementPath, permissive: Sequence[int], green: Sequence[int]) -> bool:
    """The movement gives way to a green one."""
    if path.movement.yields_to:
        return any(group in green for group in path.movement.yields_to)
    return path.movement.group in permissive and path.movement.turn is not Turn.CROSSING


def _head(points: Sequence[Point], size: float) -> list[Point]:
    """An arrow head just beyond the end of a line."""
    (x, y), back = points[-1], next((p for p in points[-2::-1] if p != points[-1]), points[0])
    along = (x - back[0], y - back[1])
    length = hypot(*along) or 1.0
    ux, uy = along[0] / length, along[1] / length
    return [
        (x + ux * size, y + uy * size),
        (x - uy * size * 0.5, y + ux * size * 0.5),
        (x + uy * size * 0.5, y - ux * size * 0.5),
    ]
