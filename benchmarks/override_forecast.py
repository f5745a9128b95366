"""What the engine's model expects of an override, against what SUMO then measures.

    python benchmarks/override_forecast.py results/

On cologne1, once an override at 7:05, seeds 1 to 3, control rolling-horizon. Measured is the difference of
all vehicles' delay (time loss and departure delay) until 7:15 between the run with and the run without
it. The forecast ends 4 min after the override. Prints Markdown.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.run_process import Job, run_in_fresh_process
from ampelwerk.sim.scenario import resolve

PLACE, AT_S, END_S, SEEDS = "GS_cluster_357187_359543", 25_500, 26_100, (1, 2, 3)
CASES: dict[str, dict[str, object]] = {
    "hold for 60 s": {"action": "hold", "ttl": 60},
    "hold for 120 s": {"action": "hold", "ttl": 120},
    "all-red for 60 s": {"action": "all-red", "ttl": 60},
    "its plan for 120 s": {"action": "plan", "target": "0", "ttl": 120},
}


def delay_veh_s(directory: Path) -> float:
    """Delay of all vehicles. [veh s]"""
    trips = ElementTree.parse(directory / "tripinfo.xml").iter("tripinfo")
    return sum(
        float(trip.get("timeLoss", 0)) + max(0.0, float(trip.get("departDelay", 0)))
        for trip in trips
    )


def forecast(directory: Path) -> float:
    """Change of the delay that was expected. [veh s]"""
    with (directory / "overrides.csv").open(newline="", encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["event"] == "forecast")
    return float(row["detail"].split(" ")[0])


def simulated(folder: Path, name: str, seed: int, overrides: Path | None) -> Path:
    """Directory of a run, made if it is not there."""
    directory = (folder / f"{name}-{seed}".replace(" ", "_")).absolute()
    if not (directory / "measures.json").exists():
        config = RunConfig(
            scenario=resolve("cologne1", end_s=END_S), control="rolling-horizon",
            profile=SumoProfile(), seed=seed, overrides=overrides,
        )  # fmt: skip
        run_in_fresh_process(Job(config=config, directory=directory))
    return directory


def main() -> None:
    """Run what is missing, then print the table."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print("| override | seed | forecast [veh s] | measured [veh s] |\n|---|---|---|---|")
    for name, asked in CASES.items():
        file = (folder / f"{name}.json".replace(" ", "_")).absolute()
        content = {"at": AT_S, "intersection": PLACE, "reason": "a forecast is tried", **asked}
        file.write_text(json.dumps({"override": [content]}), encoding="utf-8")
        for seed in SEEDS:
            without = delay_veh_s(simulated(folder, "without", seed, None))
            directory = simulated(folder, name, seed, file)
            change = delay_veh_s(directory) - without
            print(f"| {name} | {seed} | {forecast(directory):+.0f} | {change:+.0f} |", flush=True)


if __name__ == "__main__":
    main()
