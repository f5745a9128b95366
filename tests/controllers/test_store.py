"""The store over SQLite and PostgreSQL: all or nothing, and every later change is found."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ampelwerk.controllers.store import audit, database, schema
from ampelwerk.controllers.store.audit import AuditEntry, AuditReport
from ampelwerk.controllers.store.plans import PlanKind, PlanState
from ampelwerk.controllers.store.store import Change, Store
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import (
    InvalidInputError,
    KeyReusedError,
    NotLeaderError,
    StoreError,
)

J1 = IntersectionId("J1")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def entry(number: int = 0, **changes: str) -> AuditEntry:
    usual = {"actor": "ada", "role": "operator", "method": "test", "target": "J1", "result": "ok"}
    return AuditEntry(at_unix_ms=1000 + number, **{**usual, **changes})


def fill(store: Store, count: int) -> None:
    for number in range(count):
        with store.change() as change:
            change.record(entry(number, reason=f"reason {number}"))


def verify(store: Store, noted: dict[int, str] | None = None) -> AuditReport:
    with store.read() as reading:
        return audit.verify(reading.connection, trusted=[KEY.public_key()], noted=noted)


def publish(change: Change, content: bytes = b"plan", expected: int | None = None) -> int:
    return change.plans.publish(
        J1, content, epoch=1, kind=PlanKind.CYCLIC, name="day", author="ada", at_unix_ms=5,
        expected_version=expected,
    ).version  # fmt: skip


def test_migrations_lead_to_the_layout_the_code_expects(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_opening_again_changes_nothing(store: Store, place: str) -> None:
    fill(store, 3)
    again = Store(place)
    assert verify(again).records == 3
    again.close()


def test_a_store_of_a_newer_version_is_refused(store: Store, place: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        Store(place)


def test_looking_makes_and_changes_nothing(place: str) -> None:
    with pytest.raises(StoreError, match="no store"):
        Store(place, look=True)
    made = Store(place)
    fill(made, 2)
    seen = Store(place, look=True)
    assert verify(seen).records == 2
    for opened in (made, seen):
        opened.close()


def test_sqlite_is_on_disk_when_a_commit_returns(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "s.sqlite3"))
    with store.engine.connect() as connection:
        modes = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()
    assert modes == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000,
    }  # fmt: skip


def test_a_change_and_its_record_are_one(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.change() as change:
        publish(change)
        change.record(entry())
        raise ZeroDivisionError
    with store.read() as reading:
        assert reading.plans.list() == []
        assert reading.audit_seq == 0
    with pytest.raises(StoreError, match="audit record"), store.change() as change:
        publish(change)
    with store.read() as reading:
        assert reading.plans.list() == []


def test_versions_rise_and_states_follow_the_life_cycle(store: Store) -> None:
    for expected in (1, 2):
        with store.change() as change:
            assert publish(change, b"plan %d" % expected) == expected
            change.record(entry())
    with store.change() as change:
        change.plans.become(J1, 2, PlanState.ACCEPTED)
        change.plans.become(J1, 2, PlanState.APPLIED)
        change.plans.become(J1, 1, PlanState.SUPERSEDED, "version 2")
        change.record(entry())
    with store.read() as reading:
        assert [stored.state for stored in reading.plans.list(J1)] == ["superseded", "applied"]
        assert reading.plans.get(J1, 1).cause == "version 2"
    with pytest.raises(InvalidInputError, match="cannot become"), store.change() as change:
        change.plans.become(J1, 2, PlanState.PUBLISHED)
    with pytest.raises(InvalidInputError, match="no such version"), store.change() as change:
        change.plans.become(J1, 7, PlanState.ACCEPTED)


def test_a_plan_the_controller_refused_is_never_published_again(store: Store) -> None:
    with store.change() as change:
        publish(change)
        change.plans.become(J1, 1, PlanState.REJECTED, "intergreen")
        change.plans.become(J1, 1, PlanState.QUARANTINED, "intergreen")
        change.record(entry())
    with pytest.raises(InvalidInputError, match="quarantined"), store.change() as change:
        publish(change)
    with store.change() as change:
        assert publish(change, b"another plan") == 2
        change.record(entry())


def test_who_decided_on_an_old_version_is_told(store: Store) -> None:
    with store.change() as change:
        publish(change, expected=0)
        change.record(entry())
    with pytest.raises(InvalidInputError, match="somebody else"), store.change() as change:
        publish(change, b"other", expected=0)


def test_a_flipped_bit_in_a_plan_is_found(store: Store) -> None:
    with store.change() as change:
        publish(change)
        change.record(entry())
    with store.engine.begin() as connection:
        connection.execute(sa.update(schema.plan).values(content=b"qlan"))
    with store.read() as reading, pytest.raises(StoreError, match="damaged"):
        reading.plans.get(J1, 1)


def test_replies_are_kept_a_day_and_keys_are_for_one_request(store: Store) -> None:
    with store.change() as change:
        change.replies.put("ada", "k1", "a" * 64, b"reply", 1000)
        change.record(entry())
    day_ms = 86_400_000
    with store.read() as reading:
        kept = reading.replies
        assert kept.get("ada", "k1", "a" * 64, 999 + day_ms) == b"reply"
        assert kept.get("ada", "k1", "a" * 64, 1000 + day_ms) is None
        assert kept.get("bob", "k1", "a" * 64, 2000) is None
        with pytest.raises(KeyReusedError):
            kept.get("ada", "k1", "b" * 64, 2000)


def test_chain_of_an_untouched_store_verifies(store: Store) -> None:
    fill(store, 25)
    report = verify(store)
    assert (report.records, report.findings) == (25, ())
    assert verify(store, {25: report.head_sha256}).findings == ()


def test_records_are_found_by_actor_target_and_method(store: Store) -> None:
    with store.change() as change:
        change.record(entry(actor="ada", method="override.request", target="o1"))
        change.record(entry(actor="bob", method="override.release", target="o1"))
        change.record(entry(actor="bob", method="plan.publish", target="J2"))
    with store.read() as reading:
        found = audit.records(reading.connection, actor="bob", method="override.")
        assert [record.seq for record in found] == [2]
        assert [r.seq for r in audit.records(reading.connection, first=2, last=2)] == [2]
        assert [r.seq for r in audit.records(reading.connection, target="J2")] == [3]


def edit(connection: sa.Connection, seq: int, harm: str) -> None:
    """Do harm to one record."""
    table = schema.audit
    here = connection.execute(sa.select(table).where(table.c.seq == seq)).one()
    where = sa.update(table).where(table.c.seq == seq)
    forged = here.content.replace(b'"actor":"ada"', b'"actor":"eve"')
    if harm == "content":
        connection.execute(where.values(content=forged))
    elif harm == "hash":
        connection.execute(where.values(sha256="0" * 64))
    elif harm == "content and hash":
        before = connection.execute(
            sa.select(table.c.sha256).where(table.c.seq == seq - 1)
        ).scalar()
        fresh = hashlib.sha256(bytes.fromhex(before or "00" * 32) + forged).hexdigest()
        connection.execute(where.values(content=forged, sha256=fresh))
    elif harm == "delete":
        connection.execute(sa.delete(table).where(table.c.seq == seq))
    elif harm == "swap":
        other = seq - 1 if seq > 1 else seq + 1
        there = connection.execute(sa.select(table).where(table.c.seq == other)).one()
        connection.execute(where.values(content=there.content))
        connection.execute(
            sa.update(table).where(table.c.seq == other).values(content=here.content)
        )
    else:
        connection.execute(where.values(seq=99))


def test_every_edit_of_a_record_is_found(store: Store) -> None:
    fill(store, 12)
    last = verify(store).head_sha256
    harms = ("content", "hash", "content and hash", "delete", "swap", "renumber")
    for seq in (1, 7, 12):
        for harm in harms:
            with store.engine.connect() as connection, connection.begin() as transaction:
                edit(connection, seq, harm)
                found = audit.verify(connection).findings
                noted = audit.verify(connection, noted={12: last}).findings
                transaction.rollback()
            # The last record rewritten with its hash is a whole chain again: only what was noted
            # or signed elsewhere shows it.
            assert bool(found) == ((seq, harm) != (12, "content and hash"))
            assert noted
    assert verify(store).findings == ()


def test_signed_checkpoint_shows_a_rewritten_chain_and_a_cut_end(store: Store) -> None:
    fill(store, 5)
    with database.writing(store.engine) as connection:
        assert audit.add_checkpoint(connection, KEY, 1) == 5
        assert audit.add_checkpoint(connection, KEY, 1) is None
    assert verify(store).checkpoints == 1
    with store.engine.begin() as connection:
        connection.execute(sa.delete(schema.audit).where(schema.audit.c.seq >= 4))
        connection.execute(
            sa.update(schema.meta).where(schema.meta.c.name == audit.HEAD).values(value=3)
        )
    assert "checkpoint names it" in str(verify(store).findings)
    fill(store, 2)
    assert {finding.rule for finding in verify(store).findings} == {"audit_history"}
    with store.engine.begin() as connection:
        connection.execute(sa.update(schema.checkpoint).values(signature=b"0" * 64))
    assert {finding.rule for finding in verify(store).findings} == {"checkpoint"}


def test_a_leader_whose_term_is_over_changes_nothing(place: str) -> None:
    first, second = Store(place), Store(place)
    assert first.lead("server-1", 1) == 1
    fill(first, 1)
    assert second.lead("server-2", 2) == 2
    with pytest.raises(NotLeaderError, match="another server leads"):
        fill(first, 1)
    fill(second, 1)
    report = verify(second)
    assert (report.records, report.findings) == (4, ())
    first.close()
    second.close()


def test_many_writers_make_one_chain(place: str) -> None:
    stores = [Store(place) for _ in range(4)]
    threads = [threading.Thread(target=fill, args=(opened, 20)) for opened in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = verify(stores[0])
    assert (report.records, report.findings) == (80, ())
    for opened in stores:
        opened.close()


def test_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "s.sqlite3"))
    fill(store, 3)
    with store.engine.connect() as connection:  # the pool keeps one connection
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="full") as refused, store.change() as change:
        publish(change, b"x" * 200_000)
        change.record(entry())
    assert refused.value.full
    assert verify(store).records == 3
    store.close()


@pytest.mark.parametrize("wrong", ["mysql://host/x", "nonsense://", "://"])
def test_places_that_are_no_store(wrong: str) -> None:
    with pytest.raises(InvalidInputError, match="no store"):
        Store(wrong)


def test_unreachable_database_is_an_error_without_the_password() -> None:
    with pytest.raises(StoreError) as refused:
        Store("postgresql://ada:secret@127.0.0.1:1/x")
    assert "secret" not in str(refused.value)
