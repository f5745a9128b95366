"""Runs for the benchmarks: many networks and variants of control, paired by seed, resumed if cut off.

Each run has a process of its own and a directory that says of which source it is. What a folder
holds of the same source and configuration is not run again; what it holds of another one is.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ampelwerk.cli.batch import check_workers, run_missing
from ampelwerk.cli.inputs import profile_of, seed_list
from ampelwerk.models.errors import AmpelwerkError
from ampelwerk.models.profile import Profile
from ampelwerk.sim.comparison import Estimate, estimate
from ampelwerk.sim.controls import Connect, connect
from ampelwerk.sim.run import read_measures
from ampelwerk.sim.run_configuration import RunConfig, configuration_of_run
from ampelwerk.sim.run_directory import MANIFEST, source_sha256
from ampelwerk.sim.run_process import Job
from ampelwerk.sim.scenario import resolve

RESCO = (
    "cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21", "grid4x4",
    "arterial4x4",
)  # fmt: skip
"""The eight networks of the RESCO benchmark."""


def parser(description: str, *, seeds: str, networks: Sequence[str] = RESCO) -> ArgumentParser:
    """Arguments that all of these benchmarks take."""
    found = ArgumentParser(description=description)
    found.add_argument("directory", type=Path, help="where runs and results are kept")
    found.add_argument(
        "--network", action="append", help=f"may be repeated; else {', '.join(networks)}"
    )
    found.add_argument("--seeds", default=seeds, help="first:end (the end left out) or 1,5,9")
    found.add_argument("--profile", choices=("sumo", "rilsa"), default="sumo")
    found.add_argument("--amber", type=float, help="amber of every vehicle group in s")
    found.add_argument("--all-red", type=float, help="all-red after amber in s")
    found.add_argument("--min-green", type=float, help="minimum green in s")
    found.add_argument("--workers", type=int, help="runs at the same time; else one a core")
    found.set_defaults(networks=networks)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to be run, from the command line."""

    directory: Path
    networks: tuple[str, ...]
    seeds: tuple[int, ...]
    profile: Profile
    workers: int | None

    @property
    def place(self) -> Path:
        """Where runs under this profile are kept."""
        return self.directory / re.sub(r"[^a-z0-9.]+", "-", self.profile.label).strip("-")

    def title(self, what: str) -> str:
        """Heading of a printed table."""
        seeds = ", ".join(map(str, self.seeds))
        return f"{what}, profile {self.profile.label}, seeds {seeds}\n"

    def config(self, network: str, control: str) -> RunConfig:
        """The configuration of a run, the seed to be filled in."""
        return RunConfig(
            scenario=resolve(network), control=control, profile=self.profile, seed=self.seeds[0]
        )

    def jobs(
        self, config: RunConfig, variant: str = "", connect: Connect = connect
    ) -> dict[int, Job]:
        """A run for each seed.

        Parameters
        ----------
        variant : name of what differs from the control as it is; empty if nothing does, so that
            all benchmarks share these runs.
        """
        name = f"{config.control}-{variant}" if variant else config.control
        return {
            seed: Job(
                config=replace(config, seed=seed),
                directory=self.place / config.scenario.name / name / f"seed-{seed}",
                connect=connect,
            )
            for seed in self.seeds
        }


def chosen(arguments: Namespace) -> Choice:
    """What the arguments say."""
    return Choice(
        directory=arguments.directory.absolute(),
        networks=tuple(arguments.network or arguments.networks),
        seeds=tuple(seed_list(arguments.seeds)),
        profile=profile_of(
            arguments.profile,
            min_green_s=arguments.min_green,
            amber_s=arguments.amber,
            all_red_s=arguments.all_red,
        ),
        workers=arguments.workers,
    )


def start(main: Callable[[], None]) -> None:
    """Run a benchmark; input that cannot be what was meant ends it with a message."""
    try:
        main()
    except AmpelwerkError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command runs what is missing")


