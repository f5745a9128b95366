"""Mean delay of computed timing plans beside the shipped programs and SUMO's own tools.

    python -m benchmarks.plan_delay results/            # all networks
    python -m benchmarks.plan_delay results/ cologne1   # one of them, or any .sumocfg
    python -m benchmarks.plan_delay results/ --without-tools

Plans come from counts of seeds 101 to 105 under the shipped program (`ampelwerk optimize`); SUMO's
tools get the demand itself, routes from duarouter: `tlsCycleAdaptation.py`, and the same followed by
`tlsCoordinator.py`. All are run with seeds 1 to 5, teleporting off. What is there already is not run
again. Prints Markdown: mean delay in s with its 95 % interval, gridlocked runs (G), or how a tool
ended.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ampelwerk.sim.comparison import estimate
from ampelwerk.sim.scenario import Scenario, resolve
from ampelwerk.sim.sumo_programs import sumo_program

NETWORKS = (
    "cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21", "grid4x4",
    "arterial4x4",
)  # fmt: skip
SEEDS, COUNTED = range(1, 6), "101:106"
OURS = ("native", "plan")
KINDS = ("native", "tlsCycleAdaptation", "+ tlsCoordinator", "plan")


def ampelwerk(*words: str) -> str:
    """Standard output of a command."""
    return subprocess.run(
        [sys.executable, "-c", "from ampelwerk.cli.main import main; main()", *words],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def tool(name: str, *words: str) -> str:
    """Run one of SUMO's tools; empty if it went well, else the last thing it said."""
    spec = importlib.util.find_spec("sumo")
    assert spec is not None and spec.submodule_search_locations
    path = Path(next(iter(spec.submodule_search_locations))) / "tools" / name
    done = subprocess.run(
        [sys.executable, str(path), *words], check=False, capture_output=True, text=True
    )
    if not done.returncode:
        return ""
    return (done.stderr.strip().splitlines() or ["no message"])[-1][:60]


def sumo_tools(scenario: Scenario, folder: Path) -> dict[str, list[Path] | str]:
    """Kind -> additional files to run it with, or how the tool ended."""
    routes, adapted = folder / "routed.rou.xml", folder / "adapted.add.xml"
    offsets = folder / "offsets.add.xml"
    net = str(scenario.net_file)
    subprocess.run(
        [
            str(sumo_program("duarouter")), "--net-file", net, "--output-file", str(routes),
            "--route-files", ",".join(map(str, scenario.route_files)), "--ignore-errors",
            "--begin", f"{scenario.begin_s:g}", "--no-warnings",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    ended = tool(
        "tlsCycleAdaptation.py", "-n", net, "-r", str(routes), "-b", f"{scenario.begin_s:g}",
        "-o", str(adapted),
    )  # fmt: skip
    found: dict[str, list[Path] | str] = {"tlsCycleAdaptation": ended or [adapted]}
    if ended:
        return found | {"+ tlsCoordinator": ended}
    ended = tool(
        "tlsCoordinator.py", "-n", net, "-r", str(routes), "-a", str(adapted), "-o", str(offsets)
    )
    return found | {"+ tlsCoordinator": ended or [adapted, offsets]}


def run(network: str, kind: str, seed: int, words: list[str], folder: Path) -> dict[str, Any]:
    """Measures of one run."""
    directory = folder / kind.strip("+ ") / f"seed-{seed}"
    if not (directory / "measures.json").exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        ampelwerk("simulate", network, *words, "--seed", str(seed), "-o", str(directory), "--force")
    measures: dict[str, Any] = json.loads((directory / "measures.json").read_text())
    return measures


def cell(runs: list[dict[str, Any]]) -> str:
    """Mean, interval and gridlocked runs."""
    found = estimate([run["delay_s"] for run in runs])
    assert found is not None and found.high is not None
    locked = sum(run["gridlock"] for run in runs)
    return f"{found.mean:.1f} ± {found.high - found.mean:.1f}" + (
        f" ({locked} G)" if locked else ""
    )


def row(network: str, kinds: Sequence[str], folder: Path) -> list[str]:
    """Cells of one network."""
    folder.mkdir(parents=True, exist_ok=True)
    plans = folder / "plans.json"
    if not plans.exists():
        ampelwerk("optimize", network, "--count-seeds", COUNTED, "-o", str(plans))
    ready = sumo_tools(resolve(network), folder) if len(kinds) > len(OURS) else {}
    cells = []
    for kind in kinds:
        words = ["--control", "native"]
        if kind == "plan":
            words = ["--control", "plan", "--plans", str(plans)]
        additional = ready.get(kind, [])
        if isinstance(additional, str):
            cells.append(f"failed: {additional}")
            continue
        for path in additional:
            words += ["--additional-files", str(path)]
        try:
            cells.append(cell([run(network, kind, seed, words, folder) for seed in SEEDS]))
        except subprocess.CalledProcessError as error:
            cells.append(f"failed: {error.stderr.strip().splitlines()[-1][:60]}")
    return cells


def main() -> None:
    """Print the table, a row as soon as it is there."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    directory, chosen = Path(words[0]).absolute(), words[1:] or NETWORKS
    kinds = OURS if "--without-tools" in sys.argv else KINDS
    print("| network | " + " | ".join(kinds) + " |")
    print("|---" * (len(kinds) + 1) + "|")
    for network in chosen:
        print(
            f"| {network} | {' | '.join(row(network, kinds, directory / Path(network).stem))} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
