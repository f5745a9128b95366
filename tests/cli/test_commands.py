"""The commands, used as a stranger would: each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ampelwerk.cli import doctor
from ampelwerk.cli.inputs import CONTROLS
from tests.conftest import SmallScenario

COMMAND = [sys.executable, "-c", "from ampelwerk.cli.main import main; main()"]
MEASURES = {
    "scenario", "control", "profile", "seed", "begin", "end", "trips", "completed", "unfinished",
    "never_inserted", "delay_s", "delay_p95_s", "time_loss_s", "depart_delay_s", "waiting_s",
    "stops", "travel_time_s", "throughput_veh_h", "longest_red_s", "pedestrian_wait_s",
    "by_class", "teleports", "collisions", "gridlock", "co2_kg", "safety", "cost", "detectors",
    "uncontrolled",
}  # fmt: skip
FILES = {
    "tripinfo.xml", "summary.xml", "statistic.xml", "signals.csv", "decisions.csv", "run.json",
    "measures.json", "model.json",
}  # fmt: skip


def ampelwerk(*words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == expect, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom ampelwerk.cli.main import main\nsys.argv = ['ampelwerk', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numba', 'numpy', 'libsumo', 'traci', 'networkx', 'scipy', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    verbs = (
        "doctor", "scenarios", "model", "simulate", "compare", "faults", "report", "explain", "replay",
        "plan", "audit", "envelope",
    )  # fmt: skip
    for verb in verbs:
        assert verb in result.stdout


def test_doctor_finds_what_is_needed() -> None:
    found = json.loads(ampelwerk("doctor", "--json").stdout)
    assert found["ok"]
    assert {"ampelwerk", "libsumo", "sumo", "cores"} <= {item["name"] for item in found["items"]}


@pytest.mark.parametrize(
    "words", [("doctor", "--json"), ("scenarios",), ("model", "corridor", "--json")]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nothing_is_said_to_a_reader_that_has_left(words: tuple[str, ...], unbuffered: str) -> None:
    with subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        said = running.stderr.read().decode()
    assert "roken" not in said and "rror" not in said
    assert running.returncode == 1


def test_doctor_names_the_extra_that_brings_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_OPTIONAL", (("no-such-package", "cluster"),))
    monkeypatch.setenv("COLUMNS", "200")
    doctor.doctor(as_json=False)
    assert 'pip install "ampelwerk[cluster]"' in capsys.readouterr().out


def test_scenarios_lists_the_corridor_and_the_networks() -> None:
    names = {entry["name"] for entry in json.loads(ampelwerk("scenarios", "--json").stdout)}
    assert {"corridor", "cologne1", "ingolstadt21", "arterial4x4"} <= names


def test_model_is_written_and_not_overwritten(small: SmallScenario, tmp_path: Path) -> None:
    output = tmp_path / "model.json"
    shown = ampelwerk("model", *small.arguments, "-o", output).stdout
    content = json.loads(output.read_text(encoding="utf-8"))
    assert [site["envelope"]["intersection_id"] for site in content["intersections"]] == [
        "A0", "B0",
    ]  # fmt: skip
    assert "single stage" in shown
    refused = ampelwerk("model", *small.arguments, "-o", output, expect=2)
    assert "--force" in refused.stderr


def test_model_shows_one_intersection_alone(small: SmallScenario) -> None:
    shown = ampelwerk("model", *small.arguments, "-i", "B0").stdout
    assert "B0 (sumo/1)" in shown
    assert "A0 (" not in shown


def test_model_of_a_city_without_loops_of_a_role(small: SmallScenario) -> None:
    def roles(*words: str) -> set[str]:
        shown = json.loads(ampelwerk("model", *small.arguments, *words, "--json").stdout)
        return {loop["role"] for loop in shown["loops"]}

    assert roles() == {"stop-line", "advance", "upstream", "exit"}
    left = roles("--without-loops", "upstream", "--without-loops", "exit")
    assert left == {"stop-line", "advance"}


@pytest.mark.sumo
@pytest.mark.parametrize("control", ["actuated", "max-pressure", "rolling-horizon"])
def test_city_without_any_loop_is_controlled_all_the_same(
    small: SmallScenario, tmp_path: Path, control: str
) -> None:
    roles = ("stop-line", "advance", "upstream", "exit", "call")
    words = [word for role in roles for word in ("--without-loops", role)]
    run = tmp_path / "run"
    ampelwerk(
        "simulate", *small.arguments, "--control", control, "-e", "400", *words, "-o", str(run)
    )
    measures = json.loads((run / "measures.json").read_text(encoding="utf-8"))
    assert measures["detectors"]["loops"] == 0
    assert measures["safety"]["violations"] == 0
    assert measures["safety"]["checked_switches"] > 20
    kept = json.loads((run / "run.json").read_text(encoding="utf-8"))["config"]["without_loops"]
    assert kept == list(roles)
    ampelwerk("report", run)
    assert "stop-line, advance, upstream" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.sumo
@pytest.mark.parametrize("control", CONTROLS)
def test_simulate_writes_every_file_and_measure(
    small: SmallScenario, tmp_path: Path, control: str
) -> None:
    directory, plans = tmp_path / "run", list[str]()
    if control == "plan":
        plans = ["--plans", str(tmp_path / "plans.json")]
        ampelwerk("plan", "import", *small.arguments, "-o", plans[-1])
    printed = ampelwerk(
        "simulate", *small.arguments, "--control", control, *plans, "-e", "400", "-o", directory,
        "--json",
    )  # fmt: skip
    measures: dict[str, Any] = json.loads(printed.stdout)
    assert measures == json.loads((directory / "measures.json").read_text(encoding="utf-8"))
    assert set(measures) >= MEASURES
    assert {path.name for path in directory.iterdir()} >= FILES
    assert measures["trips"] == measures["completed"] + measures["unfinished"]
    assert measures["safety"]["violations"] == 0
    manifest = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "complete"
    assert manifest["backend"] == "libsumo"
    assert len(manifest["inputs_sha256"]) == 2


@pytest.mark.sumo
def test_output_directory_may_be_relative(small: SmallScenario, tmp_path: Path) -> None:
    result = subprocess.run(
        [*COMMAND, "simulate", *small.arguments, "-e", "60", "-o", "run"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} >= FILES


@pytest.mark.sumo
def test_same_seed_gives_identical_signals(small: SmallScenario, tmp_path: Path) -> None:
    records = []
    for name in ("first", "second"):
        ampelwerk("simulate", *small.arguments, "-e", "400", "-o", tmp_path / name)
        records.append((tmp_path / name / "signals.csv").read_bytes())
    assert records[0] == records[1]
    assert records[0].count(b"\n") > 50


@pytest.mark.sumo
def test_traci_and_libsumo_give_the_same_run(small: SmallScenario, tmp_path: Path) -> None:
    records, delays = [], []
    for backend in ("libsumo", "traci"):
        directory = tmp_path / backend
        printed = ampelwerk(
            "simulate", *small.arguments, "-e", "300", "--backend", backend, "-o", directory,
            "--json",
        )  # fmt: skip
        delays.append(json.loads(printed.stdout)["delay_s"])
        records.append((directory / "signals.csv").read_bytes())
        manifest = json.loads((directory / "run.json").read_text(encoding="utf-8"))
        assert manifest["backend"] == backend
    assert records[0] == records[1]
    assert delays[0] == delays[1]


def compare_words(small: SmallScenario, directory: Path, seeds: str = "1:4") -> list[str]:
    return [
        "compare", *small.arguments, "-e", "400", "--control", "fixed", "--control", "actuated",
        "--seeds", seeds, "--workers", "2", "-o", str(directory),
    ]  # fmt: skip


@pytest.mark.sumo
def test_compare_prints_pairs_and_writes_json_and_csv(small: SmallScenario, tmp_path: Path) -> None:
    result = ampelwerk(*compare_words(small, tmp_path / "out"))
    assert "against" in result.stdout
    assert "actuated" in result.stdout
    data = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert data["controls"] == ["fixed", "actuated"]
    assert data["seeds"] == [1, 2, 3]
    runs = {(run["control"], run["seed"]): run["delay_s"] for run in data["runs"]}
    paired = [runs["actuated", seed] - runs["fixed", seed] for seed in (1, 2, 3)]
    difference = data["summary"]["actuated"]["difference"]["delay_s"]
    assert difference["mean"] == pytest.approx(sum(paired) / 3)
    assert difference["low"] < difference["mean"] < difference["high"]
    rows = (tmp_path / "out" / "comparison.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 6


@pytest.mark.sumo
def test_times_given_for_a_comparison_are_kept_printed_and_reported(
    small: SmallScenario, tmp_path: Path
) -> None:
    words = [*compare_words(small, tmp_path / "out", "1:2"), "--amber", "4", "--all-red", "1.5"]
    label = "sumo/1 (amber 4 s, all-red 1.5 s)"
    assert f"profile {label}" in " ".join(ampelwerk(*words).stdout.split())
    ampelwerk("report", tmp_path / "out")
    assert label in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    kept = json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))["profile"]
    assert (kept["amber_override_s"], kept["all_red_override_s"]) == (4.0, 1.5)
    refused = ampelwerk(*words[:-2], expect=2)
    assert "profile" in refused.stderr


@pytest.mark.sumo
def test_killed_comparison_keeps_what_was_finished(small: SmallScenario, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    words = compare_words(small, directory, "1:9")
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    finished: dict[Path, int] = {}
    deadline = time.monotonic() + 120
    while len(finished) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        finished = {
            path: path.stat().st_mtime_ns for path in directory.glob("runs/*/seed-*/measures.json")
        }
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 3 <= len(finished) < 16
    for path in finished:
        assert json.loads(path.read_text(encoding="utf-8"))["delay_s"] > 0
    time.sleep(2)  # what was in flight has noticed that its parent is gone
    before = {p: p.stat().st_mtime_ns for p in directory.glob("runs/*/seed-*/measures.json")}
    again = ampelwerk(*words)
    assert f"{len(before)} of 16 runs are here already" in again.stderr
    for path, written in before.items():
        assert path.stat().st_mtime_ns == written
    assert len(list(directory.glob("runs/*/seed-*/measures.json"))) == 16
    assert not list(directory.glob("runs/*/.*"))


@pytest.mark.sumo
def test_comparison_of_another_configuration_is_refused(
    small: SmallScenario, tmp_path: Path
) -> None:
    ampelwerk(*compare_words(small, tmp_path / "out", "1:2"))
    words = compare_words(small, tmp_path / "out", "1:2")
    words[words.index("400")] = "350"
    refused = ampelwerk(*words, expect=2)
    assert "scenario" in refused.stderr
    assert "--force" in refused.stderr


@pytest.mark.sumo
def test_gate_fails_when_a_control_is_clearly_worse(small: SmallScenario, tmp_path: Path) -> None:
    words = [
        "compare", *small.arguments, "-e", "400", "--control", "actuated", "--control", "fixed",
        "--seeds", "1:5", "-o", str(tmp_path / "out"), "--gate",
    ]  # fmt: skip
    ampelwerk(*words, expect=3)


@pytest.mark.sumo
def test_dask_workers_run_the_same_jobs(small: SmallScenario, tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        ampelwerk(
            *compare_words(small, tmp_path / "dask"), "--scheduler", cluster.scheduler_address
        )
    ampelwerk(*compare_words(small, tmp_path / "here"))
    for control in ("fixed", "actuated"):
        here, there = (
            (tmp_path / place / "runs" / control / "seed-2" / "signals.csv").read_bytes()
            for place in ("here", "dask")
        )
        assert here == there


def test_scheduler_that_does_not_answer(small: SmallScenario, tmp_path: Path) -> None:
    refused = ampelwerk(
        *compare_words(small, tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1", expect=2
    )
    assert "dask scheduler" in refused.stderr
