"""Four numbers at once give what NumPy gives."""

from __future__ import annotations

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine._lanes import WIDTH, least, load, store, together, total
from ampelwerk.engine.kernels.city import FloatArray


@kernel
def _compute(a: FloatArray, b: FloatArray, number: float, out: FloatArray) -> float:
    four = load(a, (1, 2)) * 2 + number - load(b, (0,)) * load(a, (0, 0))
    four = least(four, together(number, 1.0, -3.5, 4.0))
    store(out, (1, 1), four)
    return float(total(number * four))


def test_four_at_once_equal_one_by_one() -> None:
    rng = np.random.default_rng(3)
    a, b, out = rng.normal(size=(2, 6)), rng.normal(size=WIDTH), np.zeros((2, 6))
    found = _compute(a, b, 0.7, out)
    four = np.minimum(a[1, 2:6] * 2 + 0.7 - b * a[0, :4], [0.7, 1.0, -3.5, 4.0])
    assert out[1, 1:5].tolist() == four.tolist()
    assert out.sum() == four.sum()
    scaled = 0.7 * four
    assert found == (scaled[0] + scaled[2]) + (scaled[1] + scaled[3])
