"""Counts from files: SUMO's E1 output, or a CSV table.

The table has a heading with the columns ``begin_s``, ``end_s``, ``count`` and one that says what was
counted: ``loop`` (as in model.json), ``lane`` (a stop-line lane), or ``intersection`` and ``group``
(a signal group; shared evenly among its lanes). A row is the number of vehicles from begin to end.
Rows need not match the intervals asked for: they are shared out by time.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.models.errors import Finding, InvalidInputError, Severity
from ampelwerk.models.network import Network
from ampelwerk.sim.net_file import elements

MOST_VEH_H = 2700.0
"""No lane passes more: 0.75 veh/s. [veh/h]"""
COVERED_SHARE = 0.9
"""An interval counts if the rows cover this share of it. [-]"""
LONGEST_S = 400 * 86_400.0
"""Rows may span this much time. [s]"""
Element = tuple[str, ...]
"""What was counted: ("loop", name), ("lane", name) or ("group", intersection, group)."""


@dataclass(frozen=True, slots=True)
class CountRow:
    """Vehicles counted in a stretch of time."""

    begin_s: float
    end_s: float
    element: Element
    count: float
    where: str
    """File and line, for messages."""


def read_counts(path: Path) -> list[CountRow]:
    """Rows of a file.

    Raises
    ------
    InvalidInputError : it is missing, broken, empty, or has a value that cannot be; says where.
    """
    try:
        is_xml = path.name.endswith((".xml", ".xml.gz"))
        rows = list(_e1_rows(path) if is_xml else _csv_rows(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(
            "the counts cannot be read", where=str(path), found=str(error)
        ) from error
    if not rows:
        raise InvalidInputError(
            "the file holds no counts",
            where=str(path),
            limit="SUMO's E1 output, or a CSV table with a heading",
        )
    return rows


def _e1_rows(path: Path) -> Iterator[CountRow]:
    for number, element in enumerate(elements(path, ("interval",)), 1):
        where = f"{path}, interval {number}"
        yield _row(
            where,
            ("loop", element.get("id", "")),
            element.get("begin", ""),
            element.get("end", ""),
            element.get("nVehContrib", ""),
        )


def _csv_rows(path: Path) -> Iterator[CountRow]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        heading = set(reader.fieldnames or ())
        kinds = [k for k in (("loop",), ("lane",), ("intersection", "group")) if set(k) <= heading]
        if not {"begin_s", "end_s", "count"} <= heading or not kinds:
            raise InvalidInputError(
                "the heading of the table lacks columns",
                where=str(path),
                found=", ".join(reader.fieldnames or ()) or "no heading",
                limit="begin_s, end_s, count, and loop, or lane, or intersection and group",
                remedy="docs/timing-plans.md shows an example",
            )
        kind = kinds[0]
        for row in reader:
            yield _row(
                f"{path}, line {reader.line_num}",
                (kind[-1], *(row.get(column) or "" for column in kind)),
                row.get("begin_s") or "",
                row.get("end_s") or "",
                row.get("count") or "",
            )


def _row(where: str, element: Element, begin: str, end: str, count: str) -> CountRow:
    try:
        begin_s, end_s, number = float(begin), float(end), float(count)
    except ValueError as error:
        raise InvalidInputError(
            "a value is no number", where=where, found=f"{begin!r}, {end!r}, {count!r}"
        ) from error
    if not 0 <= begin_s < end_s <= LONGEST_S or not 0 <= number < float("inf"):
        raise InvalidInputError(
            "the row cannot be",
            where=where,
            found=f"from {begin} to {end} s, {count} vehicles",
            limit="begin before end, none negative, within 400 days",
        )
    return CountRow(begin_s, end_s, element, number, where)


def demand_from_counts(
    network: Network, rows: Sequence[CountRow], interval_s: float
) -> TrafficDemand:
    """Demand of the network's lanes from counted rows.

    Raises
    ------
    InvalidInputError : nothing that was counted is part of the network.
    """
    lanes_of, findings = _lanes_of(network, rows)
    begin_s = np.floor(min(row.begin_s for row in rows) / interval_s) * interval_s
    size = int(np.ceil((max(row.end_s for row in rows) - begin_s) / interval_s))
    elements_ = list(lanes_of)
    number = {element: k for k, element in enumerate(elements_)}
    count = np.zeros((size, len(elements_)))
    covered_s = np.zeros((size, len(elements_)))
    for row in rows:
        k = number.get(row.element)
        if k is None:
            continue
        first = int((row.begin_s - begin_s) // interval_s)
        last = int(np.ceil((row.end_s - begin_s) / interval_s))
        for t in range(first, last):
            low = max(row.begin_s, begin_s + t * interval_s)
            high = min(row.end_s, begin_s + (t + 1) * interval_s)
            covered_s[t, k] += high - low
            count[t, k] += row.count * (high - low) / (row.end_s - row.begin_s)
    veh_h = np.where(
        covered_s >= COVERED_SHARE * interval_s,
        count * 3600.0 / np.maximum(covered_s, 1e-9),
        np.nan,
    )
    findings += _gaps(elements_, veh_h, begin_s, interval_s)
    for k, element in enumerate(elements_):
        too_much = veh_h[:, k] > MOST_VEH_H * len(lanes_of[element])
        if too_much.any():
            veh_h[too_much, k] = np.nan
            text = f"more than {MOST_VEH_H:g} veh/h a lane in {int(too_much.sum())} intervals."
            findings.append(_note("implausible_count", element, text, "They are left out."))
    flow = _per_lane(network, elements_, lanes_of, veh_h)
    unknown = [bool(np.isnan(column).all()) for column in flow.T]
    findings += [
        Finding(
            rule="lane_without_counts",
            severity=Severity.WARNING,
            where=f"lane {lane.lane_id}",
            message="nothing counts it.",
            remedy="It is taken as empty and gets minimum green.",
        )
        for lane, lacking in zip(network.lanes, unknown, strict=True)
        if lacking
    ]
    return TrafficDemand(
        begin_s=float(begin_s),
        interval_s=interval_s,
        flow_veh_h=flow,
        findings=tuple(findings),
    )


def _lanes_of(
    network: Network, rows: Iterable[CountRow]
) -> tuple[dict[Element, list[int]], list[Finding]]:
    """What was counted -> lanes it stands for; and what is no part of the network."""
    at_loop: dict[str, list[int]] = {}
    for number, lane in enumerate(network.lanes):
        for loop in lane.stop_loops or lane.advance_loops:
            at_loop.setdefault(str(network.loops[loop].loop_id), []).append(number)
    at_lane = {str(lane.lane_id): [number] for number, lane in enumerate(network.lanes)}
    at_group: dict[tuple[str, str], list[int]] = {}
    for number, lane in enumerate(network.lanes):
        site = network.intersections[lane.intersection]
        for group in {site.movements[m].group for m in lane.movements} - {-1}:
            key = (str(site.intersection_id), str(site.envelope.groups[group].group_id))
            at_group.setdefault(key, []).append(number)
    found, findings = dict[Element, list[int]](), list[Finding]()
    other_loops = {str(loop.loop_id) for loop in network.loops} - at_loop.keys()
    for row in rows:
        kind, *name = row.element
        if row.element in found or (kind == "loop" and name[0] in other_loops):
            continue
        lanes = (
            at_loop.get(name[0])
            if kind == "loop"
            else at_lane.get(name[0])
            if kind == "lane"
            else at_group.get((name[0], name[-1]))
        )
        found[row.element] = lanes or []
        if not lanes:
            text = "the network has no such stop line."
            findings.append(_note("unknown_element", row.element, text, f"See {row.where}."))
    known = {element: lanes for element, lanes in found.items() if lanes}
    if not known:
        raise InvalidInputError(
            "nothing that was counted is part of the network",
            where="--counts",
            found=", ".join(" ".join(element) for element in list(found)[:3]) or "other loops",
            limit="loops at stop lines, lanes or signal groups as `ampelwerk model` shows them",
        )
    return known, findings


def _gaps(
    counted: Sequence[Element], veh_h: FloatArray, begin_s: float, interval_s: float
) -> list[Finding]:
    found = []
    for k, element in enumerate(counted):
        missing = np.flatnonzero(np.isnan(veh_h[:, k]))
        if len(missing):
            first_s = begin_s + missing[0] * interval_s
            text = f"no count for {len(missing)} of {len(veh_h)} intervals, first at {first_s:g} s."
            found.append(_note("gap", element, text, "They are left out of the mean."))
        elif len(veh_h) > 1 and not veh_h[:, k].any():
            text = "not a single vehicle in all intervals."
            found.append(_note("silent_loop", element, text, "Check whether it works."))
    return found


def _per_lane(
    network: Network,
    counted: Sequence[Element],
    lanes_of: dict[Element, list[int]],
    veh_h: FloatArray,
) -> FloatArray:
    """(intervals, L) flows; loops that lie beside each other before one lane add up."""
    total = np.zeros((len(veh_h), len(network.lanes)))
    known = np.zeros(total.shape, dtype=bool)
    for k, element in enumerate(counted):
        present = ~np.isnan(veh_h[:, k])
        for lane in lanes_of[element]:
            total[present, lane] += veh_h[present, k] / len(lanes_of[element])
            known[present, lane] = True
    flow: FloatArray = np.where(known, total, np.nan)
    return flow


def _note(rule: str, element: Element, message: str, remedy: str) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        where=" ".join(element[:1] + element[1:]),
        message=message,
        remedy=remedy,
    )
