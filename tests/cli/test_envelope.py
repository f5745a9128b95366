"""`ampelwerk envelope` from model and table to a file that verifies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from ampelwerk.controllers.store import audit, schema
from ampelwerk.controllers.store.store import Store
from ampelwerk.models.errors import StoreError
from tests.cli.test_bad_input import ampelwerk, assert_refused
from tests.conftest import SmallScenario
from tests.controllers.test_intergreen_table import GOOD, STAGES


def test_model_to_verified_file(small: SmallScenario, tmp_path: Path) -> None:
    keys, folder = tmp_path / "authority", tmp_path / "envelopes"
    assert ampelwerk("envelope", "keygen", keys).exit_code == 0
    built = ampelwerk("envelope", "build", small.net, "-o", folder, "--json")
    assert built.exit_code == 0, built.stderr
    files = [row["file"] for row in json.loads(built.stdout)]
    assert len(files) == 2
    public, private = f"{keys}.pub.pem", f"{keys}.key.pem"
    assert_refused(ampelwerk("envelope", "verify", *files, "-k", public), "not signed")
    assert ampelwerk("envelope", "sign", *files, "-k", private).exit_code == 0
    verified = ampelwerk("envelope", "verify", *files, "-k", public, "--json")
    assert verified.exit_code == 0, verified.stderr
    for row in json.loads(verified.stdout):
        assert Path(row["file"]).name == f"{row['sha256']}.envelope"
        assert row["key_id"]
    shown = ampelwerk("envelope", "show", files[0])
    assert "signed with key" in shown.stdout
    assert "stage 1:" in shown.stdout


def test_model_file_and_net_give_the_same_data(small: SmallScenario, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    assert ampelwerk("model", *small.arguments, "-o", model).exit_code == 0
    for source, folder in ((small.net, "net"), (model, "model")):
        result = ampelwerk("envelope", "build", source, "-o", tmp_path / folder)
        assert result.exit_code == 0, result.stderr
    names = [{path.name for path in (tmp_path / f).iterdir()} for f in ("net", "model")]
    assert names[0] == names[1]


def test_approaches_too_fast_for_a_signal_have_no_envelope(
    small: SmallScenario, tmp_path: Path
) -> None:
    fast = tmp_path / "fast.net.xml"
    content = small.net.read_text(encoding="utf-8")
    assert 'speed="13.89"' in content
    fast.write_text(content.replace('speed="13.89"', 'speed="22.22"'), encoding="utf-8")
    for profile, refused in (("sumo", False), ("rilsa", True)):
        result = ampelwerk(
            "envelope", "build", fast, "--profile", profile, "-o", tmp_path / profile
        )
        if refused:
            assert_refused(result, "lane", "80 km/h")
            assert not (tmp_path / profile).exists()
        else:
            assert result.exit_code == 0, result.stderr


def test_table_to_file(tmp_path: Path) -> None:
    table, stages = tmp_path / "table.csv", tmp_path / "stages.csv"
    table.write_text(GOOD, encoding="utf-8")
    stages.write_text(STAGES, encoding="utf-8")
    result = ampelwerk(
        "envelope", "import", table, "-i", "J1", "--stages", stages, "-o", tmp_path / "e", "--json"
    )
    assert result.exit_code == 0, result.stderr
    (row,) = json.loads(result.stdout)
    assert row["intersection"] == "J1"
    shown = ampelwerk("envelope", "show", row["file"], "--json")
    assert json.loads(shown.stdout)["intergreen_ds"][0] == [None, 60, 50]


def test_refused_table_writes_nothing(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(GOOD.replace("8,,", ",,"), encoding="utf-8")
    result = ampelwerk("envelope", "import", table, "-i", "J1", "-o", tmp_path / "e")
    assert_refused(result, "conflict_asymmetric", "line 4, K1")
    assert not (tmp_path / "e").exists()


def test_renamed_and_edited_files_are_refused(small: SmallScenario, tmp_path: Path) -> None:
    ampelwerk("envelope", "build", small.net, "-o", tmp_path / "e")
    first, second = sorted((tmp_path / "e").iterdir())
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    assert_refused(ampelwerk("envelope", "show", first), "named after")
    first.write_bytes(content.replace(b'"min_green_ds":50', b'"min_green_ds":40', 1))
    assert_refused(ampelwerk("envelope", "show", first), "named after")


@pytest.mark.parametrize("words", [("-i", "nowhere"), ("--profile", "rilsa", "--min-green", "2")])
def test_unknown_intersection_and_wrong_profile(
    small: SmallScenario, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert_refused(ampelwerk("envelope", "build", small.net, "-o", tmp_path / "e", *words))
    assert not (tmp_path / "e").exists()


def test_signed_data_are_loaded_into_a_store_all_or_none(
    small: SmallScenario, tmp_path: Path
) -> None:
    keys, place = tmp_path / "authority", tmp_path / "city.sqlite3"
    ampelwerk("envelope", "keygen", keys)
    ampelwerk("envelope", "build", small.net, "-o", tmp_path / "e")
    first, second = sorted((tmp_path / "e").iterdir())
    words = (
        "--store", place, "-k", f"{keys}.pub.pem", "--actor", "ada", "--reason", "new crossing",
    )  # fmt: skip
    ampelwerk("envelope", "sign", first, "-k", f"{keys}.key.pem")
    assert_refused(ampelwerk("envelope", "load", first, second, *words), "not signed")
    store = Store(str(place))
    with store.read() as reading:
        assert reading.envelopes.newest() == {}
        assert reading.audit_seq == 0
    ampelwerk("envelope", "sign", second, "-k", f"{keys}.key.pem")
    for _ in range(2):  # the second time nothing is new
        assert ampelwerk("envelope", "load", first, second, *words).exit_code == 0
    with store.read() as reading:
        kept = reading.envelopes.newest()
        assert {envelope.to_bytes() for envelope in kept.values()} == {
            first.read_bytes(), second.read_bytes(),
        }  # fmt: skip
        assert reading.envelopes.get("0" * 64) is None
        results = [record.entry.result for record in audit.records(reading.connection)]
    assert results == ["ok", "ok", "repeated", "repeated"]
    with store.engine.begin() as connection:
        name = first.name.removesuffix(".envelope")
        connection.execute(
            sa.update(schema.envelope)
            .where(schema.envelope.c.sha256 == name)
            .values(content=second.read_bytes())
        )
    with store.read() as reading, pytest.raises(StoreError, match="damaged"):
        reading.envelopes.get(name)
    store.close()
