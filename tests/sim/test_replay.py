"""A recorded run is replayed to the same bytes, without SUMO; what is no record is refused."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.agreement import agreement
from ampelwerk.sim.decisions import (
    by_intersection,
    decisions_csv,
    read_decisions,
    wanted_stages,
)
from ampelwerk.sim.imported import import_network, network_json, read_network
from ampelwerk.sim.recording import FORMAT, HeardLoops, read_frames
from ampelwerk.sim.replay import first_difference, open_record, replay, write_replay
from ampelwerk.sim.report.signal_record import read_signals
from ampelwerk.sim.report.stage_times import stages_shown
from ampelwerk.sim.run_directory import open_run, sha256
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario
from tests.sim import odd_inputs, odd_networks
from tests.sim.runs import record, simulate

pytestmark = pytest.mark.sumo

CONTROLS = ("actuated", "max-pressure", "priority-index", "rolling-horizon", "fixed")


@pytest.fixture(scope="module")
def recorded(small: SmallScenario, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    scenario = resolve(str(small.net), routes=[small.routes], end_s=400.0)
    return record(scenario, tmp_path_factory.mktemp("recorded"), CONTROLS)


@pytest.fixture(scope="module")
def half_seconds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """People who walk, kerb detectors, and steps of half a second."""
    folder = tmp_path_factory.mktemp("half")
    scenario = replace(odd_networks.crossings(folder), step_s=0.5)
    return record(scenario, folder / "runs", CONTROLS)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("runs", ["recorded", "half_seconds"])
def test_same_control_gives_the_same_bytes(
    runs: str, control: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    directory = request.getfixturevalue(runs)[control]
    found = open_record(open_run(directory))
    replayed = replay(found, control)
    assert replayed.content == (directory / "decisions.csv").read_bytes()
    assert first_difference(found, replayed) is None
    assert len(replayed.decisions) > 10 or control == "fixed"
    # The lamps, too, are those that SUMO recorded.
    write_replay(found, replayed, tmp_path)
    assert lamps(tmp_path) == lamps(directory)


def lamps(directory: Path) -> dict[str, list[tuple[float, str]]]:
    """States of each signal, with the time from which they were shown."""
    found: dict[str, list[tuple[float, str]]] = {}
    with (directory / "signals.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["intersection"], []).append((float(row["time"]), row["state"]))
    return found


def test_recording_changes_nothing(
    small: SmallScenario, recorded: dict[str, Path], tmp_path: Path
) -> None:
    scenario = resolve(str(small.net), routes=[small.routes], end_s=400.0)
    simulate(scenario, tmp_path / "run", "max-pressure")  # which does not read all loops
    for name in ("decisions.csv", "signals.csv", "model.json"):
        there = recorded["max-pressure"] / name
        assert (tmp_path / "run" / name).read_bytes() == there.read_bytes()
    assert not (tmp_path / "run" / "frames.npz").exists()


def test_all_loops_are_recorded_whatever_the_control_reads(recorded: dict[str, Path]) -> None:
    network = open_run(recorded["fixed"]).network()
    frames = read_frames(recorded["fixed"] / "frames.npz", network)
    assert frames.ticks == 400
    assert {network.loops[k].role for k in frames.loop} == {loop.role for loop in network.loops}
    read = frames.reader()
    edges = [read(float(k)) for k in range(1, 401)]
    assert sum(len(frame.loop) for frame in edges) == len(frames.loop)
    assert all(at <= frame.time_s for frame in edges for at in frame.at_s)
    assert not any(HeardLoops(network, ()).of(frame).loop for frame in edges)


def test_a_decision_late_on_the_clock_keeps_its_half_second(half_seconds: dict[str, Path]) -> None:
    found = open_record(open_run(half_seconds["actuated"]))
    decision = replay(found, "actuated").decisions[0]
    late = decisions_csv([replace(decision, time_s=1_000_000.5)], found.network)
    assert b"\n1000000.5," in late


def test_another_control_decides_on_the_recorded_day(
    recorded: dict[str, Path], tmp_path: Path
) -> None:
    found = open_record(open_run(recorded["fixed"]))
    replayed = replay(found, "rolling-horizon")
    assert len(replayed.decisions) > 10
    (tmp_path / "out").mkdir()
    write_replay(found, replayed, tmp_path / "out")
    run = open_run(tmp_path / "out")
    assert (run.control, run.is_replay, run.begin_s, run.end_s) == ("rolling-horizon", True, 0, 400)
    assert read_decisions(tmp_path / "out" / "decisions.csv", run.network()) == [
        replace(d, wish=replace(d.wish, gap=round(d.wish.gap, 4))) for d in replayed.decisions
    ]
    with pytest.raises(InvalidInputError, match="itself a replay"):
        open_record(run)


def test_agreement_with_oneself_is_whole_and_with_another_is_not(
    recorded: dict[str, Path],
) -> None:
    found = open_record(open_run(recorded["actuated"]))
    own, other = replay(found, "actuated").decisions, replay(found, "max-pressure").decisions
    same = agreement(own, found.network, own, found.network, 0.0, 400.0)
    assert (same.same, same.overall_share) == (len(own), 1.0)
    differs = agreement(own, found.network, other, found.network, 0.0, 400.0)
    assert differs.same < differs.recorded == len(own)
    assert differs.replayed == len(other)
    assert differs.overall_share is not None
    assert 0.2 < differs.overall_share < 1
    back = agreement(other, found.network, own, found.network, 0.0, 400.0)
    assert back.same_stage_share == differs.same_stage_share


@pytest.mark.parametrize("control", ["fixed", "actuated"])
def test_stages_wanted_are_those_the_lamps_followed(
    recorded: dict[str, Path], control: str
) -> None:
    """What follows from plan and decisions is what was shown, wherever a stage is in full."""
    network = open_run(recorded[control]).network()
    signals = read_signals(recorded[control] / "signals.csv")
    decisions = read_decisions(recorded[control] / "decisions.csv", network)
    for site, own in zip(network.intersections, by_intersection(decisions, network), strict=True):
        wanted = wanted_stages(site, own, 0.0, 400.0)
        shown = stages_shown(site, signals[str(site.intersection_id)], 0.0, 400.0)
        assert len(shown) > 4
        for item in shown:
            assert site.stages[wanted.at(item.start_s)].groups == site.stages[item.stage].groups


@pytest.mark.parametrize(
    "builder", [odd_networks.tram, odd_networks.too_many_groups, odd_inputs.odd_signal_name]
)
def test_the_network_comes_back_from_its_file(
    builder: odd_networks.Builder, tmp_path: Path
) -> None:
    network = import_network(builder(tmp_path), SumoProfile())
    path = tmp_path / "model.json"
    path.write_bytes(network_json(network))
    assert repr(read_network(path)) == repr(network)


# What is no record


@pytest.fixture
def copy(recorded: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded["actuated"], tmp_path / "copy"))


def refusal(directory: Path) -> str:
    with pytest.raises(InvalidInputError) as refused:
        open_record(open_run(directory))
    return str(refused.value)


def rewrite_manifest(directory: Path, *, trust: str = "", **record_fields: object) -> None:
    """Change the manifest's section on the record; trust a file as it is now."""
    path = directory / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["record"].update(record_fields)
    if trust:
        manifest["record"]["sha256"][trust] = sha256(directory / trust)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_a_truncated_record_is_refused(copy: Path) -> None:
    path = copy / "frames.npz"
    path.write_bytes(path.read_bytes()[:-200])
    assert "cut short" in refusal(copy)
    assert str(path) in refusal(copy)
    rewrite_manifest(copy, trust="frames.npz")  # even where its digest is not known
    assert "cut short or damaged" in refusal(copy)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_archive_is_refused(copy: Path, content: bytes) -> None:
    (copy / "frames.npz").write_bytes(content)
    rewrite_manifest(copy, trust="frames.npz")
    assert "cut short or damaged" in refusal(copy)


