"""How long `simulate` takes to its first simulated second, beside SUMO alone on the same scenario.

    python -m benchmarks.first_second [SCENARIO …]

Both simulate ten seconds and end, so that somebody departs: `ampelwerk simulate` with its files and
report, `sumo` with the net and the routes. They run by turns, and the least of several is kept, since
other work only ever adds. Kernels have been compiled before.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from ampelwerk.sim.scenario import Scenario, resolve
from ampelwerk.sim.sumo_programs import sumo_program

NETWORKS = ("cologne1", "cologne8", "ingolstadt21", "arterial4x4")
TURNS = 5
LENGTH_S = 10.0


def ours(name: str, end_s: float, folder: str) -> list[str]:
    """The command that simulates so far, as `simulate` is called."""
    return [
        sys.executable, "-c", "from ampelwerk.cli.main import main; main()",
        "simulate", name, "--end", str(end_s), "-o", str(Path(folder) / "run"), "--force",
    ]  # fmt: skip


def alone(scenario: Scenario, end_s: float) -> list[str]:
    """SUMO's own command for the same seconds."""
    return [
        str(sumo_program("sumo")), *replace(scenario, end_s=end_s).sumo_options(()),
        "--no-step-log", "--no-warnings",
    ]  # fmt: skip


def taken_s(command: list[str]) -> float:
    """Time from start to end."""
    begin_s = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - begin_s


def main(names: list[str]) -> None:
    """Print a table."""
    print(f"{'':16}{'simulate s':>12}{'SUMO s':>9}{'beyond s':>10}")
    for name in names or NETWORKS:
        scenario = resolve(name)
        end_s = scenario.begin_s + LENGTH_S
        with tempfile.TemporaryDirectory() as folder:
            taken_s(ours(name, end_s, folder))
            turns = [
                (taken_s(ours(name, end_s, folder)), taken_s(alone(scenario, end_s)))
                for _ in range(TURNS)
            ]
        whole_s, sumo_s = (min(column) for column in zip(*turns, strict=True))
        print(f"{name:16}{whole_s:12.2f}{sumo_s:9.2f}{whole_s - sumo_s:10.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
