"""Random legal envelopes."""

from hypothesis import strategies as st

from ampelwerk.models.envelope import Envelope
from tests.reference.junctions import Times, envelope_of


@st.composite
def envelopes(draw: st.DrawFn, largest: int = 6) -> Envelope:
    """One to `largest` groups, any conflicts, times of whole and of broken seconds."""
    size = draw(st.integers(1, largest))
    whole = draw(st.booleans())
    scale_ds, longest = (10, 6) if whole else (1, 60)
    time = st.integers(0, longest)
    amber = st.one_of(st.just(0), time)
    times: list[Times] = [(draw(time), draw(amber), draw(amber), draw(time)) for _ in range(size)]
    pairs = [(i, j) for i in range(size) for j in range(i)]
    gaps: dict[tuple[int, int], int] = {}
    for i, j in pairs:
        if draw(st.booleans()):
            gaps[i, j], gaps[j, i] = draw(time), draw(time)
    return envelope_of(times, gaps, scale_ds)
