"""Hypothesis profiles: `pytest --hypothesis-profile=nightly` asks ten thousand times."""

from hypothesis import settings

settings.register_profile("nightly", max_examples=10_000, deadline=None)
