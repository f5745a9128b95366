"""How far estimation is from the truth: queues and arrival times, by network and by lane.

    python -m benchmarks.estimation_error results/                                # everything
    python -m benchmarks.estimation_error results/ --network cologne1 --seeds 1:3

The truth is read from SUMO beside the control, which never sees it. Prints a Markdown table for the
networks and the lanes with the greatest errors; every lane is in estimation.csv.

- queue: vehicles that would have passed the stop line by now, had nothing stopped them; mean over
  lanes and ticks of the truth, of the error (estimated less true) and of its size.
- arrivals: the same for vehicles due at the line in the next 10 s.
- due: error of the moment for which a vehicle was announced at its advance loop, for vehicles that
  reached the line undelayed (never slower than 5 m/s from the loop on), and its size.
- unannounced: share of these vehicles that passed an advance loop and were not announced.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ampelwerk.sim.run_process import Job
from benchmarks import runs
from benchmarks.watching import AHEAD_S, FILE, SUMS, watched

CONTROLS = ("rolling-horizon", "priority-index")
SEEDS = "1:4"
SHOWN_LANES = 5
COLUMNS = (
    "queue_true_veh", "queue_error_veh", "queue_error_size_veh", "arrivals_true_veh",
    "arrivals_error_veh", "arrivals_error_size_veh", "due_error_s", "due_error_size_s",
    "undelayed_veh", "unannounced_share",
)  # fmt: skip

Sums = Mapping[str, float]


def jobs_of(choice: runs.Choice, control: str, network: str) -> dict[int, Job]:
    """The runs of a network, by seed."""
    config = choice.config(network, control)
    return {
        seed: replace(job, connect=watched(job.working_directory / FILE, config.scenario.end_s))
        for seed, job in choice.jobs(config, "watched").items()
    }


def by_lane(jobs: Iterable[Job]) -> dict[tuple[str, str], dict[str, float]]:
    """(intersection, lane) -> sums over all runs."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(
        lambda: dict.fromkeys(("ticks", *SUMS), 0.0)
    )
    for job in jobs:
        for lane in json.loads((job.directory / FILE).read_text(encoding="utf-8")):
            sums = found[lane["intersection"], lane["lane"]]
            for key in sums:
                sums[key] += lane[key]
    return found


def added(parts: Iterable[Sums]) -> dict[str, float]:
    """The sums of several lanes together."""
    total = dict.fromkeys(("ticks", *SUMS), 0.0)
    for part in parts:
        for key in total:
            total[key] += part[key]
    return total


def errors(sums: Sums) -> dict[str, float | None]:
    """Means by column; None where there was nothing to average."""
    ticks, announced = sums["ticks"], sums["announced"]
    undelayed = announced + sums["unannounced"]
    values = [
        *(sums[key] / ticks for key in SUMS[:6]),
        *(sums[key] / announced if announced else None for key in ("due_error", "due_off")),
        undelayed,
        sums["unannounced"] / undelayed if undelayed else None,
    ]
    return dict(zip(COLUMNS, values, strict=True))


def table_row(names: list[str], found: Mapping[str, float | None]) -> str:
    """A row of the printed table."""
    cells = []
    for column, value in found.items():
        if value is None:
            cells.append("–")
        elif column == "undelayed_veh":
            cells.append(f"{value:,.0f}")
        elif column == "unannounced_share":
            cells.append(f"{100 * value:.0f} %")
        else:
            cells.append(f"{value:{'+' if column.endswith(('error_veh', 'error_s')) else ''}.2f}")
    return runs.row([*names, *cells])


TITLES = [
    "queue", "error", "size", f"arrivals in {AHEAD_S} s", "error", "size", "due: error s", "size s",
    "undelayed", "unannounced",
]  # fmt: skip


def write_csv(found: Mapping[str, Mapping[tuple[str, str], Sums]], path: Path) -> None:
    """A row for each lane of each network."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["network", "intersection", "lane", *COLUMNS])
        for network, lanes in found.items():
            for (site, lane), sums in lanes.items():
                values: list[Any] = [
                    "" if value is None else f"{value:.4f}" for value in errors(sums).values()
                ]
                writer.writerow([network, site, lane, *values])


def main() -> None:
    """Run what is missing, print the tables, write the file."""
    parser = runs.parser(str(__doc__).splitlines()[0], seeds=SEEDS)
    parser.add_argument("--control", choices=CONTROLS, default=CONTROLS[0])
    parser.add_argument("--lanes", type=int, default=SHOWN_LANES, help="lanes printed per network")
    arguments = parser.parse_args()
    choice = runs.chosen(arguments)
    control = arguments.control
    jobs = {network: {control: jobs_of(choice, control, network)} for network in choice.networks}
    runs.run_all(jobs, choice.workers)
    found = {network: by_lane(rows[control].values()) for network, rows in jobs.items()}
    print(choice.title(f"Estimation under {control}"))
    print(runs.head(["network", "lanes", *TITLES]))
    for network, lanes in found.items():
        print(table_row([network, str(len(lanes))], errors(added(lanes.values()))))
    if arguments.lanes > 0:
        print("\nLanes with the greatest size of the queue's error\n")
        print(runs.head(["network", "intersection", "lane", *TITLES]))
    for network, lanes in found.items():
        worst = sorted(lanes, key=lambda lane: lanes[lane]["queue_off"], reverse=True)
        for site, lane in worst[: max(0, arguments.lanes)]:
            print(table_row([network, site, lane], errors(lanes[site, lane])))
    write_csv(found, choice.place / "estimation.csv")


if __name__ == "__main__":
    runs.start(main)
