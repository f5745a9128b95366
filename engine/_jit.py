"""The one decorator for kernels, and where their machine code is kept.

Numba looks at the file of the kernel that is called and not at those it calls in turn, so a changed
kernel could go on running as it was. Hence one cache folder for each state of all kernels together.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core.registry import CPUDispatcher

COMPILING = "The kernels are compiled now, once for this version; that takes about half a minute."
"""What a user is told meanwhile."""
P = ParamSpec("P")
R = TypeVar("R")


def _user_cache() -> Path:
    """Where this user's programs keep what they can make again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))


def _cache_folder() -> Path:
    """A folder named by the text of all kernels, how they are compiled, and the compiler."""
    digest = hashlib.sha256(numba.__version__.encode())
    here = Path(__file__).parent
    for path in (here / "_jit.py", here / "_lanes.py", *sorted((here / "kernels").glob("*.py"))):
        digest.update(path.read_bytes())
    return _user_cache() / "ampelwerk" / f"kernels-{digest.hexdigest()[:16]}"


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]


def _njit(**options: Any) -> Any:
    """Numba's decorator with what all kernels have in common.

    A division by zero is no exception; the interpreter lock is not held. Kernels make no arrays and
    keep none, so nobody has to count who holds them: with a hundred arrays an argument, counting was
    a third of the compilation and a fifth of a tick.
    """
    njit: Any = numba.njit  # its stubs do not know `_nrt`
    return njit(error_model="numpy", nogil=True, _nrt=False, **options)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that becomes part of its caller: for inner loops that take many arrays."""
    compiled: Callable[P, R] = _njit(inline="always")(function)
    return compiled


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel, cached on disk.

    For other kernels it is compiled without what lets Python call it: with a hundred arrays that takes
    longer than most kernels themselves. Called by Python it is compiled once more, with that.
    """
    bare = _njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    compiled: Callable[P, R] = bare(function)
    if isinstance(compiled, CPUDispatcher):  # not so where Numba is told to compile nothing
        compiled.__class__ = _Kernel
    return compiled


def compiled_before(compiled: Callable[..., object]) -> bool:
    """Machine code of a kernel with its entry is kept from an earlier run, or none is to be made."""
    return not isinstance(compiled, _Kernel) or compiled.is_kept()


class _Kernel(CPUDispatcher):
    """A kernel without an entry for Python, and the one with it."""

    def __call__(self, *arguments: object) -> object:
        """Call it from Python."""
        return self._entry(*arguments)

    def is_kept(self) -> bool:
        """Whether the machine code that Python calls is on disk."""
        entry: Any = self._entry
        module, name = entry.__module__.rpartition(".")[2], entry.__name__
        return any(Path(entry.stats.cache_path).glob(f"{module}.{name}-*.nbc"))

    @cached_property
    def _entry(self) -> Callable[..., object]:
        """The kernel with an entry; its name keeps the two apart in the cache."""
        bare = self.py_func
        name = f"{bare.__name__}_entry"
        copied = FunctionType(
            bare.__code__, bare.__globals__, name, bare.__defaults__, bare.__closure__
        )
        copied.__module__, copied.__qualname__ = bare.__module__, name
        entry: Callable[..., object] = _njit(cache=True)(copied)
        return entry
