"""A time limit of optimisation."""

from __future__ import annotations

from time import monotonic


class Deadline:
    """A moment after which no further improvement is begun.

    Parameters
    ----------
    limit_s : time from now on; None for no limit. [s]
    """

    def __init__(self, limit_s: float | None = None) -> None:
        self._end_s = None if limit_s is None else monotonic() + limit_s
        self.reached = False
        """Something was left out because of it."""

    def passed(self) -> bool:
        """It is over."""
        over = self._end_s is not None and monotonic() > self._end_s
        self.reached = self.reached or over
        return over
