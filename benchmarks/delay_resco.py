"""Mean delay of every control on the eight RESCO networks and the corridor, as a table.

    python -m benchmarks.delay_resco results/                       # all networks, seeds 1 to 10
    python -m benchmarks.delay_resco results/ --profile rilsa
    python -m benchmarks.delay_resco results/ --network cologne1 --control fixed --seeds 1:3

Prints Markdown: mean delay over the seeds with its 95 % interval in s, and how many runs gridlocked
(G). Cut off, the same command runs what is missing. Results are in delay.json, for every seed.
"""

from __future__ import annotations

from ampelwerk.cli.inputs import ALIASES, CONTROLS
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.controls import PLAN
from benchmarks import runs

WITHOUT_FILE = tuple(name for name in CONTROLS if name != PLAN)
"""Controls that need no plan file."""
UNDER_RILSA = ("fixed", "actuated", "max-pressure", "rolling-horizon")
"""Controls in the table under profile rilsa, of which native knows nothing."""
NETWORKS = (*runs.RESCO, "corridor")
SEEDS = "1:11"


def main() -> None:
    """Run what is missing, print the table, write the file."""
    parser = runs.parser(str(__doc__).splitlines()[0], seeds=SEEDS, networks=NETWORKS)
    parser.add_argument(
        "--control", action="append", choices=(*WITHOUT_FILE, *ALIASES), help="may be repeated"
    )
    arguments = parser.parse_args()
    choice = runs.chosen(arguments)
    of_profile = WITHOUT_FILE if isinstance(choice.profile, SumoProfile) else UNDER_RILSA
    asked = arguments.control or of_profile
    controls = list(dict.fromkeys(ALIASES.get(name, name) for name in asked))
    jobs = {
        network: {name: choice.jobs(choice.config(network, name)) for name in controls}
        for network in choice.networks
    }
    runs.run_all(jobs, choice.workers)
    print(choice.title("Mean delay [s]"))
    print(runs.head(["network", *controls, "switches checked", "violations"]))
    content = {}
    for network, by_control in jobs.items():
        found = {name: runs.collected(row) for name, row in by_control.items()}
        switches = sum(row.safety("checked_switches") for row in found.values())
        broken = sum(row.safety("violations") for row in found.values())
        cells = map(runs.cell, found.values())
        print(runs.row([network, *cells, f"{switches:,}", str(broken)]))
        content[network] = {name: row.as_data() for name, row in found.items()}
    runs.write_json(choice, content, choice.place / "delay.json")


if __name__ == "__main__":
    runs.start(main)
