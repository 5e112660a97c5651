"""The same layers step after step along an axis, so that memory does not grow with the steps."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn


def scan_shared(target: Callable, within: nn.Module, *, in_axes: Any = 1, **options: Any) -> Any:
    """`nn.scan` of a module or method whose parameters are the same in every step.

    Args:
      target: as `nn.scan` takes it: (..., carry, *inputs) -> (carry, output).
      within: the module that scans.
      in_axes: axis of each input, or `nn.broadcast`.
      **options: further ones of `nn.scan`.

    Returns:
      What `nn.scan` does; outputs are stacked on axis 1.
    """
    return nn.scan(
        target,
        variable_broadcast="params",
        split_rngs={"params": False},
        in_axes=in_axes,
        out_axes=1,
        # A second trace of the steps, without which no parameters can be made.
        check_constancy_invariants=within.is_initializing(),
        **options,
    )
