"""The published plans of a controller on its disk: what it follows survives a restart.

One file, replaced as a whole: after a power cut it holds the state before or the one after. Signatures
are checked again when it is read, by whoever reads it.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import NamedTuple

from google.protobuf.message import DecodeError

from ampelwerk.proto.v1.plan_pb2 import SignedPlan


class KeptPlans(NamedTuple):
    """Published plans that a controller keeps."""

    current: SignedPlan | None = None
    """Has taken over."""
    next: SignedPlan | None = None
    """Accepted; takes over at its time."""
    before: SignedPlan | None = None
    """Was current before, for the way back."""


class PlanFile:
    """A file of plans.

    Parameters
    ----------
    path : None keeps nothing beyond the process.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> tuple[KeptPlans, str]:
        """What is kept, and why it cannot be read if it cannot."""
        if self._path is None or not self._path.exists():
            return KeptPlans(), ""
        try:
            content = json.loads(self._path.read_bytes())
            plans = {
                name: SignedPlan.FromString(b64decode(content[name])) if content[name] else None
                for name in KeptPlans._fields
            }
        except (OSError, ValueError, KeyError, TypeError, DecodeError) as error:
            return KeptPlans(), f"{self._path}: {error}"
        return KeptPlans(**plans), ""

    def write(self, plans: KeptPlans) -> None:
        """Keep these and no others; on disk when it returns.

        Raises
        ------
        OSError : it cannot be; what was kept before still is.
        """
        if self._path is None:
            return
        content = {
            name: b64encode(signed.SerializeToString()).decode() if signed else ""
            for name, signed in plans._asdict().items()
        }
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