@pytest.mark.parametrize(
    ("member", "change", "phrase"),
    [
        ("format", lambda value: value + 1, f"format {FORMAT + 1}"),
        ("edges", lambda value: value[:-1], "ticks"),
        ("edges", lambda value: value + 1, "edges counted"),
        ("loop", lambda value: value + 1000, "does not exist"),
        ("at_s", lambda value: value * np.nan, "without a time"),
        ("on", lambda value: value + 2, "without a time or a direction"),
        ("loops", lambda value: value[::-1], "not those of model.json"),
        ("step_s", lambda value: value / 2, "ticks of 0.5 s"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(
    copy: Path, member: str, change: Callable[[np.ndarray], np.ndarray], phrase: str
) -> None:
    path = copy / "frames.npz"
    with np.load(path) as archive:
        content = dict(archive)
    content[member] = change(content[member])
    np.savez_compressed(path, **content)
    rewrite_manifest(copy, trust="frames.npz")
    assert phrase in refusal(copy)


def test_a_changed_model_is_refused(copy: Path) -> None:
    path = copy / "model.json"
    path.write_bytes(path.read_bytes().replace(b'"min_green_ds":50', b'"min_green_ds":60'))
    assert "changed since" in refusal(copy)


def test_another_layout_is_refused_with_the_version_that_made_it(copy: Path) -> None:
    rewrite_manifest(copy, format=FORMAT + 1)
    assert f"format {FORMAT + 1}" in refusal(copy)
    assert "replay it with ampelwerk" in refusal(copy)


def test_a_run_without_a_record_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    del manifest["record"]
    (copy / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "--record" in refusal(copy)
    manifest["status"] = "unfinished"
    (copy / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "cut off" in refusal(copy)


def test_a_missing_frames_file_is_refused(copy: Path) -> None:
    (copy / "frames.npz").unlink()
    assert "missing" in refusal(copy)
