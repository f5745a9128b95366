"""Hi-res events of a run: an ATSPM package reads them and finds what SUMO's own record says."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from atspm import SignalDataProcessor

from ampelwerk.models.network import Network
from ampelwerk.sim.hires_file import companions
from ampelwerk.sim.imported import read_network
from ampelwerk.sim.run_directory import MODEL, SIGNALS
from tests.cli.test_bad_input import ampelwerk, assert_refused
from tests.cli.test_commands import ampelwerk as in_a_process
from tests.conftest import SmallScenario

AGGREGATIONS: list[dict[str, Any]] = [
    {"name": "actuations", "params": {}},
    {"name": "terminations", "params": {}},
    {"name": "arrival_on_green", "params": {"latency_offset_seconds": 0}},
    {
        "name": "split_failures",
        "params": {
            "red_time": 5,
            "red_occupancy_threshold": 0.8,
            "green_occupancy_threshold": 0.8,
            "by_approach": True,
            "by_cycle": True,
        },
    },
]


@dataclass(frozen=True)
class LoggedRun:
    """A run with its events, and what ATSPM made of them."""

    directory: Path
    network: Network
    events: list[dict[str, str]]
    measures: dict[str, list[dict[str, Any]]]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def logged(small: SmallScenario, tmp_path_factory: pytest.TempPathFactory) -> LoggedRun:
    folder = tmp_path_factory.mktemp("hires")
    path = folder / "day.csv"
    in_a_process(
        "simulate", *small.arguments, "-e", "600", "--control", "actuated", "--events", path,
        "-o", folder / "run",
    )  # fmt: skip
    processor = SignalDataProcessor(
        raw_data=str(path),
        detector_config=str(companions(path)[1]),
        bin_size=15,
        aggregations=AGGREGATIONS,
        verbose=0,
    )
    processor.load()
    processor.aggregate()
    measures: dict[str, list[dict[str, Any]]] = {}
    for aggregation in AGGREGATIONS:
        found = processor.conn.query(f"SELECT * FROM {aggregation['name']}")
        measures[aggregation["name"]] = [
            dict(zip(found.columns, row, strict=True)) for row in found.fetchall()
        ]
    processor.close()
    return LoggedRun(folder / "run", read_network(folder / "run" / MODEL), rows(path), measures)


def seconds(stamp: str) -> float:
    hours, minutes, rest = stamp.split(" ")[1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def greens(run: LoggedRun) -> dict[tuple[int, int], list[tuple[float, float]]]:
    """(device, group) -> begin and end of every green in SUMO's record whose begin was seen."""
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    record = rows(run.directory / SIGNALS)
    for device, site in enumerate(run.network.intersections, start=1):
        states = [
            (float(r["time"]), r["state"])
            for r in record
            if r["intersection"] == site.intersection_id
        ]
        for group in range(site.envelope.size):
            link = site.sumo_link_group.index(group)
            spans, since, was = [], None, states[0][1][link]
            for time_s, state in states:
                if state[link] in "Gg" and was not in "Gg":
                    since = time_s
                if state[link] not in "Gg" and was in "Gg" and since is not None:
                    spans.append((since, time_s))
                was = state[link]
            found[device, group + 1] = spans
    return found


@pytest.mark.sumo
def test_greens_are_those_of_sumos_record(logged: LoggedRun) -> None:
    begun: dict[tuple[int, int], float] = {}
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for row in logged.events:
        key = int(row["DeviceId"]), int(row["Parameter"])
        if row["EventId"] == "1":
            begun[key] = seconds(row["TimeStamp"])
        elif row["EventId"] == "7" and key in begun:
            found.setdefault(key, []).append((begun.pop(key), seconds(row["TimeStamp"])))
    expected = {key: spans for key, spans in greens(logged).items() if spans}
    assert found == expected
    assert sum(map(len, expected.values())) > 40


@pytest.mark.sumo
def test_events_are_in_order_of_time(logged: LoggedRun) -> None:
    stamps = [row["TimeStamp"] for row in logged.events]
    assert stamps == sorted(stamps)


@pytest.mark.sumo
def test_atspm_counts_what_was_written(logged: LoggedRun) -> None:
    written = Counter(
        (int(row["DeviceId"]), int(row["Parameter"]))
        for row in logged.events
        if row["EventId"] == "82"
    )
    counted = Counter[tuple[int, int]]()
    for row in logged.measures["actuations"]:
        counted[row["DeviceId"], row["Detector"]] += row["Total"]
    assert counted == written
    assert written.total() > 300
    ended = Counter[str]()
    for row in logged.measures["terminations"]:
        ended[row["PerformanceMeasure"]] += row["Total"]
    codes = Counter(row["EventId"] for row in logged.events)
    assert ended == Counter(GapOut=codes["4"], MaxOut=codes["5"], ForceOff=codes["6"])
    assert ended["GapOut"] > ended["MaxOut"]


