"""What a share of failed loops costs, for every kind of failure on every RESCO network.

    python -m benchmarks.loss_resco results/                        # a quarter of the loops
    python -m benchmarks.loss_resco results/ --network cologne1 --kind stuck-off --share 10

Prints a Markdown table: mean delay over the seeds with its 95 % interval in s, how many runs
gridlocked (G), under `fixed`, with healthy loops and with each kind of failure. Below it stands what
missed the aim: delay below `fixed`, and no run locked that does not with healthy loops. Cut off, the
same command runs what is missing. Results are in loss-<share>.json, for every seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ampelwerk.cli.fault_words import kinds_of, shares_of
from ampelwerk.cli.inputs import ALIASES, BLIND, CONTROLS
from ampelwerk.models.faults import Fault, FaultKind
from ampelwerk.sim.run_process import Job
from benchmarks import runs

FIXED, HEALTHY = "fixed", "healthy"
SEEDS = "1:6"


def faults_of(kinds: list[str], share: str) -> dict[str, Fault]:
    """The faults that are run, by name."""
    number = shares_of(share)[-1]
    return {fault.label: replace(fault, share=number) for fault in kinds_of(kinds)}


def jobs_of(
    choice: runs.Choice, control: str, faults: Mapping[str, Fault], network: str
) -> dict[str, dict[int, Job]]:
    """The runs of a network by kind of failure."""
    healthy = choice.config(network, control)
    return {
        FIXED: choice.jobs(choice.config(network, FIXED)),
        HEALTHY: choice.jobs(healthy),
        **{
            name: choice.jobs(
                replace(healthy, faults=(fault,)),
                f"{name}-{100 * fault.share:g}".replace(",", "-").replace("=", "-"),
            )
            for name, fault in faults.items()
        },
    }


def missed(found: Mapping[str, runs.Runs]) -> dict[str, list[str]]:
    """Kind of failure -> how it missed the aim, if it did."""
    fixed, healthy, said = found[FIXED], found[HEALTHY], dict[str, list[str]]()
    for name, row in found.items():
        if name in (FIXED, HEALTHY):
            continue
        beyond = row.beyond(fixed)
        if beyond is None or beyond.mean >= 0.0:
            said.setdefault(name, []).append(
                f"delay {runs.text_of(beyond, signed=True)} s against fixed"
            )
        locked = sorted(set(row.gridlocked) - set(healthy.gridlocked))
        if locked:
            seeds = ", ".join(map(str, locked))
            said.setdefault(name, []).append(f"locks where healthy loops do not, seeds {seeds}")
    return said


def main() -> None:
    """Run what is missing, print the table and what missed the aim, write the file."""
    parser = runs.parser(str(__doc__).splitlines()[0], seeds=SEEDS)
    seeing = [name for name in (*CONTROLS, *ALIASES) if name not in BLIND]
    parser.add_argument("--control", choices=seeing, default="rolling-horizon")
    parser.add_argument("--kind", action="append", help="may be repeated; else all")
    parser.add_argument("--share", default="25", help="share of the loops that fail, in percent")
    arguments = parser.parse_args()
    choice = runs.chosen(arguments)
    control = ALIASES.get(arguments.control, arguments.control)
    faults = faults_of(arguments.kind or [str(kind) for kind in FaultKind], arguments.share)
    share = f"{100 * next(iter(faults.values())).share:g}"
    jobs = {network: jobs_of(choice, control, faults, network) for network in choice.networks}
    runs.run_all(jobs, choice.workers)
    found = {
        network: {name: runs.collected(row) for name, row in rows.items()}
        for network, rows in jobs.items()
    }
    print(choice.title(f"Mean delay [s], {control}, {share} % of the loops failed"))
    print(runs.head(["failure", *found]))
    for name in (FIXED, HEALTHY, *faults):
        print(runs.row([name, *(runs.cell(rows[name]) for rows in found.values())]))
    said = {network: missed(rows) for network, rows in found.items()}
    cases = len(found) * len(faults)
    print(f"\n{sum(map(len, said.values()))} of {cases} cases missed the aim.")
    for network, kinds in said.items():
        for name, words in kinds.items():
            print(f"- {network}, {name}: {'; '.join(words)}")
    content = {
        network: {
            name: {**row.as_data(rows[HEALTHY]), "missed": said[network].get(name, [])}
            for name, row in rows.items()
        }
        for network, rows in found.items()
    }
    runs.write_json(choice, content, choice.place / f"loss-{share}.json")


if __name__ == "__main__":
    runs.start(main)
