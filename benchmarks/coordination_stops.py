"""Stops on the main direction of the corridor: coordinated offsets beside zero offsets.

    python -m benchmarks.coordination_stops results/

The same plans twice, computed from counts of seeds 101 to 105 (`ampelwerk optimize`), once with their
offsets and once with all offsets 0; seeds 1 to 5. Counted are the stops of vehicles that drive the
corridor from one end to the other. Prints Markdown and ends with 1 if fewer than 30 % are saved.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import mean

from ampelwerk.sim.net_file import elements
from benchmarks.plan_delay import COUNTED, SEEDS, ampelwerk

THROUGH = ("east", "west")
"""Flows along the whole corridor are named so, with the part of the hour behind."""
SAVED = 0.3


def stops(directory: Path, flow: str) -> float:
    """Mean stops of a flow's vehicles in one run."""
    return mean(
        int(trip.get("waitingCount", "0"))
        for trip in elements(directory / "tripinfo.xml", ("tripinfo",))
        if trip.get("id", "").startswith(f"{flow}_")
    )


def main() -> int:
    """Optimise, run, print."""
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    files = {"coordinated": folder / "plans.json", "zero offsets": folder / "zero.json"}
    names = "j0,j1,j2,j3,j4"
    if not files["coordinated"].exists():
        ampelwerk(
            "optimize", "corridor", "--corridor", names, "--count-seeds", COUNTED,
            "-o", str(files["coordinated"]),
        )  # fmt: skip
    content = json.loads(files["coordinated"].read_text(encoding="utf-8"))
    for site in content["intersections"]:
        for plan in site["plans"]:
            plan["offset_s"] = 0
    files["zero offsets"].write_text(json.dumps(content), encoding="utf-8")
    found: dict[str, dict[str, float]] = {}
    delay = {}
    for kind, path in files.items():
        runs = []
        for seed in SEEDS:
            runs.append(folder / kind.replace(" ", "-") / f"seed-{seed}")
            if not (runs[-1] / "measures.json").exists():
                ampelwerk(
                    "simulate", "corridor", "--control", "plan", "--plans", str(path), "--force",
                    "--seed", str(seed), "-o", str(runs[-1]),
                )  # fmt: skip
        found[kind] = {flow: mean(stops(run, flow) for run in runs) for flow in THROUGH}
        delay[kind] = mean(
            json.loads((run / "measures.json").read_text())["delay_s"] for run in runs
        )
    print("| flow | zero offsets | coordinated | saved |")
    print("|---|---|---|---|")
    for flow in THROUGH:
        before, after = found["zero offsets"][flow], found["coordinated"][flow]
        print(f"| {flow} | {before:.2f} | {after:.2f} | {1 - after / before:.0%} |")
    both = [mean(found[kind].values()) for kind in ("zero offsets", "coordinated")]
    print(f"| both | {both[0]:.2f} | {both[1]:.2f} | {1 - both[1] / both[0]:.0%} |")
    print(f"| delay of all [s] | {delay['zero offsets']:.1f} | {delay['coordinated']:.1f} | |")
    return 0 if both[1] <= (1 - SAVED) * both[0] else 1


if __name__ == "__main__":
    sys.exit(main())
