"""The one decorator for kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel: cached on disk, NumPy error model, without the interpreter lock."""
    compiled: Callable[P, R] = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    return compiled
