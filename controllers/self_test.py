"""Self-test before the first green: the right envelope, compiled right, and rules that hold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from ampelwerk.engine.transition import RED, Rules, all_red, step
from ampelwerk.models.envelope import Envelope


def envelope_sha256(envelope: Envelope) -> str:
    """Name of an envelope: SHA-256 of its fields as canonical JSON."""
    text = json.dumps(asdict(envelope), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def self_test(envelope: Envelope, rules: Rules, tick_ds: int, expected_sha256: str | None) -> str:
    """What is wrong, empty if nothing is.

    Parameters
    ----------
    expected_sha256 : hash of the envelope that was signed for this place, None to skip.
    """
    if expected_sha256 is not None and envelope_sha256(envelope) != expected_sha256:
        return "the envelope is not the one signed for this place"
    for i, group in enumerate(envelope.groups):
        pairs = [
            (rules.amber[i], group.amber_ds),
            (rules.red_amber[i], group.red_amber_ds),
            (rules.min_green[i], group.min_green_ds),
            (rules.min_red[i], group.min_red_ds),
        ]
        pairs += [
            (rules.intergreen[i][j], envelope.intergreen_ds[i][j] or 0)
            for j in range(envelope.size)
        ]
        if any(ticks * tick_ds < time_ds for ticks, time_ds in pairs):
            return f"a time of group {i} was shortened"
    return _exercise(envelope, rules)


def _exercise(envelope: Envelope, rules: Rules) -> str:
    """Ask for everything at once, for a while and from red, and look for a conflict."""
    state, everything = all_red(rules), (1 << rules.size) - 1
    for _ in range(max(rules.red_amber, default=0) + 2):
        state = step(rules, state, everything)
        lit = [i for i, aspect in enumerate(state.aspect) if aspect != RED]
        if any(envelope.conflict[i][j] for i in lit for j in lit):
            return "the transition function shows conflicting groups"
    return ""
