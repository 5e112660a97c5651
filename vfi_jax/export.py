"""A system and its weights as one file that runs with JAX alone, without this package or Flax."""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import export as jax_export

from vfi_jax.interpolation.padding import crop, named
from vfi_jax.video.targets import staged

PLATFORMS = ("cpu", "cuda", "tpu")
KNOWN = (*PLATFORMS, "rocm")


def export(
    model: nn.Module,
    variables: Any,
    target: str | os.PathLike,
    *,
    size: tuple[int, int],
    times: int | None = None,
    batch: int = 1,
    platforms: Sequence[str] = PLATFORMS,
    overwrite: bool = False,
) -> Path:
    """Stores `(frames, times) -> frames` as StableHLO, compiled where it is loaded:

        function = jax.export.deserialize(Path("model.jax").read_bytes())
        made = jax.jit(function.call)(frames, times)

    `frames` are `[B, N, H, W, 3]` float32 RGB in [0, 1], `times` `[B, T]` float32, counted in input
    frames, and what is made `[B, T, sH, sW, 3]` float32. Padding to sizes that the model takes is
    inside. JAX reads such a file for at least six months of its releases.

    Args:
      model: a system.
      variables: its variables, which become part of the file.
      target: the file to write.
      size: height and width of the frames.
      times: how many are requested in one call, of a system that answers any; 1 by default. Others
        answer those of their contract.
      batch: windows in one call.
      platforms: where it will run.
      overwrite: replace a file that exists.

    Returns:
      The file, which is complete or not there at all.

    Raises:
      ValueError: an argument is out of range, or the target must not be written.
      ModuleNotFoundError: flatbuffers is not installed, which comes with the extra "export".
    """
    target, contract = Path(target), model.contract
    _check(target, size, times, batch, platforms, overwrite)
    importlib.import_module("flatbuffers")  # the extra "export"; JAX asks for it only at the end
    if contract.times is not None and times not in (None, len(contract.times)):
        raise ValueError(f"times must be {len(contract.times)}, all that it answers, got {times}")
    count = times or (1 if contract.times is None else len(contract.times))
    amounts = named("tight").amounts(size, multiple=contract.multiple)

    def answer(frames, times):
        padded = jnp.pad(frames, [(0, 0), (0, 0), *amounts, (0, 0)], mode="edge")
        answered = model.apply(variables, padded, times)["frames"].astype(jnp.float32)
        return crop(answered, amounts, scale=contract.scale)

    frames = jax.ShapeDtypeStruct((batch, contract.frames, *size, 3), jnp.float32)
    requested = jax.ShapeDtypeStruct((batch, count), jnp.float32)
    exported = jax_export.export(jax.jit(answer), platforms=list(platforms))(frames, requested)
    with staged(target) as partial:
        partial.write_bytes(exported.serialize())
    return target


def _check(target, size, times, batch, platforms, overwrite):
    for name, value in (
        ("height", size[0]),
        ("width", size[1]),
        ("batch", batch),
        ("times", times),
    ):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if not platforms or set(platforms) - set(KNOWN):
        raise ValueError(f"platforms must be some of {KNOWN}, got {tuple(platforms)}")
    if not target.resolve().parent.is_dir():
        raise ValueError(f"the folder {target.parent} does not exist")
    if target.is_dir():
        raise ValueError(f"{target} is a folder; name a file, such as model.jax")
    if target.exists() and not overwrite:
        raise ValueError(f"{target} exists; --overwrite (overwrite=True) replaces it")
