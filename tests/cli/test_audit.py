"""`ampelwerk audit`: shows what was recorded and says whether it was changed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from ampelwerk.controllers.store.audit import AuditEntry
from ampelwerk.controllers.store.store import Store
from tests.cli.test_bad_input import ampelwerk, assert_refused


def filled(path: Path) -> Path:
    store = Store(str(path))
    for number, actor in enumerate(("ada", "bob", "ada"), start=1):
        with store.change() as change:
            change.record(
                AuditEntry(
                    at_unix_ms=number * 1000, actor=actor, role="operator",
                    method="override.request", target=f"o{number}", result="ok",
                    reason="burst water main",
                )
            )  # fmt: skip
    store.close()
    return path


def test_records_are_shown_and_chosen(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.sqlite3")
    shown = ampelwerk("audit", "show", "--store", path, "--actor", "ada", "--json")
    assert shown.exit_code == 0, shown.stderr
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [row["target"] for row in rows] == ["o1", "o3"]
    assert "burst" in ampelwerk("audit", "show", "--store", path).stdout


def test_whole_chain_and_changed_chain(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.sqlite3")
    whole = ampelwerk("audit", "verify", "--store", path)
    assert whole.exit_code == 0, whole.stderr
    assert "the chain is whole" in whole.stdout
    note = whole.stdout.split("note elsewhere: ")[1].split()[0]
    assert ampelwerk("audit", "verify", "--store", path, "--noted", note).exit_code == 0
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM audit WHERE seq = 3")
        connection.execute("UPDATE meta SET value = 2 WHERE name = 'audit_seq'")
    connection.close()
    assert ampelwerk("audit", "verify", "--store", path).exit_code == 0  # a cut end leaves a chain
    cut = ampelwerk("audit", "verify", "--store", path, "--noted", note, "--json")
    assert cut.exit_code == 2
    assert json.loads(cut.stdout)["findings"][0]["rule"] == "audit_end"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE audit SET content = replace(content, 'ada', 'eve')")
    connection.close()
    changed = ampelwerk("audit", "verify", "--store", path)
    assert changed.exit_code == 2
    assert "was changed" in changed.stdout


def test_no_store_is_made_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.sqlite3"
    assert_refused(ampelwerk("audit", "verify", "--store", path), "no such store", str(path))
    assert not path.exists()
    assert_refused(
        ampelwerk("audit", "verify", "--store", filled(path), "--noted", "x"), "SEQ:HASH"
    )
