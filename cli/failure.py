"""Errors at the edge of the process: one table from error to exit code, no traceback unasked."""

from __future__ import annotations

import os
import select
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ampelwerk.models.errors import (
    AmpelwerkError,
    InvalidInputError,
    MissingDependencyError,
    UnsafePlanError,
)

OK, RUNTIME_ERROR, BAD_INPUT, COMPARED_WORSE, DEPENDENCY_MISSING, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes."""
WRONG_PLACE = (
    FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError,
)  # fmt: skip
"""A place was named where nothing can be read or written."""

EXIT_CODE: tuple[tuple[type[BaseException], int], ...] = (
    (InvalidInputError, BAD_INPUT),
    (UnsafePlanError, BAD_INPUT),
    *((kind, BAD_INPUT) for kind in WRONG_PLACE),
    (MissingDependencyError, DEPENDENCY_MISSING),
    (ModuleNotFoundError, DEPENDENCY_MISSING),
    (KeyboardInterrupt, INTERRUPTED),
    (AmpelwerkError, RUNTIME_ERROR),
    (Exception, RUNTIME_ERROR),
)
"""The first class that fits decides."""


@dataclass(slots=True)
class Edge:
    """The edge of the process."""

    code: int = OK
    """Exit code of a command that did not fail."""


@contextmanager
def process_edge(*, debug: bool) -> Iterator[Edge]:
    """Around a command's imports and body: leave the process with its exit code."""
    edge = Edge()
    try:
        yield edge
        sys.stdout.flush()  # a reader that has left is noticed here and not at the very end
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the edge of the process
        if debug:
            traceback.print_exc()
        if not (isinstance(error, BrokenPipeError) and _reader_has_left()):
            print(_text(error), file=sys.stderr)
        edge.code = next(code for kind, code in EXIT_CODE if isinstance(error, kind))
    if edge.code:
        raise SystemExit(edge.code)


def _reader_has_left() -> bool:
    """Nobody reads the output any more, which is no error; what is left of it goes nowhere."""
    try:
        output = sys.stdout.fileno()
        sys.stdout.flush()
    except BrokenPipeError:
        left = True
    except OSError:  # standard output is no file
        return False
    else:
        left = _nobody_reads(output)
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return left


def _nobody_reads(output: int) -> bool:
    """A pipe's other end is closed: what was to be flushed may have gone with the write that failed."""
    if not hasattr(select, "poll"):  # Windows
        return False
    polled = select.poll()
    polled.register(output, 0)
    return any(event & select.POLLERR for _, event in polled.poll(0))


def _text(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, AmpelwerkError):
        return f"error: {error}"
    if isinstance(error, ModuleNotFoundError):
        return f"error: {error.name} is not installed; remedy: run `ampelwerk doctor`"
    if isinstance(error, WRONG_PLACE) and error.filename:
        return f"error: {error.filename}: {error.strerror}; remedy: name another place"
    if isinstance(error, OSError):
        return f"error: {error.filename or ''}: {error.strerror or error}"
    return f"error: unexpected {type(error).__name__}: {error}; remedy: run again with --debug"
