"""No op needs more temporary memory at 1280x720 than 4 times its inputs and outputs."""

import jax
import pytest

from tests.ops import examples

SIZE = (720, 1280)
# Every pixel with every other: the one op that grows with the square, and what reads its result.
SQUARE = ("all_pairs_correlation", "correlation_lookup")
NAMES = sorted(set(examples.EXAMPLES) - set(SQUARE))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_forward(name):
    call, arrays = examples.call(name), examples.abstract(name, lead=(1,), size=SIZE)
    out = jax.eval_shape(call, arrays)
    temporary = jax.jit(call).lower(arrays).compile().memory_analysis().temp_size_in_bytes
    assert temporary <= 4 * (_bytes(arrays) + _bytes(out))


def _bytes(tree):
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
