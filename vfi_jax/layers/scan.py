"""Scan with shared parameters, so that memory does not grow with the number of steps."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn


def scan_shared(target: Callable, within: nn.Module, *, in_axes: Any = 1, **options: Any) -> Any:
    """`nn.scan` of a module or method with parameters shared by all steps.

    Args:
      target: as `nn.scan` takes it: (..., carry, *inputs) -> (carry, output).
      within: the module that contains the scan.
      in_axes: axis of each input, or `nn.broadcast`.
      **options: further options of `nn.scan`.

    Returns:
      The result of `nn.scan`; outputs are stacked on axis 1.
    """
    return nn.scan(
        target,
        variable_broadcast="params",
        split_rngs={"params": False},
        in_axes=in_axes,
        out_axes=1,
        # Parameters are created only in a second trace of the steps.
        check_constancy_invariants=within.is_initializing(),
        **options,
    )
