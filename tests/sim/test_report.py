"""The report says what the runs say, stands on its own, and refuses what it cannot draw."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from ampelwerk.models.envelope import Aspect
from ampelwerk.sim import comparison as comparing
from ampelwerk.sim import measures
from ampelwerk.sim.net_file import read_net
from ampelwerk.sim.report.delays import delay_by_direction
from ampelwerk.sim.report.naming import comes_from
from ampelwerk.sim.report.page import write_report
from ampelwerk.sim.report.results import FinishedRun, read_results
from ampelwerk.sim.report.road import choose_road, measure_road
from ampelwerk.sim.report.signal_record import aspect_of, read_signals
from ampelwerk.sim.report.stage_times import stages_shown
from ampelwerk.sim.report.tables import number
from ampelwerk.sim.report.trajectories import Journey, read_journeys, trajectories
from ampelwerk.sim.scenario import resolve
from tests.sim.report_page import Page, titles
from tests.sim.runs import simulate

CONTROLS, SEEDS = ("priority-index", "actuated"), (1, 2)
BEGIN_S, END_S = 25200.0, 25500.0
BAD_INPUT = 2


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of five minutes of cologne8."""
    directory = tmp_path_factory.mktemp("report")
    scenario = resolve("cologne8", begin_s=BEGIN_S, end_s=END_S)
    runs = [
        simulate(scenario, directory / "runs" / control / f"seed-{seed}", control, seed=seed)
        for control in CONTROLS
        for seed in SEEDS
    ]
    found = comparing.Comparison(controls=CONTROLS, seeds=SEEDS, runs=tuple(runs))
    comparing.write(found, directory)
    return directory


@pytest.fixture
def directory(finished: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "comparison"))


@pytest.fixture(scope="module")
def page(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    copy = shutil.copytree(finished, tmp_path_factory.mktemp("page") / "comparison")
    return write_report(copy).read_text(encoding="utf-8")


def report(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, words)])


def edit(path: Path, **values: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **values}), encoding="utf-8")


@pytest.mark.sumo
def test_page_needs_nothing_besides_itself(page: str) -> None:
    parsed = Page(page)
    assert all(reference.startswith("#") for reference in parsed.references)
    assert {reference[1:] for reference in parsed.references} <= set(parsed.ids)
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert not parsed.tags & {"link", "img", "iframe", "object"}
    for url in re.findall(r"url\(([^)]*)\)", page):
        assert url.startswith("#")
        assert url[1:] in parsed.ids
    assert "@import" not in page
    assert re.findall(r"<script[^>]+>", page) == []


@pytest.mark.sumo
def test_every_intersection_has_stage_diagram_and_signal_timing(page: str, finished: Path) -> None:
    network = read_results(finished).drawn[0].network()
    assert len(network.intersections) == 8
    shown_titles = titles(page)
    for site in network.intersections:
        assert shown_titles.count(f"Stages of {site.intersection_id}") == 1
        assert shown_titles.count(f"Signal timing of {site.intersection_id}") == 1
        assert shown_titles.count(f"Signal timing plan of {site.intersection_id}") == 1


@pytest.mark.sumo
def test_all_sections_and_definitions_are_there(page: str) -> None:
    for title in ("Delay over time", "Delay at a signal by approach direction",
                  "Delay by vehicle class", "Paired differences in delay",
                  *(f"Time-space diagram under {control}" for control in CONTROLS)):  # fmt: skip
        assert titles(page).count(title) == 1
    ids = Page(page).ids
    for key in ("delay_s", "stops", "longest_red_s", "never_inserted", "violations"):
        assert f"def-{key}" in ids


@pytest.mark.sumo
def test_every_seed_stands_in_the_tables_with_its_delay(page: str, finished: Path) -> None:
    rows = Page(page).rows
    for run in read_results(finished).runs:
        own = [row for row in rows if row[:2] == [run.control, str(run.seed)]]
        assert len(own) == 2
        assert number(run.measures["delay_s"], 1) in own[0]
        assert number(run.measures["trips"], 0) in own[1]


@pytest.mark.sumo
def test_comparison_shows_means_and_differences_to_the_first_control(
    page: str, finished: Path
) -> None:
    compared = read_results(finished).compared()
    assert compared.controls == CONTROLS
    mean = compared.mean(CONTROLS[0], "delay_s")
    difference = compared.difference(CONTROLS[1], "delay_s")
    assert mean and difference and difference.low is not None and difference.high is not None
    row = next(row for row in Page(page).rows if row[0] == "delay [s]" and len(row) == 3)
    assert row[1].startswith(number(mean.mean, 1) + " ±")
    assert number(difference.mean, 1, signed=True) in row[2]
    assert f"({number(difference.low, 1, signed=True)} to" in row[2]
    bold = 'class="difference clear"' in page.split("def-delay_s")[1].split("</tr>")[0]
    assert bold == difference.is_clear


