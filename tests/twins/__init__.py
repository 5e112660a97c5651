"""Systems in PyTorch, written from the published architectures, for speed comparisons.

A file is a system: its class `Twin` takes all frames of a window and the time, RGB `[B, 3, H, W]`
in [0, 1] and a float, and returns the frame, or all frames `[B, T, 3, H, W]`. Its keys are those of
checkpoints/keys, so that the original network's figures hold for it too; a system of our own has
the paths of our parameters. Only tests and `vfi-jax
bench models --against tests/against_torch.py` import these files; they need torch.
"""

from vfi_jax import lookup


def build(system):
    """The network of a system's main model; None where no twin is written."""
    if system not in lookup.modules(__name__):
        return None
    return lookup.module(__name__, system, kind="twin").Twin()
