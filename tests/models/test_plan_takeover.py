"""A plan that cannot take over at the favourable moment comes to its clock as it says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.plan import CyclicPlan, PlanStep, Transition
from ampelwerk.models.plan_takeover import Takeover, takeover_between
from tests.models.test_plan_schedule import plan, plans

DUE_DS = 0
LEAST_DS = (100, 80, 120, 50)


def bridge(takeover: Takeover) -> list[tuple[float, CyclicPlan]]:
    """Plans of a correction with the second from which they hold."""
    found = []
    for since_ds, holds in takeover.bridge:
        assert isinstance(holds, CyclicPlan)
        found.append((since_ds / 10, holds))
    return found


def starts_s(of: CyclicPlan) -> list[tuple[float, int]]:
    return [(step.start_ds / 10, step.stage) for step in of.steps]


def test_shortway_takes_the_fewest_cycles() -> None:
    # At 0 the old plan shows stage 0, the new one is 10 s into stage 1: where it wants stage 0
    # it is at 30 s at the latest (its step of 40 s less 10 s), so 20 s behind. A fifth of 60 s a cycle.
    old = plan("old", 60, (0, 0), (20, 1))
    new = plan("new", 60, (0, 0), (40, 1), offset_s=10)
    takeover = takeover_between(old, new, DUE_DS, LEAST_DS)
    assert takeover.bridge == ()  # both want stage 1 at 50 s
    new = plan("new", 60, (0, 0), (20, 1), offset_s=20)
    # Old: 0 until 20 s, then 1; new: 1 until 20 s, then 0 until 40 s: at 40 s both want stage 1.
    assert takeover_between(old, new, DUE_DS, LEAST_DS) == (0, 400, ())


def test_shortway_stretches_or_shortens() -> None:
    old = plan("old", 60, (0, 0), (30, 1))
    new = plan("new", 60, (0, 0), (30, 1), offset_s=30)
    # Never the same stage. The new clock is at 30 s. Entered at 20 s, where stage 0 still has its 10 s,
    # the plan is 10 s behind and needs one cycle shortened by 10 s: by 20 s of 42 in its first step.
    takeover = takeover_between(old, new, DUE_DS, LEAST_DS)
    (first_s, first), (second_s, second) = bridge(takeover)
    assert (first_s, first.cycle_ds, first.cycle_clock_ds(0)) == (0, 600, 200)
    assert (second_s, second.cycle_ds, second.cycle_clock_ds(400)) == (40, 500, 0)
    assert starts_s(second) == [(0, 0), (26, 1)]
    assert takeover.at_ds == 900
    # Stretched only, it enters at 0 s, 30 s behind: three cycles of 10 s more.
    takeover = takeover_between(old, replace(new, transition=Transition.ADD_ONLY), DUE_DS, LEAST_DS)
    assert [(s, of.cycle_ds) for s, of in bridge(takeover)] == [
        (0, 600), (60, 700), (130, 700), (200, 700)
    ]  # fmt: skip
    assert takeover.at_ds == 2700
    dwell = takeover_between(old, replace(new, transition=Transition.DWELL), DUE_DS, LEAST_DS)
    assert dwell == (0, 300, ((0, 0),))


def test_a_plan_says_by_how_much() -> None:
    old = plan("old", 60, (0, 0), (30, 1))
    new = replace(
        plan("new", 60, (0, 0), (30, 1), offset_s=30),
        transition=Transition.ADD_ONLY,
        max_change_ds=300,
    )
    assert [(s, of.cycle_ds) for s, of in bridge(takeover_between(old, new, DUE_DS))] == [
        (0, 600), (60, 900)
    ]  # fmt: skip
    for change_ds in (0, 9, 601):
        with pytest.raises(InvalidInputError, match="change a cycle"):
            replace(new, max_change_ds=change_ds)


@st.composite
def never_alike(draw: st.DrawFn) -> tuple[CyclicPlan, CyclicPlan]:
    """Two plans of one cycle time that want the same stages, but never at once."""
    old = replace(draw(plans("old")), offset_ds=0)
    cycle_s = old.cycle_ds // 10
    cuts = draw(st.sets(st.integers(1, cycle_s - 1), max_size=3))
    starts = sorted(cuts | {step.start_ds // 10 for step in old.steps})
    pieces = []
    for s in starts:
        others = [stage for stage in range(4) if stage != old.stage_at(10 * s)]
        pieces.append((s, draw(st.sampled_from(others))))
    turn = draw(st.sampled_from(starts))
    steps = sorted(((s - turn) % cycle_s, stage) for s, stage in pieces)
    # Everything as it is, seen some time later.
    later_s = draw(st.integers(0, cycle_s - 1))
    new = plan("new", cycle_s, *steps, offset_s=(turn - later_s) % cycle_s)
    return replace(old, offset_ds=-10 * later_s % old.cycle_ds), new


@given(
    never_alike(),
    st.sampled_from([Transition.SHORTWAY, Transition.ADD_ONLY]),
    st.sampled_from([None, 10, 75, 200]),
    st.booleans(),
)
def test_corrections_keep_what_they_promise(
    two: tuple[CyclicPlan, CyclicPlan],
    transition: Transition,
    change_ds: int | None,
    known: bool,
) -> None:
    old, new = two
    assume(change_ds is None or change_ds <= new.cycle_ds)
    new = replace(new, transition=transition, max_change_ds=change_ds)
    takeover = takeover_between(old, new, DUE_DS, LEAST_DS if known else ())
    if all(step.stage != old.stage_at(DUE_DS) for step in new.steps):
        assert takeover == (DUE_DS, DUE_DS, ())
        return
    (_, first), *changed = bridge(takeover)
    assert first.stage_at(DUE_DS) == old.stage_at(DUE_DS)
    most_ds = new.most_change_ds
    assert changed
    assert len(changed) <= -(-new.cycle_ds // most_ds)
    due_ds = DUE_DS - first.cycle_clock_ds(DUE_DS) + new.cycle_ds
    signs = set()
    for since_s, of in changed:
        assert since_s * 10 == due_ds
        assert of.cycle_clock_ds(due_ds) == 0
        signs.add(of.cycle_ds > new.cycle_ds)
        assert 0 < abs(of.cycle_ds - new.cycle_ds) <= most_ds
        assert [step.stage for step in of.steps] == [step.stage for step in new.steps]
        for was_ds, is_ds, step in zip(lengths_ds(new), lengths_ds(of), new.steps, strict=True):
            if of.cycle_ds > new.cycle_ds:
                assert is_ds >= was_ds
            else:
                assert min(was_ds, LEAST_DS[step.stage]) <= is_ds <= was_ds
        due_ds += of.cycle_ds
    assert len(signs) == 1
    assert signs == {True} or (known and transition is Transition.SHORTWAY)
    assert due_ds == takeover.at_ds
    assert new.cycle_clock_ds(takeover.at_ds) == 0


def lengths_ds(of: CyclicPlan) -> list[int]:
    bounds = [*(step.start_ds for step in of.steps), of.cycle_ds]
    return [end - start for start, end in pairwise(bounds)]


def test_tenths_of_a_second() -> None:
    def odd(plan_id: str, *starts_ds: int) -> CyclicPlan:
        steps = tuple(PlanStep(start_ds=s, stage=k) for k, s in enumerate(starts_ds))
        return CyclicPlan(plan_id=plan_id, cycle_ds=605, offset_ds=305, steps=steps)

    old, new = replace(odd("old", 0, 305), offset_ds=0), odd("new", 0, 300)
    takeover = takeover_between(old, new, DUE_DS, LEAST_DS)
    assert new.cycle_clock_ds(takeover.at_ds) == 0 or takeover.bridge == ()
