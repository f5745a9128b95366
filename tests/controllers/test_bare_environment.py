"""The roadside client needs grpcio, protobuf, cryptography and the standard library, nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BARE = """
import sys
from importlib.machinery import PathFinder

# What grpcio and cryptography themselves need comes with them.
ALLOWED = {"ampelwerk", "grpc", "google", "cryptography", "typing_extensions", "cffi", "_cffi_backend"}

class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in ALLOWED or top in sys.stdlib_module_names or top in sys.builtin_module_names:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.origin and "site-packages" in spec.origin:
            raise ImportError(f"not in a bare environment: {name}")
        return None

sys.meta_path.insert(0, Guard())
for module in ("numpy", "numba", "typer"):
    try:
        __import__(module)
    except ImportError as error:
        assert "bare" in str(error), error
    else:
        raise SystemExit(f"{module} could be imported: the guard does not work")
"""


def _run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BARE + program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_client_and_all_it_stands_on_import() -> None:
    loaded = _run(
        """
import ampelwerk.controllers.client, ampelwerk.controllers.ladder, ampelwerk.controllers.monitor
third = {m.partition(".")[0] for m, at in list(sys.modules.items())
         if "site-packages" in (getattr(at, "__file__", "") or "")}
print(" ".join(sorted(third)))
"""
    )
    found = {name for name in loaded.split() if not name.startswith(("__editable__", "_distutils"))}
    assert {"grpc", "google", "cryptography"} <= found
    assert found <= {"grpc", "google", "cryptography", "typing_extensions", "cffi", "_cffi_backend"}


def test_a_controller_runs_its_signals_there(tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    from tests.controllers.city import road_json

    path.write_bytes(road_json())
    said = _run(
        f"""
from pathlib import Path
from ampelwerk.controllers.site_file import read_site
from ampelwerk.controllers.local import LocalController
site = read_site(Path({str(path)!r}), "north")
local = LocalController(site.intersections[0], tick_ds=10, now_ds=0)
shown = set()
for second in range(1, 100):
    local.tick(second * 10)
    shown.add(local.state)
print(len(shown))
"""
    )
    assert int(said) >= 4
