"""The one decorator for kernels, and where their machine code is kept.

Numba looks at the file of the kernel that is called and not at those it calls in turn, so a changed
kernel could go on running as it was. Hence one cache folder for each state of all kernels together.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def _user_cache() -> Path:
    """Where this user's programs keep what they can make again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))


def _cache_folder() -> Path:
    """A folder named by the text of all kernels and the version of the compiler."""
    digest = hashlib.sha256(numba.__version__.encode())
    here = Path(__file__).parent
    for path in (here / "_lanes.py", *sorted((here / "kernels").glob("*.py"))):
        digest.update(path.read_bytes())
    return _user_cache() / "ampelwerk" / f"kernels-{digest.hexdigest()[:16]}"


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]


def compiled_before() -> bool:
    """Machine code of these kernels is kept from an earlier run."""
    folder = Path(str(numba.config.CACHE_DIR))  # type: ignore[attr-defined]
    return folder.is_dir() and any(folder.rglob("*.nbc"))


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that becomes part of its caller: for inner loops that take many arrays."""
    compiled: Callable[P, R] = numba.njit(error_model="numpy", nogil=True, inline="always")(
        function
    )
    return compiled


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel: cached on disk, NumPy error model, without the interpreter lock."""
    compiled: Callable[P, R] = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    return compiled
