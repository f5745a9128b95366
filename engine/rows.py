"""Compressed rows, built one after the other: what hangs on each lane, stage or loop."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ampelwerk.engine.kernels.city import FloatArray, IntArray


class Rows:
    """Rows of indices; row k is `value[ptr[k]:ptr[k + 1]]`."""

    def __init__(self) -> None:
        self.ptr, self.value = [0], list[int]()

    def add(self, row: Iterable[int]) -> None:
        """Put a row after the others."""
        self.value.extend(row)
        self.ptr.append(len(self.value))


def ints(values: Iterable[int]) -> IntArray:
    """An array of whole numbers."""
    return np.array(list(values), dtype=np.int64)


def floats(values: Iterable[float]) -> FloatArray:
    """An array of numbers."""
    return np.array(list(values), dtype=np.float64)


def bit_mask(places: Iterable[int]) -> int:
    """Bits at some places, as the signed number that holds them in 64 bits."""
    return int(np.int64(np.uint64(sum(1 << place for place in places))))