@pytest.mark.sumo
def test_same_results_give_the_same_page(directory: Path, page: str) -> None:
    assert write_report(directory).read_text(encoding="utf-8") == page


@pytest.mark.sumo
def test_gridlocked_and_invalid_runs_are_marked(directory: Path) -> None:
    edit(directory / "runs/actuated/seed-1/measures.json", gridlock=True)
    edit(directory / "runs/actuated/seed-2/measures.json", valid=False)
    text = write_report(directory).read_text(encoding="utf-8")
    assert "actuated, seed 1: GRIDLOCK" in text
    assert "actuated, seed 2: INVALID" in text
    assert "1 of 2 gridlocked" in text
    assert "1 of 2 invalid" in text
    rows = Page(text).rows
    assert ["actuated GRIDLOCK", "1"] in [row[:2] for row in rows]
    assert "This run is gridlocked" in text


@pytest.mark.sumo
def test_one_run_alone(finished: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished / "runs/actuated/seed-2", tmp_path / "run"))
    result = report(run)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(run / "report.html")
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "Paired differences" not in titles(text)
    assert "Delay over time" in titles(text)
    delay_s = json.loads((run / "measures.json").read_text(encoding="utf-8"))["delay_s"]
    assert ["delay [s]", number(delay_s, 1)] in Page(text).rows


@pytest.mark.sumo
def test_one_seed_ranks_nothing(directory: Path) -> None:
    for control in CONTROLS:
        shutil.rmtree(directory / "runs" / control / "seed-2")
    text = write_report(directory).read_text(encoding="utf-8")
    assert "A single seed has no interval and ranks nothing" in text
    assert 'class="difference clear"' not in text


@pytest.mark.sumo
def test_run_that_was_cut_off_is_named_and_left_out(directory: Path) -> None:
    (directory / "runs/actuated/seed-2/measures.json").unlink()
    text = write_report(directory).read_text(encoding="utf-8")
    assert "actuated/seed-2 was cut off and is left out" in text
    assert "different seeds" in text


@pytest.mark.sumo
def test_names_from_files_are_escaped(directory: Path) -> None:
    for path in directory.glob("runs/*/*/measures.json"):
        edit(path, scenario="<img src=x>")
    text = write_report(directory).read_text(encoding="utf-8")
    assert "<img" not in text
    assert "&lt;img src=x&gt;" in text


@pytest.mark.sumo
def test_old_page_is_kept_unless_forced(directory: Path) -> None:
    (directory / "report.html").write_text("mine", encoding="utf-8")
    refused = report(directory)
    assert refused.exit_code == BAD_INPUT
    assert "--force" in refused.stderr
    assert refused.stdout == ""
    assert (directory / "report.html").read_text(encoding="utf-8") == "mine"
    assert report(directory, "--force").exit_code == 0
    assert (directory / "report.html").stat().st_size > 100_000


@pytest.mark.sumo
def test_route_that_was_asked_for_is_drawn(directory: Path) -> None:
    edges = ["8716807#5", "8716807#6", "-297047308"]
    result = report(directory, "--route", " ".join(edges))
    assert result.exit_code == 0, result.output
    text = (directory / "report.html").read_text(encoding="utf-8")
    assert " ".join(edges) in text
    assert "The road that was asked for" in text


@pytest.mark.sumo
@pytest.mark.parametrize(
    ("route", "phrase"),
    [("nowhere", "no such edge"), ("8716807#6 8716807#5", "do not follow each other")],
)
def test_route_that_is_none_is_refused(directory: Path, route: str, phrase: str) -> None:
    result = report(directory, "--route", route)
    assert result.exit_code == BAD_INPUT
    assert phrase in result.stderr
    assert not (directory / "report.html").exists()


@pytest.mark.sumo
@pytest.mark.parametrize("name", ["run.json", "model.json", "signals.csv", "tripinfo.xml",
                                  "vehroutes.xml"])  # fmt: skip
@pytest.mark.parametrize("content", [None, "{", ""])
def test_missing_or_broken_file_is_refused(directory: Path, name: str, content: str | None) -> None:
    path = directory / "runs" / CONTROLS[0] / "seed-1" / name
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = report(directory)
    assert result.exit_code == BAD_INPUT, result.output
    assert name in result.stderr
    assert "Traceback" not in result.stderr
    assert not (directory / "report.html").exists()


