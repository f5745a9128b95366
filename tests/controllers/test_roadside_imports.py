"""What stands at the roadside runs where nothing but Python and cryptography is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROADSIDE = (
    "arbiter", "hires", "interlock", "lease_of", "local", "monitor", "safety_data",
    "signed_envelope", "steering",
)  # fmt: skip
WITH_CRYPTOGRAPHY = ("signed_envelope",)


@pytest.mark.parametrize("module", ROADSIDE)
def test_roadside_module_needs_little(module: str) -> None:
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        f"import ampelwerk.controllers.{module}\n"
        "own = {'ampelwerk', 'cryptography', 'cffi', '_cffi_backend'}\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(loaded - own - set(sys.stdlib_module_names)))\n"
        "print('cryptography' in loaded)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    strangers, cryptography = result.stdout.splitlines()
    assert [name for name in strangers.split() if not name.startswith("_")] == []
    assert (cryptography == "True") == (module in WITH_CRYPTOGRAPHY)
