"""Errors at the edge of the process: one table from error to exit code, no traceback unasked."""

from __future__ import annotations

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

EXIT_CODE: tuple[tuple[type[BaseException], int], ...] = (
    (InvalidInputError, BAD_INPUT),
    (UnsafePlanError, BAD_INPUT),
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
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the edge of the process
        if debug:
            traceback.print_exc()
        print(_text(error), file=sys.stderr)
        edge.code = next(code for kind, code in EXIT_CODE if isinstance(error, kind))
    if edge.code:
        raise SystemExit(edge.code)


def _text(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, AmpelwerkError):
        return f"error: {error}"
    if isinstance(error, ModuleNotFoundError):
        return f"error: {error.name} is not installed; remedy: run `ampelwerk doctor`"
    if isinstance(error, OSError):
        return f"error: {error.filename or ''}: {error.strerror or error}"
    return f"error: unexpected {type(error).__name__}: {error}; remedy: run again with --debug"
