"""detectors.csv: which loops were lost and believed again, when, and how soon faults were found."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ampelwerk.models.detection import LoopAlarm
from ampelwerk.models.network import Network

COLUMNS = ("time", "loop", "role", "fault", "quality")


def alarms_csv(alarms: Sequence[LoopAlarm], network: Network) -> bytes:
    """The file's content, by time; times in s."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for alarm in alarms:
        loop = network.loops[alarm.loop]
        writer.writerow(
            [f"{alarm.time_s:.15g}", loop.loop_id, loop.role, alarm.fault, f"{alarm.quality:g}"]
        )
    return text.getvalue().encode()


def what_was_found(alarms: Sequence[LoopAlarm], failed_s: Mapping[int, float]) -> dict[str, Any]:
    """Loops found faulty at some time, for measures.json.

    Parameters
    ----------
    failed_s : faulty loop -> when it failed. [s]
    """
    first: dict[int, LoopAlarm] = {}
    for alarm in alarms:
        if alarm.quality < 1.0 and alarm.time_s >= failed_s.get(alarm.loop, -1e18):
            first.setdefault(alarm.loop, alarm)
    after_s = sorted(
        first[loop].time_s - begin_s for loop, begin_s in failed_s.items() if loop in first
    )
    return {
        "found_faulty": len(first),
        "found_kinds": dict(sorted(Counter(alarm.fault for alarm in first.values()).items())),
        "found_rightly": len(after_s),
        "found_wrongly": len(first) - len(after_s),
        "found_after_median_s": round(median(after_s), 1) if after_s else None,
        "found_after_longest_s": round(after_s[-1], 1) if after_s else None,
    }
