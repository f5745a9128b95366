"""The first use on a machine: kernels are compiled ahead, once, and the user is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import SmallScenario

AHEAD = (
    "import sys\n"
    "from ampelwerk.engine.compilation import compile_ahead\n"
    "compile_ahead(sys.argv[1:], print)"
)
SIMULATE = "from ampelwerk.cli.main import main; main()"
TOLD = "compiled now"


def test_a_run_finds_every_kernel_compiled_ahead(tmp_path: Path, small: SmallScenario) -> None:
    cache = tmp_path / "cache"
    # What it is told of a network without intersections must be of the types of any network.
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "NUMBA_DISABLE_JIT": "0"}

    def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            capture_output=True, text=True, timeout=600, check=True, env=environment,
        )  # fmt: skip

    def kept() -> set[str]:
        return {path.name for path in cache.rglob("*.nb?")}

    without = python(AHEAD, "native", "actuated")
    assert without.stdout == ""
    assert not kept()
    ahead = python(AHEAD, "native", "rolling-horizon")
    assert TOLD in ahead.stdout
    assert not ahead.stderr
    compiled = kept()
    for entry in ("observation.observe_entry", "rolling_horizon.choose_entry"):
        assert any(name.startswith(entry) for name in compiled)
    run = python(SIMULATE, "simulate", *small.arguments, "--end", "60")
    assert kept() == compiled
    assert TOLD not in run.stderr
    assert python(AHEAD, "rolling-horizon").stdout == ""
