"""A fire engine along the corridor with and without a green wave: its travel time, and what others pay.

    python benchmarks/green_wave.py results/            # seeds 1 to 5

The engine drives the arterial through all five signals in the peak, as fast as others may. Its times of
arrival are those of an empty road, as a control room would know them when it leaves. Both runs of a
seed have the same vehicles. Prints Markdown.
"""

from __future__ import annotations

import csv
import itertools
import json
import sys
from pathlib import Path
from statistics import mean
from xml.etree import ElementTree

from ampelwerk.models.network import Network
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.net_file import read_net
from ampelwerk.sim.run import read_measures
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.run_process import Job, run_in_fresh_process
from ampelwerk.sim.scenario import Scenario, resolve

ROUTE = ["west_j0", "j0_j1w", "j1w_j1", "j1_j1e", "j1e_j2", "j2_j3w", "j3w_j3", "j3_j3e", "j3e_j4", "j4_east"]  # fmt: skip
DEPART_S, END_S = 1500, 2400
SEEDS = range(1, 6)
ENGINE = "fire_engine"


def write_engine(path: Path) -> None:
    """Demand of the engine alone."""
    path.write_text(
        f"""<routes>
    <vType id="engine" vClass="emergency" maxSpeed="30"/>
    <vehicle id="{ENGINE}" type="engine" depart="{DEPART_S}" departLane="best" departSpeed="max">
        <route edges="{" ".join(ROUTE)}"/>
    </vehicle>
</routes>
""",
        encoding="utf-8",
    )


def write_wave(path: Path, scenario: Scenario, network: Network) -> None:
    """The override: at each signal of the route the engine's group and its time of arrival."""
    net = read_net(scenario.net_file)
    legs, at_s = [], float(DEPART_S)
    for edge, following in itertools.pairwise(ROUTE):
        lane = net.lanes[f"{edge}_1"]
        at_s += lane.length_m / lane.speed_mps
        for site in network.intersections:
            for movement in site.movements:
                ways = (movement.from_lane.rpartition("_")[0], movement.to_lane.rpartition("_")[0])
                if ways == (edge, following) and movement.group >= 0:
                    group = site.envelope.groups[movement.group].group_id
                    legs.append(
                        {
                            "intersection": str(site.intersection_id),
                            "target": str(group),
                            "eta": round(at_s, 1),
                        }
                    )
                    break
    override = {
        "at": DEPART_S, "action": "green-wave", "ttl": 300, "legs": legs, "reason": "fire engine",
    }  # fmt: skip
    path.write_text(json.dumps({"override": [override]}, indent=2), encoding="utf-8")


def trips(directory: Path) -> dict[str, tuple[float, float]]:
    """Vehicle -> travel time, delay. [s]"""
    return {
        trip.get("id", ""): (
            float(trip.get("duration", 0)),
            float(trip.get("timeLoss", 0)) + max(0.0, float(trip.get("departDelay", 0))),
        )
        for trip in ElementTree.parse(directory / "tripinfo.xml").iter("tripinfo")
    }


def back_s(directory: Path) -> float:
    """When the last controller reported that the override is over. [s]"""
    with (directory / "overrides.csv").open(newline="", encoding="utf-8") as file:
        return max(float(row["time"]) for row in csv.DictReader(file) if row["event"] == "ended")


def main() -> None:
    """Run what is missing, then print the table."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    engine, wave = folder / "engine.rou.xml", folder / "wave.json"
    write_engine(engine)
    scenario = resolve("corridor", routes=[engine.absolute()], end_s=END_S)
    write_wave(wave, scenario, import_network(scenario, SumoProfile()))
    print("| seed | engine without [s] | with [s] | others without [s] | with [s] | over at [s] | "
          "violations |")  # fmt: skip
    print("|---" * 7 + "|")
    table = []
    for seed in SEEDS:
        found = []
        for name, overrides in (("without", None), ("with", wave.absolute())):
            directory = (folder / f"{name}-{seed}").absolute()
            if not (directory / "measures.json").exists():
                config = RunConfig(
                    scenario=scenario, control="rolling-horizon", profile=SumoProfile(),
                    seed=seed, overrides=overrides,
                )  # fmt: skip
                run_in_fresh_process(Job(config=config, directory=directory))
            found.append(directory)
        violations = sum(read_measures(d)["safety"]["violations"] for d in found)
        durations = [trips(directory)[ENGINE][0] for directory in found]
        others = [mean(d for n, (_, d) in trips(p).items() if n != ENGINE) for p in found]
        table.append((durations, others))
        print(
            f"| {seed} | {durations[0]:.0f} | {durations[1]:.0f} | {others[0]:.2f} | "
            f"{others[1]:.2f} | {back_s(found[1]):.0f} | {violations} |",
            flush=True,
        )
    print(
        "| mean | "
        + " | ".join(f"{mean(row[0][k] for row in table):.1f}" for k in (0, 1))
        + " | "
        + " | ".join(f"{mean(row[1][k] for row in table):.2f}" for k in (0, 1))
        + " | | |"
    )


if __name__ == "__main__":
    main()
