"""Mean delay of every control on the eight RESCO networks and the corridor, as a table.

    python benchmarks/delay_resco.py results/            # all networks, seeds 1 to 5
    python benchmarks/delay_resco.py results/ cologne1   # one of them

Runs `ampelwerk compare` for every network (resumable, so a second call only prints), then prints
Markdown: mean delay over the seeds with its 95 % interval in s, and how many runs gridlocked (G).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CONTROLS = (
    "native", "fixed", "actuated", "max-pressure", "priority-index", "rolling-horizon",
)  # fmt: skip
NETWORKS = (
    "cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21", "grid4x4",
    "arterial4x4", "corridor",
)  # fmt: skip
SEEDS = "1:6"


def compare(network: str, directory: Path) -> dict[str, Any]:
    """Results of one network."""
    words = ["compare", network, "--seeds", SEEDS, "-o", str(directory / network)]
    for control in CONTROLS:
        words += ["--control", control]
    subprocess.run(
        [sys.executable, "-c", "from ampelwerk.cli.main import main; main()", *words],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    content: dict[str, Any] = json.loads(
        (directory / network / "comparison.json").read_text(encoding="utf-8")
    )
    return content


def cell(summary: dict[str, Any]) -> str:
    """Mean, interval and gridlocked runs of one control."""
    delay = summary["mean"]["delay_s"]
    locked = f" ({summary['gridlocked']} G)" if summary["gridlocked"] else ""
    return f"{delay['mean']:.1f} ± {delay['high'] - delay['mean']:.1f}{locked}"


def main() -> None:
    """Print the table, a row as soon as it is there."""
    directory, chosen = Path(sys.argv[1]), sys.argv[2:] or NETWORKS
    print("| network | " + " | ".join(CONTROLS) + " | switches checked | violations |")
    print("|---" * (len(CONTROLS) + 3) + "|")
    for network in chosen:
        content = compare(network, directory)
        cells = [cell(content["summary"][control]) for control in CONTROLS]
        switches = sum(run["safety"]["checked_switches"] for run in content["runs"])
        broken = sum(run["safety"]["violations"] for run in content["runs"])
        print(f"| {network} | {' | '.join(cells)} | {switches:,} | {broken} |", flush=True)


if __name__ == "__main__":
    main()
