import threading
import time

import pytest

from vfi_jax.video.background import Behind, ahead


def test_ahead_gives_the_same_items_and_no_more_than_its_depth_early():
    made = []

    def items():
        for index in range(10):
            made.append(index)
            yield index

    stream = ahead(items(), depth=3)
    assert next(stream) == 0
    time.sleep(0.05)
    assert len(made) <= 5
    assert list(stream) == list(range(1, 10))


def test_ahead_raises_in_order():
    def items():
        yield 1
        raise ValueError("broken")

    stream = ahead(items(), depth=4)
    assert next(stream) == 1
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_behind_runs_in_order_and_is_done_at_its_end():
    done, here = [], threading.get_ident()
    with Behind(2) as behind:
        for index in range(5):
            behind(lambda index: done.append((index, threading.get_ident() != here)), index)
    assert done == [(index, True) for index in range(5)]


def test_behind_raises():
    def fail():
        raise ValueError("full")

    with pytest.raises(ValueError, match="full"), Behind(2) as behind:
        behind(fail)
