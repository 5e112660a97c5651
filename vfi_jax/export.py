"""Export of a system with its weights to one file that needs only JAX to run."""

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
    """Store `(frames, times) -> frames` as StableHLO, to be compiled after loading:

        function = jax.export.deserialize(Path("model.jax").read_bytes())
        result = jax.jit(function.call)(frames, times)

    `frames` are `[B, N, H, W, 3]` float32 RGB in [0, 1], `times` `[B, T]` float32 in input frames,
    and the result is `[B, T, sH, sW, 3]` float32. Padding to the model's sizes is included. JAX
    releases of at least the next six months can read the file.

    Args:
      model: a system.
      variables: its variables, which are stored in the file.
      target: the file to write.
      size: height and width of the frames.
      times: number of times per call for systems of any time; default: 1. Other systems predict the
        times of their contract.
      batch: windows per call.
      platforms: target platforms.
      overwrite: replace an existing file.

    Returns:
      The file; after an error there is no partial file.

    Raises:
      ValueError: an argument is out of range, or the target exists or cannot be written.
      ModuleNotFoundError: flatbuffers (extra "export") is not installed.
    """
    target, contract = Path(target), model.contract
    _check(target, size, times, batch, platforms, overwrite)
    importlib.import_module("flatbuffers")  # extra "export"; fail early
    if contract.times is not None and times not in (None, len(contract.times)):
        raise ValueError(f"times must be {len(contract.times)}, as in its contract, got {times}")
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
