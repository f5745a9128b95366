"""One run in a fresh process of its own.

libsumo lives once in a process and keeps memory between runs, so every run of a comparison gets
its own interpreter. The run's configuration goes to it through its standard input; when that pipe
breaks, because the parent was killed, the process ends as well. A run works in a directory beside
its own and is renamed when complete: what carries its proper name is whole.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ampelwerk.models.errors import SimulationError
from ampelwerk.sim.controls import Connect, connect, in_process
from ampelwerk.sim.run import run
from ampelwerk.sim.run_configuration import RunConfig

PROGRESS_FILE = "progress"
"""Share of the run done, while it is in flight."""
_FINISHED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run and where its files go."""

    config: RunConfig
    """What to run."""
    directory: Path
    """Where the finished run stands."""
    connect: Connect = connect
    """Builds the control; another one than ours in benchmarks only."""
    record: bool = False
    """Keep what every loop reported."""

    @property
    def working_directory(self) -> Path:
        """Where the run stands while it is in flight."""
        return self.directory.with_name(f".{self.directory.name}.partial")

    @property
    def is_finished(self) -> bool:
        """The run is whole."""
        return (self.directory / "measures.json").exists()

    def share_done(self) -> float:
        """How much of the run in flight is simulated, 0 to 1."""
        try:
            return float((self.working_directory / PROGRESS_FILE).read_text())
        except (OSError, ValueError):
            return 0.0


def run_in_fresh_process(job: Job) -> None:
    """Run a job to its end.

    Raises
    ------
    SimulationError : the process failed; with the end of what it said.
    """
    shutil.rmtree(job.working_directory, ignore_errors=True)
    job.working_directory.mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "ampelwerk.sim.run_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    assert process.stdin is not None and process.stderr is not None
    try:
        pickle.dump(job, process.stdin)
        process.stdin.flush()
        said = process.stderr.read().decode(errors="replace")
        process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        process.stdin.close()
        process.stderr.close()
    if process.returncode != _FINISHED:
        lines = said.strip().splitlines() or [f"exit code {process.returncode}"]
        error = next((line for line in reversed(lines) if line.startswith("error: ")), lines[-1])
        raise SimulationError(
            error.removeprefix("error: "),
            where=", ".join(
                [job.config.control, f"seed {job.config.seed}", *map(str, job.config.faults)]
            ),
        )


def _end_with_parent() -> None:
    """Leave when the parent's end of the pipe closes."""
    # Not sys.stdin: a thread inside its buffer would break the interpreter's shutdown.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> int:
    """Read a job from standard input and run it."""
    job: Job = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    working = job.working_directory
    progress = working / PROGRESS_FILE

    def tell(share: float) -> None:
        fresh = progress.with_suffix(".new")
        fresh.write_text(f"{share:.4f}")
        fresh.replace(progress)

    link = partial(in_process, connect=job.connect)
    try:
        run(job.config, working, record=job.record, progress=tell, open_link=link)
    except Exception as error:  # noqa: BLE001 - the edge of the process
        print(f"error: {' '.join(str(error).split()) or type(error).__name__}", file=sys.stderr)
        return 1
    progress.unlink(missing_ok=True)
    shutil.rmtree(job.directory, ignore_errors=True)
    working.replace(job.directory)
    return _FINISHED


if __name__ == "__main__":
    sys.exit(main())