@pytest.mark.sumo
def test_net_that_is_gone_or_another_is_refused(directory: Path, tmp_path: Path) -> None:
    cases = (
        (tmp_path / "gone.net.xml", "gone.net.xml"),
        (resolve("cologne3").net_file, "not the one that was simulated"),
    )
    for net_file, phrase in cases:
        for path in directory.glob("runs/*/*/run.json"):
            config = json.loads(path.read_text(encoding="utf-8"))["config"]
            config["scenario"]["net_file"] = str(net_file)
            edit(path, config=config)
        result = report(directory)
        assert result.exit_code == BAD_INPUT
        assert phrase in result.stderr


def test_directory_without_results_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        result = report(place)
        assert result.exit_code == BAD_INPUT
        assert "no finished run" in result.stderr


def runs_of(directory: Path) -> Iterator[FinishedRun]:
    yield from read_results(directory).runs


@pytest.mark.sumo
def test_signal_bars_show_green_or_amber_whenever_a_vehicle_passes(finished: Path) -> None:
    """Signal record and vehicle record, written apart, fit together: nobody drives on red."""
    passed = 0
    for run in runs_of(finished):
        network, net = run.network(), read_net(run.net_file)
        journeys = read_journeys(run.file(measures.VEHROUTES))
        record = read_signals(run.file("signals.csv"))
        road = measure_road(net, network, choose_road(net, network, [j.edges for j in journeys]))
        assert len(road.signals) >= 2
        signal_at = {signal.position_m: signal for signal in road.signals}
        for edge, following in itertools.pairwise(road.edges):
            if not edge.signal:
                continue
            signal = signal_at[edge.end_m]
            for journey in journeys:
                steps = zip(journey.edges, journey.edges[1:], journey.exit_s, strict=False)
                for here, there, exit_s in steps:
                    if (here, there) == (edge.edge_id, following.edge_id) and exit_s < END_S:
                        state = record[signal.name].at(exit_s)
                        assert aspect_of(state, signal.links) in (Aspect.GREEN, Aspect.AMBER)
                        passed += 1
    assert passed > 50


@pytest.mark.sumo
def test_stages_shown_are_those_that_were_asked_for(finished: Path) -> None:
    compared = 0
    for run in runs_of(finished):
        record = read_signals(run.file("signals.csv"))
        with run.file("decisions.csv").open(newline="", encoding="utf-8") as file:
            decisions = list(csv.DictReader(file))
        for site in run.network().intersections:
            name = str(site.intersection_id)
            asked = [(float(d["time"]), d["stage"]) for d in decisions if d["intersection"] == name]
            for item in stages_shown(site, record[name], BEGIN_S, END_S):
                before = [stage for time_s, stage in asked if time_s <= item.start_s]
                if before:
                    assert site.stages[item.stage].stage_id == before[-1]
                    compared += 1
    assert compared > 50


@pytest.mark.sumo
def test_trajectories_run_forward_and_stay_on_the_road(finished: Path) -> None:
    run = next(runs_of(finished))
    network, net = run.network(), read_net(run.net_file)
    journeys = read_journeys(run.file(measures.VEHROUTES))
    road = measure_road(net, network, choose_road(net, network, [j.edges for j in journeys]))
    lines = [line for pieces in trajectories(road, journeys, END_S) for line in pieces]
    assert len(lines) > 20
    for line in lines:
        for (t1, x1), (t2, x2) in itertools.pairwise(line):
            assert t2 >= t1 - 1e-6
            assert x2 >= x1 - 1e-6
        assert BEGIN_S <= line[0][0] <= line[-1][0] <= END_S
        assert 0 <= line[0][1] <= line[-1][1] <= road.length_m + 1e-6


@pytest.mark.sumo
def test_delay_by_direction_is_time_lost_before_the_stop_line(finished: Path) -> None:
    run = next(runs_of(finished))
    network, net = run.network(), read_net(run.net_file)
    approach = network.approaches[0]
    lane = net.edges[str(approach.edge_id)].lanes[0]
    free_s = lane.length_m / lane.speed_mps
    depart_s = 100.0
    late = Journey("late", (lane.edge_id, "on"), depart_s, (depart_s + free_s + 12, 999.0), True)
    stuck = replace(late, exit_s=(float("inf"), float("inf")), arrived=False)
    direction = comes_from(approach.bearing_deg)
    assert delay_by_direction(net, network, [late], 900)[direction] == pytest.approx(12)
    lost = delay_by_direction(net, network, [late, stuck], depart_s + free_s + 30)[direction]
    assert lost == pytest.approx((12 + 30) / 2)
