"""`interpolate`: frames at any times as a pure function for JAX programs."""

import dataclasses
import itertools
import math
import numbers
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, overload

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vfi_jax import meshes
from vfi_jax.contract import Contract, contract_of
from vfi_jax.interpolation import carry, levels, views
from vfi_jax.interpolation import invalid as invalids
from vfi_jax.interpolation.padding import Padding, crop, named, pad
from vfi_jax.interpolation.schedule import rows, schedule
from vfi_jax.interpolation.windows import listed, place, window_size


@overload
def interpolate(
    model: nn.Module,
    variables: Any,
    frames: Any,
    times: Iterable[float | Fraction] | jax.Array | None = None,
    *,
    multi: int | None = None,
    padding: str | Padding = "tight",
    ensemble: str = "none",
    batch: int = 1,
    invalid: str = "keep",
    extra: None = None,
) -> jax.Array: ...


@overload
def interpolate(
    model: nn.Module,
    variables: Any,
    frames: Any,
    times: Iterable[float | Fraction] | jax.Array | None = None,
    *,
    multi: int | None = None,
    padding: str | Padding = "tight",
    ensemble: str = "none",
    batch: int = 1,
    invalid: str = "keep",
    extra: Any,
) -> tuple[jax.Array, jax.Array]: ...


def interpolate(
    model: nn.Module,
    variables: Any,
    frames: Any,
    times: Iterable[float | Fraction] | jax.Array | None = None,
    *,
    multi: int | None = None,
    padding: str | Padding = "tight",
    ensemble: str = "none",
    batch: int = 1,
    invalid: str = "keep",
    extra: Any = None,
) -> Any:
    """Frames at `times`, computed on the devices of the input frames.

        model, variables = vfi_jax.load()
        double = jax.jit(lambda frames: vfi_jax.interpolate(model, variables, frames, multi=2))

    A pure function: it works inside `jit`, `grad`, `vmap`, `jax.checkpoint` and `shard_map`, and on
    frames sharded over a mesh with Auto or Explicit axes. Outside `jit`, JAX compiles and runs each
    operation on its own, which is slow. Windows, bisection and padding are those of `Interpolator`,
    which also tiles large frames and streams long clips.

    Time is counted in input frames. Numbers and NumPy arrays are static: an integer time that the
    model does not predict returns the input frame itself, and a model that predicts only midpoints
    reaches 0.25, 0.375, ... by bisection. A JAX array of times may be traced and has a gradient; it
    needs a model for any time. Its values are not checked: times outside the clip are clamped, and
    at integer times the gradient is 0.

    Args:
      model: a system, with a `contract`.
      variables: its variables.
      frames: `[*B, N, H, W, C]`: uint8, uint16, or floats with white at 1, of any size. The first
        three channels are RGB; a grey frame, and each channel after the third, is run through the
        model separately as grey.
      times: T times in any order, the same for every clip of the batch; a JAX array may also be
        `[*B, T]`.
      multi: instead of `times`: frame rate factor; the times are 0, 1 / multi, ..., N - 1.
      padding: how frames are padded to a size that the model accepts, as for `Interpolator`.
      ensemble: "none", "flip2" or "flip4", as for `Interpolator`.
      batch: windows per clip that run at once, which bounds memory; all windows run in sequence of
        such batches. Rounded up to a multiple of the number of devices if an Explicit mesh shards
        the frames.
      invalid: "keep": pass NaN and infinite pixels to the model, which spreads them. "mask": fill
        them, and return NaN wherever a frame of the window has them.
      extra: `[*B, N, H, W, K]` floats of any range, such as the bands of a satellite: channels that
        the model does not see. The flow between `frames`, which have 3 channels then, carries them.
        The model's contract must have flows.

    Returns:
      `[*B, T, sH, sW, C]` of the type of `frames`; integers are clipped and rounded half to even,
      floats are not clipped. With `extra`: that and `[*B, T, H, W, K]` of the type of `extra`.

    Raises:
      ValueError: an argument is out of range, or a time cannot be reached.
    """
    contract = contract_of(model)
    frames = levels.array(frames, "frames", jnp.asarray)
    levels.check_shape(frames.shape, "frames", "[*B, N, H, W, C]")
    levels.check(frames.dtype, "frames")
    given = frames
    if extra is not None:
        extra = levels.array(extra, "extra", jnp.asarray)
        frames = carry.join(contract, frames, extra)
    views.check(ensemble)
    invalids.check_option(invalid, ("keep", "mask"))
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    spread = meshes.shards(frames, -4)
    call = _Call(
        model,
        named(padding),
        ensemble,
        math.ceil(batch / spread) * spread,
        mask=invalid == "mask",
        carried=extra is not None,
    )
    length = frames.shape[-4]
    if (times is None) == (multi is None):
        raise ValueError("pass either times or multi")
    if multi is not None and not (isinstance(multi, numbers.Integral) and multi >= 1):
        raise ValueError(f"multi must be a whole number of at least 1, got {multi!r}")
    if times is None:
        times = [Fraction(step, multi) for step in range((length - 1) * multi + 1)]
    if isinstance(times, jax.Array) and contract.times is not None:
        if isinstance(times, jax.core.Tracer):
            raise ValueError(
                f"times must be numbers for a model that predicts only {contract.times}, "
                "got a traced array; close over them or list them in static_argnums"
            )
        times = np.asarray(times)
    if isinstance(times, jax.Array):
        lead = frames.shape[:-4]
        if times.ndim < 1 or times.shape[:-1] not in ((), lead):
            raise ValueError(f"times must be [T] or {(*lead, 'T')}, got {times.shape}")
        answers = meshes.automatic(call.at_traced, frames, variables, times)
    else:
        known = listed(times)
        answers = meshes.automatic(
            lambda frames, variables: call.at_known(frames, variables, known), frames, variables
        )
    return answers if extra is None else carry.split(answers, given, extra)


