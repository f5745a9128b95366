"""Uploads over a bad line: whatever comes twice, late or never, each batch counts once."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.controllers.service.inbox import REORDER_MS, Inbox
from ampelwerk.controllers.uploads import UploadBuffer


@dataclass
class Batch:
    seq: int = 0


def test_batches_are_sent_once_and_forgotten_when_acknowledged() -> None:
    buffer: UploadBuffer[Batch] = UploadBuffer()
    for _ in range(3):
        buffer.put(Batch())
    sent = [buffer.next(), buffer.next(), buffer.next()]
    assert [batch.seq for batch in sent if batch] == [1, 2, 3]
    assert buffer.next() is None
    buffer.acknowledge(2)
    assert not buffer.all_acknowledged
    assert [batch.seq for batch in buffer.rewind()] == [3]
    again = buffer.next()
    assert again is not None and again.seq == 3
    buffer.acknowledge(99)  # a number never sent
    assert buffer.acked_seq == 3
    assert buffer.all_acknowledged


def test_a_full_buffer_drops_the_oldest() -> None:
    buffer: UploadBuffer[Batch] = UploadBuffer(capacity=3)
    for _ in range(5):
        buffer.put(Batch())
    assert buffer.dropped == 2
    assert [batch.seq for batch in buffer.rewind()] == [3, 4, 5]


@given(
    arrivals=st.lists(st.integers(1, 12), max_size=60),
    first=st.integers(1, 3),
)
def test_any_order_gives_each_batch_once_and_in_order(arrivals: list[int], first: int) -> None:
    inbox: Inbox[Batch] = Inbox()
    given_out: list[int] = []
    for seq in [first, *arrivals]:
        given_out += [batch.seq for batch in inbox.take(b"boot", Batch(seq), 0)]
        assert inbox.acked_seq == max(given_out)
        assert not set(inbox.missing()) & set(given_out)
    assert given_out == list(range(first, first + len(given_out)))


@given(arrivals=st.permutations(range(1, 13)))
def test_a_permutation_loses_nothing(arrivals: list[int]) -> None:
    inbox: Inbox[Batch] = Inbox()
    given_out = [b.seq for seq in [1, *arrivals] for b in inbox.take(b"boot", Batch(seq), 0)]
    assert given_out == list(range(1, 13))
    assert inbox.duplicates == 1


def test_a_gap_is_given_up_in_time_and_what_comes_later_is_a_duplicate() -> None:
    inbox: Inbox[Batch] = Inbox()
    inbox.take(b"boot", Batch(1), 0)
    assert inbox.take(b"boot", Batch(4), 100) == []
    assert inbox.missing() == [2, 3]
    assert inbox.due(100 + REORDER_MS - 1) == []
    assert [batch.seq for batch in inbox.due(100 + REORDER_MS)] == [4]
    assert (inbox.given_up, inbox.acked_seq) == (2, 4)
    assert inbox.take(b"boot", Batch(2), 200) == []
    assert inbox.duplicates == 1


def test_a_new_start_of_the_controller_begins_anew() -> None:
    inbox: Inbox[Batch] = Inbox()
    inbox.take(b"boot", Batch(50), 0)
    assert [batch.seq for batch in inbox.take(b"other", Batch(1), 0)] == [1]


def test_a_hostile_gap_holds_a_bounded_number() -> None:
    inbox: Inbox[Batch] = Inbox()
    inbox.take(b"boot", Batch(1), 0)
    for seq in range(10**9, 10**9 + 1000):
        inbox.take(b"boot", Batch(seq), 0)
        assert len(inbox._held) <= 257
        assert len(inbox.missing()) <= 64
