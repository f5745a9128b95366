"""What each part of the rolling horizon is worth: a table of mean delay with one part changed.

    python -m benchmarks.ablation results/                                   # everything
    python -m benchmarks.ablation results/ --network cologne1 --seeds 1:3 --variant truth

Variants are paired by seed with the complete control. Prints two Markdown tables: mean delay with
its 95 % interval in s and how many runs gridlocked (G); then the mean paired difference to the
complete control. Cut off, the same command runs what is missing. Results are in ablation.json.
"""

from __future__ import annotations

from dataclasses import replace

from ampelwerk.sim.controls import connect
from ampelwerk.sim.run_process import Job
from benchmarks import runs
from benchmarks.variants import COMPLETE, CONTROL, VARIANTS

SEEDS = "1:11"


def jobs_of(choice: runs.Choice, names: list[str], network: str) -> dict[str, dict[int, Job]]:
    """The runs of a network, by variant and seed."""
    config = choice.config(network, CONTROL)
    found = {}
    for name in names:
        variant = VARIANTS[name]
        own = variant.configured(config)
        plain = variant.connect is connect and own == replace(config, control=own.control)
        found[name] = choice.jobs(own, "" if plain else name, connect=variant.connect)
    return found


def main() -> None:
    """Run what is missing, print the tables, write the file."""
    parser = runs.parser(str(__doc__).splitlines()[0], seeds=SEEDS)
    parser.add_argument(
        "--variant", action="append", choices=tuple(VARIANTS), help="may be repeated; else all"
    )
    arguments = parser.parse_args()
    choice = runs.chosen(arguments)
    names = [
        n for n in VARIANTS if n == COMPLETE or not arguments.variant or n in arguments.variant
    ]
    jobs = {network: jobs_of(choice, names, network) for network in choice.networks}
    runs.run_all(jobs, choice.workers)
    found = {
        network: {name: runs.collected(row) for name, row in rows.items()}
        for network, rows in jobs.items()
    }
    print(choice.title("Mean delay [s]"))
    print(runs.head(["rolling-horizon", *found]))
    for name in names:
        print(runs.row([VARIANTS[name].title, *(runs.cell(by[name]) for by in found.values())]))
    print("\nDifference to complete [s], paired by seed\n")
    print(runs.head(["rolling-horizon", *found]))
    for name in names[1:]:
        cells = (runs.text_of(by[name].beyond(by[COMPLETE]), signed=True) for by in found.values())
        print(runs.row([VARIANTS[name].title, *cells]))
    content = {
        network: {name: by[name].as_data(by[COMPLETE]) for name in names}
        for network, by in found.items()
    }
    runs.write_json(choice, content, choice.place / "ablation.json")


if __name__ == "__main__":
    runs.start(main)