@dataclasses.dataclass(frozen=True)
class _Call:
    """Options of a model call.

    Attributes:
      model: a system.
      padding: padding of the frames.
      ensemble: flips to average over.
      batch: windows per clip that run at once.
      mask: fill invalid pixels and return NaN there.
      carried: channels past the third are carried by the flow.
    """

    model: Any
    padding: Padding
    ensemble: str
    batch: int
    mask: bool
    carried: bool

    @property
    def contract(self) -> Contract:
        return self.model.contract

    def at_known(self, frames: jax.Array, variables: Any, times: list[Fraction]) -> jax.Array:
        """The frames at static times."""
        clips = frames.reshape(math.prod(frames.shape[:-4]), *frames.shape[-4:])
        length = clips.shape[1]
        places = [place(self.contract, time, length) for time in times]
        plan = schedule(self.contract, places, length)
        finer = any(window.step < 1 for window in plan)
        dtype = jnp.dtype(jnp.float32) if finer else frames.dtype
        computed: dict[Fraction, jax.Array] = {}

        def frame(time):
            return computed[time] if time.denominator > 1 else levels.unit(clips[:, int(time)])

        for key, group in itertools.groupby(plan, key=lambda window: (window.step, window.size)):
            members = list(group)
            parts = {window: plan[window] for window in members}
            needed = [window.times(length) for window in members]
            if key[0] == 1:
                windows = clips[:, np.asarray(needed, np.int32)]
            else:
                windows = jnp.stack(
                    [jnp.stack([frame(time) for time in one], axis=1) for one in needed], axis=1
                )
            columns = rows(self.contract, parts)
            answers = self._in_turn(variables, windows, np.asarray(columns, np.float32), dtype)
            order = [
                (index, columns[index].index(relative), time)
                for index, relatives in enumerate(parts.values())
                for relative, time in relatives.items()
            ]
            computed |= {time: answers[:, index, column] for index, column, time in order}
        if finer:  # bisection uses float32 frames, neither clipped nor rounded
            wanted = {here.time for here in places if here.window}
            computed = {time: levels.typed(computed[time], frames.dtype) for time in wanted}
        found = [
            clips[:, int(here.time)] if here.window is None else computed[here.time]
            for here in places
        ]
        scale = self.contract.scale
        _, _, height, width, channels = clips.shape
        shape = (*frames.shape[:-4], len(times), scale * height, scale * width, channels)
        return jnp.stack(found, axis=1).reshape(shape) if found else jnp.zeros(shape, frames.dtype)

    def at_traced(self, frames: jax.Array, variables: Any, times: jax.Array) -> jax.Array:
        """The frames at traced times `[T]` or `[*B, T]`."""
        lead, count = frames.shape[:-4], times.shape[-1]
        clips = frames.reshape(math.prod(frames.shape[:-4]), *frames.shape[-4:])
        batch, length = clips.shape[:2]
        last = np.float32(length - 1)
        times = jnp.clip(jnp.broadcast_to(times.astype(jnp.float32), (*lead, count)), 0, last)
        times = times.reshape(batch, count)
        size = window_size(self.contract, length)
        middle = np.float32((size - 1) / 2)
        nearest = lax.stop_gradient(jnp.round(times))
        at_frame = times == nearest
        offsets = np.arange(size)
        if length <= size:
            windows = clips[:, np.minimum(offsets, length - 1)][:, None]
            inside = jnp.where(at_frame, middle, times)[:, None]
        else:
            # As for static times: the window with the nearest centre inside the clip.
            start = jnp.ceil(lax.stop_gradient(times) - middle - np.float32(0.5))
            start = jnp.clip(start, 0, last - np.float32(size - 1))
            index = start.astype(jnp.int32)[..., None] + offsets.astype(np.int32)
            windows = jax.vmap(lambda clip, index: clip[index])(clips, index)
            inside = jnp.where(at_frame, middle, times - start)[..., None]
        answers = self._in_turn(variables, windows, inside, frames.dtype)
        answers = answers.reshape(batch, count, *answers.shape[3:])
        if self.contract.scale == 1:
            here = jax.vmap(lambda clip, index: clip[index])(clips, nearest.astype(jnp.int32))
            answers = jnp.where(at_frame[..., None, None, None], here, answers)
        return answers.reshape(*lead, *answers.shape[1:])

    def _in_turn(self, variables, windows, times, dtype):
        """Predictions `[B, W, T, sH, sW, C]` of windows `[B, W, N, H, W, C]`, `batch` at a time."""
        count = windows.shape[1]
        times = jnp.broadcast_to(times, (len(windows), *times.shape[-2:]))
        turns = math.ceil(count / self.batch)
        if turns == 1:
            return self._answer(variables, windows, times, dtype)
        # Every step takes windows from the whole clip, and thus from each device that holds a part.
        spare = np.minimum(np.arange(self.batch * turns), count - 1)

        def split(array):
            shape = (len(array), self.batch, turns, *array.shape[2:])
            return jnp.moveaxis(array[:, spare].reshape(shape), 2, 0)

        answers = lax.map(
            lambda part: self._answer(variables, *part, dtype), (split(windows), split(times))
        )
        answers = jnp.moveaxis(answers, 0, 2)
        return answers.reshape(len(windows), len(spare), *answers.shape[3:])[:, :count]

    def _answer(self, variables, windows, times, dtype):
        lead = windows.shape[:2]
        frames = levels.unit(windows.reshape(-1, *windows.shape[2:]))
        times = times.reshape(-1, times.shape[-1])
        invalid = None
        if self.mask:
            frames, invalid = invalids.fill(frames)
        contract = self.contract
        amounts = self.padding.amounts(frames.shape[-3:-1], multiple=contract.multiple)

        def padded(frames):
            frames = pad(frames, amounts, self.padding.value)
            out = carry.answer(self.model, variables, frames, times)
            return crop(out, amounts, scale=contract.scale)

        answers = views.all_channels(
            lambda frames: views.all_flips(padded, frames, self.ensemble),
            frames,
            carried=self.carried,
        )
        if invalid is not None:
            answers = invalids.blank(answers, invalid, scale=contract.scale)
        return levels.typed(answers, dtype).reshape(*lead, *answers.shape[1:])
