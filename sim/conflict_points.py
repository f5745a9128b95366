"""Where two paths meet: crossings, stretches side by side, closest approach, as distances along them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from ampelwerk.sim.net_file import Point


def stretch_m(
    line: Sequence[Point], other: Sequence[Point], within_m: float
) -> tuple[float, float] | None:
    """First and last distance along a line at which another is as near as that. [m]"""
    near = [along for point, along in _samples(line, 0.2) if _apart_m(point, other) <= within_m]
    return (near[0], near[-1]) if near else None


def _apart_m(point: Point, line: Sequence[Point]) -> float:
    """Distance of a point from a line. [m]"""
    best = math.inf
    for (ax, ay), (bx, by) in pairwise(line):
        ux, uy = bx - ax, by - ay
        square = ux * ux + uy * uy
        share = ((point[0] - ax) * ux + (point[1] - ay) * uy) / square if square else 0.0
        share = min(1.0, max(0.0, share))
        best = min(best, math.hypot(point[0] - ax - share * ux, point[1] - ay - share * uy))
    return best


def crossings_m(first: Sequence[Point], second: Sequence[Point]) -> list[tuple[float, float]]:
    """Distances along two lines to each point where they cross. [m]"""
    found = []
    along_first = 0.0
    for a, b in pairwise(first):
        along_second = 0.0
        for c, d in pairwise(second):
            shares = _crossing(a, b, c, d)
            if shares is not None:
                found.append(
                    (
                        along_first + shares[0] * math.dist(a, b),
                        along_second + shares[1] * math.dist(c, d),
                    )
                )
            along_second += math.dist(c, d)
        along_first += math.dist(a, b)
    return found


def _crossing(a: Point, b: Point, c: Point, d: Point) -> tuple[float, float] | None:
    """Shares of two segments at which they cross, or None."""
    (ux, uy), (vx, vy) = (b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1])
    determinant = ux * vy - uy * vx
    if abs(determinant) < 1e-9:
        return None
    wx, wy = c[0] - a[0], c[1] - a[1]
    s, t = (wx * vy - wy * vx) / determinant, (wx * uy - wy * ux) / determinant
    return (s, t) if 0 <= s <= 1 and 0 <= t <= 1 else None


def closest_approach_m(first: Sequence[Point], second: Sequence[Point]) -> tuple[float, float]:
    """Distances along two lines that do not cross to where they come closest. [m]"""
    best, found = math.inf, (0.0, 0.0)
    for p, along_p in _samples(first, 1.0):
        for q, along_q in _samples(second, 1.0):
            apart = math.dist(p, q)
            if apart < best - 1e-6:
                best, found = apart, (along_p, along_q)
    return found


def _samples(line: Sequence[Point], apart_m: float) -> list[tuple[Point, float]]:
    """Points of a line about that far apart, with their distance along it."""
    found, along = [(line[0], 0.0)], 0.0
    for a, b in pairwise(line):
        length = math.dist(a, b)
        steps = max(1, math.ceil(length / apart_m))
        for k in range(1, steps + 1):
            share = k / steps
            point = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
            found.append((point, along + share * length))
        along += length
    return found
