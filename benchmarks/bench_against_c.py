"""The plan search beside the same algorithm in C: how much slower, or faster, Numba's code is.

    python -m benchmarks.bench_against_c

Builds plan_search.c with the system's compiler (`$CC`, cc, gcc, clang, or `python -m ziglang cc` if
that package is there) at -O3 -march=native. Both run on the same models in turn, over and over;
the least time of each counts, since a busy machine only ever adds.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import IntArray
from ampelwerk.engine.kernels.plan_model import Layout, Model, Weights, no_layout, padded
from ampelwerk.engine.kernels.plan_search import UNSET, Labels, no_labels, search
from benchmarks.plan_models import WEIGHTS, grid, random_model
from tests.engine.synthetic_city import LANES

MODELS, TIMES, ROUNDS = 40, 50, 12


def compiler() -> list[str]:
    """The words that start a C compiler."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and shutil.which(name):
            return [name]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise SystemExit("No C compiler: set CC, or install the package ziglang.")


def build(folder: Path) -> ctypes.CDLL:
    """Compile the C search."""
    library = folder / "plan_search.so"
    source = Path(__file__).with_name("plan_search.c")
    flags = ["-O3", "-march=native", "-std=gnu11", "-shared", "-fPIC"]
    subprocess.run([*compiler(), *flags, "-o", str(library), str(source), "-lm"], check=True)
    found = ctypes.CDLL(str(library))
    found.repeat.argtypes = [
        *[ctypes.c_void_p] * 5, *[ctypes.c_int64] * 4, *[ctypes.c_double] * 3, ctypes.c_int64,
    ]  # fmt: skip
    found.repeat.restype = None
    return found


def pointers(arrays: Sequence[object]) -> ctypes.Array[ctypes.c_void_p]:
    """A C struct of pointers to arrays."""
    return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))  # type: ignore[attr-defined]


@kernel
def repeat(
    model: Model,
    weights: Weights,
    layout: Layout,
    labels: Labels,
    grid_s: IntArray,
    present: int,
    stages: int,
    lanes: int,
    times: int,
) -> None:
    """Search over and over."""
    for _ in range(times):
        search(model, weights, layout, labels, grid_s, present, stages, lanes)


def compare(library: ctypes.CDLL, stages: int) -> tuple[float, float, float]:
    """Least time of one search in Numba and in C, and the greatest relative difference."""
    rng = np.random.default_rng(1)
    grid_s = grid()
    models = [random_model(stages, grid_s, rng) for _ in range(MODELS)]
    layout = no_layout(LANES, stages, len(grid_s), WEIGHTS.horizon_s)
    labels = no_labels(LANES, stages, len(grid_s))
    room = np.array([stages, padded(LANES), padded(len(grid_s))], dtype=np.int64)
    arrays = pointers(layout), pointers(labels)
    structs = [pointers(model) for model in models]

    def numba(k: int, times: int) -> None:
        repeat(models[k], WEIGHTS, layout, labels, grid_s, 0, stages, LANES, times)

    def c(k: int, times: int) -> None:
        library.repeat(
            structs[k], *arrays, room.ctypes.data, grid_s.ctypes.data, len(grid_s), 0, stages,
            LANES, WEIGHTS.start_up_s, WEIGHTS.red_s, WEIGHTS.stop_s, times,
        )  # fmt: skip

    least = np.full((2, MODELS), np.inf)
    apart = 0.0
    for k in range(MODELS):
        numba(k, 1)
        ours = labels.best.copy()
        c(k, 1)
        found = ours < UNSET
        apart = max(apart, float((abs(ours - labels.best)[found] / ours[found].clip(1)).max()))
    for _ in range(ROUNDS):
        for k in range(MODELS):
            for which, run in enumerate((numba, c)):
                begin = time.perf_counter()
                run(k, TIMES)
                least[which, k] = min(least[which, k], time.perf_counter() - begin)
    ours_s, theirs_s = least.mean(axis=1) / TIMES
    return float(ours_s), float(theirs_s), apart


def main() -> None:
    """Print a table."""
    print("| lanes | stages | Numba µs | C µs | ratio | apart |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        library = build(Path(folder))
        for stages in (4, 6, 8):
            ours_s, theirs_s, apart = compare(library, stages)
            print(
                f"| {LANES} | {stages} | {ours_s * 1e6:.1f} | {theirs_s * 1e6:.1f} "
                f"| {ours_s / theirs_s:.2f} | {apart:.0e} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
