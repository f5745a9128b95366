"""The latch of a failure: it outlives the process, so that a restart does not heal anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol


class Latch(Protocol):
    """Where a failure is kept until the local reset."""

    def read(self) -> str:
        """Reason of the latched failure, empty without one."""
        ...

    def set(self, reason: str) -> None:
        """Keep the first reason."""

    def clear(self) -> None:
        """Local reset."""


class FileLatch:
    """A failure kept in a file; the file's presence is the failure.

    A file that cannot be read, or that is empty, is a failure too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """Reason of the latched failure, empty without one."""
        try:
            return self._path.read_text(encoding="utf-8").strip() or "failure without reason"
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            return f"latch unreadable: {error}"

    def set(self, reason: str) -> None:
        """Keep the first reason; it is on disk when this returns."""
        try:
            with self._path.open("x", encoding="utf-8") as file:
                file.write(reason + "\n")
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            pass

    def clear(self) -> None:
        """Local reset."""
        self._path.unlink(missing_ok=True)
