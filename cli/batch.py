"""Many runs at a time, each in a process of its own, with one bar for all of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ampelwerk.models.errors import InvalidInputError, MissingDependencyError
from ampelwerk.sim.run_process import Job, run_in_fresh_process

POLL_S = 0.5
"""How often the display looks after the runs. [s]"""


def check_workers(workers: int | None) -> None:
    """Refuse less than one worker."""
    if workers is not None and workers < 1:
        raise InvalidInputError("at least one worker", where="--workers", found=str(workers))


def run_missing(
    jobs: Sequence[Job], *, workers: int | None, scheduler: str | None, console: Console
) -> bool:
    """Run the jobs that are not finished; True if all are now."""
    waiting = [job for job in jobs if not job.is_finished]
    if len(waiting) < len(jobs):
        console.print(f"{len(jobs) - len(waiting)} of {len(jobs)} runs are here already.")
    failures = _run_all(waiting, workers, scheduler, console)
    for failure in failures:
        console.print(f"[red]failed[/]: {failure}", highlight=False)
    if failures:
        console.print("The same command runs what is missing.")
    return not failures


def _run_all(
    waiting: Sequence[Job],
    workers: int | None,
    scheduler: str | None,
    console: Console,
) -> list[str]:
    """Run all jobs; what went wrong, a line each."""
    if not waiting:
        return []
    with ExitStack() as stack:
        executor = _executor(workers, scheduler, stack)
        futures = [executor.submit(run_in_fresh_process, job) for job in waiting]
        # On the way out, however it is left, nothing new is begun.
        stack.callback(_cancel, futures)
        bar = stack.enter_context(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("runs"),
                TimeRemainingColumn(elapsed_when_finished=True),
                console=console,
            )
        )
        task = bar.add_task(waiting[0].config.scenario.name, total=len(waiting))
        while not all(future.done() for future in futures):
            done = sum(
                1.0 if future.done() else job.share_done()
                for job, future in zip(waiting, futures, strict=True)
            )
            bar.update(task, completed=round(done, 2))
            time.sleep(POLL_S)
        bar.update(task, completed=len(waiting))
    errors = [future.exception() for future in futures]
    return [str(error) for error in errors if error is not None]


def _cancel(futures: Sequence[Future[None]]) -> None:
    for future in futures:
        future.cancel()


def _executor(workers: int | None, scheduler: str | None, stack: ExitStack) -> Executor:
    """Threads here, each waiting for a process of its own; or a Dask cluster's workers."""
    if scheduler is None:
        return stack.enter_context(ThreadPoolExecutor(workers or os.cpu_count() or 1))
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError(
            "distributed", remedy='pip install "ampelwerk[cluster]"'
        ) from error
    try:
        client = stack.enter_context(Client(scheduler, timeout=10))
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            "no Dask scheduler answers there",
            where="--scheduler",
            found=scheduler,
            remedy="start one with `dask scheduler`, and workers that see the same files",
        ) from error
    executor: Executor = client.get_executor(pure=False)
    return executor
