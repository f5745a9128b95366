"""The ablation table on a small network: variants differ, runs are kept, another source runs again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SmallScenario

ROOT = Path(__file__).parents[2]


def configuration(small: SmallScenario, folder: Path) -> Path:
    """A configuration of the small network that is over soon."""
    path = folder / "small.sumocfg"
    path.write_text(
        f"""<configuration><net-file value="{small.net}"/><route-files value="{small.routes}"/>
        <begin value="0"/><end value="400"/></configuration>""",
        encoding="utf-8",
    )
    return path


def benchmark(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip


@pytest.mark.sumo
def test_variants_are_paired_with_the_complete_control(
    small: SmallScenario, tmp_path: Path
) -> None:
    words: list[str | Path] = [
        tmp_path / "out", "--network", configuration(small, tmp_path), "--seeds", "1:3",
        "--variant", "truth",
    ]  # fmt: skip
    shown = benchmark("ablation", *words)
    assert "| truth up to 200 m instead | " in shown.stdout
    content = json.loads(
        (tmp_path / "out" / "sumo-1" / "ablation.json").read_text(encoding="utf-8")
    )
    (rows,) = content["networks"].values()
    assert list(rows) == ["complete", "truth"]
    for row in rows.values():
        assert row["violations"] == 0
        assert row["checked_switches"] > 0
        paired = [row["delay_by_seed_s"][s] - rows["complete"]["delay_by_seed_s"][s] for s in "12"]
        assert row["difference_s"]["mean"] == pytest.approx(sum(paired) / 2)
    assert len({tuple(row["delay_by_seed_s"].values()) for row in rows.values()}) == 2
    (manifest,) = (tmp_path / "out").glob("*/*/rolling-horizon-truth/seed-2/run.json")
    changed = json.loads(manifest.read_text(encoding="utf-8")) | {"source_sha256": "another"}
    manifest.write_text(json.dumps(changed), encoding="utf-8")
    again = benchmark("ablation", *words)
    assert "1 of another source or configuration" in again.stderr
    assert "3 of 4 runs are here already" in again.stderr
    assert again.stdout == shown.stdout