JobsOf = Mapping[str, Mapping[str, Mapping[int, Job]]]
"""Runs by network, variant and seed."""


def run_all(by_network: JobsOf, workers: int | None) -> None:
    """Run what is missing or of another source or configuration; ends if a run fails.

    Seed by seed, so that an early stop leaves pairs.
    """
    check_workers(workers)
    console = Console(stderr=True)
    rows = [row for rows in by_network.values() for row in rows.values()]
    seeds = dict.fromkeys(seed for row in rows for seed in row)
    jobs = [row[seed] for seed in seeds for row in rows if seed in row]
    other = [job for job in jobs if job.is_finished and not _is_current(job)]
    for job in other:
        shutil.rmtree(job.directory)
    if other:
        console.print(f"Run again: {len(other)} of another source or configuration.")
    if not run_missing(jobs, workers=workers, scheduler=None, console=console):
        sys.exit(1)


def _is_current(job: Job) -> bool:
    """The finished run was made by this source in this configuration."""
    manifest = json.loads((job.directory / MANIFEST).read_text(encoding="utf-8"))
    return bool(
        manifest.get("source_sha256") == source_sha256()
        and manifest["config"] == configuration_of_run(job.config)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Finished runs of one variant on one network."""

    by_seed: Mapping[int, Mapping[str, Any]]
    """Measures of each run."""

    @property
    def delay_s(self) -> Estimate | None:
        """Mean delay. [s]"""
        return estimate(list(self._delays().values()))

    def beyond(self, reference: Runs) -> Estimate | None:
        """Mean of the differences in delay to another variant, paired by seed. [s]"""
        theirs = reference._delays()
        return estimate([d - theirs[s] for s, d in self._delays().items() if s in theirs])

    @property
    def gridlocked(self) -> list[int]:
        """Seeds whose run locked."""
        return [seed for seed, run in self.by_seed.items() if run["gridlock"]]

    def safety(self, key: str) -> int:
        """Sum over the runs of what the witness counted."""
        return sum(int(run["safety"][key]) for run in self.by_seed.values())

    def _delays(self) -> dict[int, float]:
        return {s: float(r["delay_s"]) for s, r in self.by_seed.items() if r["delay_s"] is not None}

    def as_data(self, reference: Runs | None = None) -> dict[str, Any]:
        """For a JSON file."""
        difference = self.beyond(reference) if reference else None
        return {
            "delay_s": asdict(self.delay_s) if self.delay_s else None,
            "difference_s": asdict(difference) if difference else None,
            "gridlocked_seeds": self.gridlocked,
            "checked_switches": self.safety("checked_switches"),
            "violations": self.safety("violations"),
            "delay_by_seed_s": self._delays(),
        }


def collected(jobs: Mapping[int, Job]) -> Runs:
    """Read the measures of finished runs, by seed."""
    return Runs(by_seed={seed: read_measures(job.directory) for seed, job in jobs.items()})


def text_of(found: Estimate | None, *, signed: bool = False) -> str:
    """A mean with half the width of its 95 % interval."""
    if found is None:
        return "–"
    text = f"{found.mean:{'+' if signed else ''}.1f}"
    return text if found.high is None else f"{text} ± {found.high - found.mean:.1f}"


def cell(runs: Runs) -> str:
    """Mean delay and gridlocked runs."""
    locked = f" ({len(runs.gridlocked)} G)" if runs.gridlocked else ""
    return text_of(runs.delay_s) + locked


def row(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def head(titles: Sequence[str]) -> str:
    """The head of a Markdown table."""
    return row(titles) + "\n" + "|---" * len(titles) + "|"


def write_json(choice: Choice, networks: Mapping[str, Any], path: Path) -> None:
    """Results of some networks as a file, with what they are of."""
    whole = {
        "source_sha256": source_sha256(),
        "profile": choice.profile.label,
        "seeds": list(choice.seeds),
        "networks": networks,
    }
    path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