@pytest.mark.sumo
def test_atspm_finds_the_arrivals_on_green_of_sumos_record(logged: LoggedRun) -> None:
    """Arrivals in cycles that ATSPM can see whole: between the first and the last begin of green."""
    detectors = rows(companions(logged.directory.parent / "day.csv")[1])
    groups: dict[tuple[int, int], list[int]] = {}
    for row in detectors:
        if row["Function"] == "Advance":
            key = int(row["DeviceId"]), int(row["Parameter"])
            groups.setdefault(key, []).append(int(row["Phase"]))
    shown = greens(logged)
    on, total = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for row in logged.events:
        if row["EventId"] != "82":
            continue
        device, at_s = int(row["DeviceId"]), seconds(row["TimeStamp"])
        for group in groups.get((device, int(row["Parameter"])), ()):
            spans = shown[device, group]
            if spans and at_s >= spans[0][0]:
                total[device, group] += 1
                on[device, group] += any(begin <= at_s < end for begin, end in spans)
    for measure in logged.measures["arrival_on_green"]:
        place = measure["DeviceId"], measure["Phase"]
        arrivals = total[place]
        if arrivals >= 20:
            share = on[place] / arrivals
            # It leaves out the cycles at both ends of its record; those are few vehicles of many.
            assert measure["Percent_AOG"] == pytest.approx(share, abs=3 / arrivals)
            assert abs(measure["Total_Actuations"] - arrivals) <= 6
    assert sum(count >= 20 for count in total.values()) >= 4


@pytest.mark.sumo
def test_atspm_finds_the_green_times_of_sumos_record(logged: LoggedRun) -> None:
    shown = greens(logged)
    for row in logged.measures["split_failures"]:
        lengths = {round(end - begin, 1) for begin, end in shown[row["DeviceId"], row["Phase"]]}
        assert round(row["Green_Time"], 1) in lengths
    assert len(logged.measures["split_failures"]) > 20


@pytest.mark.sumo
def test_mapping_names_every_number(logged: LoggedRun) -> None:
    mapping = rows(companions(logged.directory.parent / "day.csv")[0])
    named = {(row["DeviceId"], row["Kind"], row["Number"]) for row in mapping}
    assert len(named) == len(mapping)
    kinds = {"1": "group", "7": "group", "81": "detector", "82": "detector", "131": "pattern"}
    for row in logged.events:
        if row["EventId"] in kinds:
            assert (row["DeviceId"], kinds[row["EventId"]], row["Parameter"]) in named


@pytest.mark.sumo
def test_noting_events_changes_no_decision(logged: LoggedRun, small: SmallScenario) -> None:
    plain = logged.directory.parent / "plain"
    in_a_process("simulate", *small.arguments, "-e", "600", "--control", "actuated", "-o", plain)
    assert (plain / SIGNALS).read_bytes() == (logged.directory / SIGNALS).read_bytes()


@pytest.mark.sumo
def test_fixed_control_notes_detectors_too(small: SmallScenario, tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    in_a_process("simulate", *small.arguments, "-e", "200", "--control", "fixed", "--events", path)
    codes = Counter(row["EventId"] for row in rows(path))
    assert codes["82"] > 20
    assert codes["131"] == 2
    assert codes["6"] == codes["7"] > 5


def test_native_has_no_events(small: SmallScenario, tmp_path: Path) -> None:
    result = ampelwerk(
        "simulate", *small.arguments, "--control", "native", "--events", tmp_path / "day.csv"
    )
    assert_refused(result, "--events", "--control fixed")


def test_events_never_overwrite_unasked(small: SmallScenario, tmp_path: Path) -> None:
    (tmp_path / "day.detectors.csv").write_text("mine", encoding="utf-8")
    result = ampelwerk("simulate", *small.arguments, "--events", tmp_path / "day.csv")
    assert_refused(result, "day.detectors.csv", "--force")
    assert (tmp_path / "day.detectors.csv").read_text(encoding="utf-8") == "mine"
    missing = ampelwerk("simulate", *small.arguments, "--events", tmp_path / "no" / "day.csv")
    assert_refused(missing, "does not exist")
