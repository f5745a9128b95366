"""The rule table, read off pairs of states: which switches break which rule.

Written from the safety concept's table for whole arrays of switches; it knows nothing of how the
next state is computed. Running times must be saturated at the largest constant.
"""

import numpy as np
import numpy.typing as npt

from ampelwerk.engine.transition import Rules

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Columns = tuple[IntArray, IntArray, IntArray]
"""Aspects, ticks shown, ticks since green, each (switches, n)."""

RED, RED_AMBER, GREEN, AMBER = range(4)


def broken_rules(
    rules: Rules, longest: int, before: Columns, after: Columns, requested: BoolArray, clear: bool
) -> dict[str, int]:
    """Number of switches that break each rule; rules nobody breaks are left out.

    requested : (switches, n) which groups were asked for.
    """
    aspect, shown, ended = before
    now, shown_after, ended_after = after
    amber, red_amber = np.array(rules.amber), np.array(rules.red_amber)
    min_green, min_red = np.array(rules.min_green), np.array(rules.min_red)
    stays = aspect == now
    found: dict[str, BoolArray] = {}

    allowed = stays.copy()
    allowed |= (aspect == RED) & (now == RED_AMBER) & (red_amber > 0)
    allowed |= (aspect == RED) & (now == GREEN) & (red_amber == 0)
    allowed |= (aspect == RED_AMBER) & (now == GREEN)
    allowed |= (aspect == RED_AMBER) & (now == RED) & clear
    allowed |= (aspect == GREEN) & (now == AMBER) & (amber > 0)
    allowed |= (aspect == GREEN) & (now == RED) & (amber == 0)
    allowed |= (aspect == AMBER) & (now == RED)
    found["SEQUENCE"] = ~allowed

    green_ends, red_ends = (aspect == GREEN) & ~stays, (aspect == RED) & ~stays
    turns_green = (aspect != GREEN) & (now == GREEN)
    if not clear:
        found["MIN_GREEN"] = green_ends & (shown < min_green)
    found["MIN_RED"] = red_ends & (shown < min_red)
    found["AMBER"] = (aspect == AMBER) & (stays != (shown < amber))
    if not clear:
        found["RED_AMBER"] = (aspect == RED_AMBER) & (stays != (shown < red_amber))

    found["REQUEST"] = (red_ends & ~requested) | ((green_ends & requested) & (not clear))
    if clear:
        found["CLEARING"] = (now == GREEN) | (now == RED_AMBER)

    longer = np.minimum(shown + 1, longest)
    since = np.where(now == GREEN, 0, np.minimum(ended + 1, longest))
    found["TIME"] = (shown_after != np.where(stays, longer, 1)) | (ended_after != since)

    conflict = np.zeros_like(stays)
    intergreen, waits = np.zeros_like(stays), np.zeros_like(stays)
    for i in range(rules.size):
        hindered = np.zeros(len(stays), dtype=bool)
        for j in rules.foes[i]:
            conflict[:, i] |= (now[:, i] != RED) & (now[:, j] != RED)
            passed = np.where(aspect[:, j] == GREEN, 0, ended[:, j])
            intergreen[:, i] |= turns_green[:, i] & (passed < rules.intergreen[j][i])
            hindered |= requested[:, j] | (now[:, j] != RED)
            hindered |= passed + rules.red_amber[i] < rules.intergreen[j][i]
        could = requested[:, i] & (aspect[:, i] == RED) & (shown[:, i] >= rules.min_red[i])
        waits[:, i] = could & ~hindered & ~red_ends[:, i] & (not clear)
        ends = ~requested[:, i] & (aspect[:, i] == GREEN) & (shown[:, i] >= rules.min_green[i])
        waits[:, i] |= ends & ~green_ends[:, i]
    found["CONFLICT"], found["INTERGREEN"], found["PROGRESS"] = conflict, intergreen, waits
    return {rule: int(wrong.sum()) for rule, wrong in found.items() if wrong.any()}


def asked(requests: IntArray, size: int) -> BoolArray:
    """(requests, n) which groups each mask asks for."""
    return (requests[:, None] >> np.arange(size) & 1).astype(bool)
