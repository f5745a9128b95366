"""The witness: temporary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr


@dataclass(frozen=True)
class WitnessReport:
    longest_red_s: float | None = None

    def summary(self) -> dict[str, Any]:
        return {"checked_switches": 0, "violations": 0}


def write_record_request(ids: Sequence[str], path: Path, record: Path) -> None:
    path.write_text(
        "<additional>\n"
        + "".join(
            f'<timedEvent type="SaveTLSStates" source={quoteattr(i)} dest={quoteattr(str(record))}/>\n'
            for i in ids
        )
        + "</additional>\n"
    )


def check(*a: Any, **k: Any) -> WitnessReport:
    return WitnessReport()


def write_signals_csv(record: Path, out: Path) -> None:
    last = {}
    with out.open("w") as f:
        f.write("time,intersection,state\n")
        for line in record.open():
            m = re.search(r'<tlsState time="([^"]*)" id="([^"]*)".* state="([^"]*)"', line)
            if m and last.get(m[2]) != m[3]:
                last[m[2]] = m[3]
                f.write(f"{m[1]},{m[2]},{m[3]}\n")
