"""The driver: frames at any times from a model that predicts some times.

From the outside in: `streaming` reads a clip and uses `windows` to find the input frames for each
time; `forward` brings these frames to a size that the model accepts, by `padding` and `tiles`;
`compiled` runs the model. `function` does the same as one pure function. No code here depends on a
model's name, only on its contract.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from vfi_jax.contract import contract_of
from vfi_jax.interpolation import carry, levels
from vfi_jax.interpolation.compiled import Compiled
from vfi_jax.interpolation.forward import Forward
from vfi_jax.interpolation.function import interpolate
from vfi_jax.interpolation.invalid import INVALID, check_option
from vfi_jax.interpolation.padding import PADDINGS, Padding, named
from vfi_jax.interpolation.streaming import FrameBuffer, Streamer
from vfi_jax.interpolation.windows import exact, listed, place
from vfi_jax.meshes import fitting

__all__ = ["PADDINGS", "Interpolator", "Padding", "interpolate"]


class Interpolator:
    """`(frames, times) -> frames` for clips of any length and frames of any size.

    Time is counted in input frames: frame i is at time i, the midpoint to the next frame at i +
    0.5. The model predicts every time listed in its contract; at any other integer time the input
    frame is returned unchanged. A model that predicts only midpoints reaches 0.25, 0.375, ... by
    bisection.

        model, variables = vfi_jax.load()
        interpolator = vfi_jax.Interpolator(model, variables)
        slow = interpolator(frames, np.arange(0, len(frames) - 0.75, 0.25))
    """

    def __init__(
        self,
        model: nn.Module,
        variables: Any,
        *,
        padding: str | Padding = "tight",
        ensemble: str = "none",
        tile: int | None = None,
        overlap: int | None = None,
        memory: int | None = None,
        batch: int | None = None,
        devices: Sequence[jax.Device] | None = None,
        invalid: str = "error",
    ):
        """Bind a model to its variables; nothing is compiled before the first call.

        Args:
          model: a system, with a `contract`.
          variables: its variables, on the host or a device.
          padding: how frames are padded to a size that the model accepts: a name in
            `vfi_jax.interpolation.PADDINGS` (which include those of the original code) or a
            `Padding`.
          ensemble: test-time augmentation: "none"; "flip2", the mean with the prediction for frames
            rotated by 180 degrees; "flip4", the mean over the four flips.
          tile: height and width of tiles, in input pixels, for larger frames. None: tiles are used
            only if the whole frame would exceed `memory`.
          overlap: minimum overlap of neighbouring tiles in pixels; tiles are blended there. If the
            model's receptive field reaches at most a third of it, tiled and untiled results are
            equal. None: 1/15 of the frame's longer side (256 for 4K), at most 1/4 of a tile, and at
            least 128.
          memory: memory limit per call and device in bytes, weights included. None: three quarters
            of the device's memory; on a CPU, half of the machine's.
          batch: windows per call. None: one per device.
          devices: devices to run on; windows are distributed evenly. None: all accelerators of this
            process, or the CPU if there are none.
          invalid: handling of NaN and infinite pixels. "error": raise an error. "mask": fill them
            for the model, and return NaN wherever a frame of the window has them.

        Raises:
          ValueError: an argument is out of range, or a name is unknown.
        """
        self.contract = contract_of(model)
        check_option(invalid, INVALID)
        self._finite = invalid == "error"
        self._compiled = Compiled(model, variables, batch=batch, devices=devices)
        forward = functools.partial(
            Forward,
            self._compiled,
            self.contract,
            padding=named(padding),
            ensemble=ensemble,
            tile=tile,
            overlap=overlap,
            memory=memory,
            mask=invalid == "mask",
        )
        self._forward, self._carrying = forward(), forward(carried=True)

    def __call__(self, frames: Any, times: Iterable[float | Fraction], *, extra: Any = None) -> Any:
        """Frames at `times`.

        Args:
          frames: `[N, H, W, C]` of NumPy or JAX: uint8, uint16, or float with white at 1. The first
            three channels are RGB. A grey frame, and each channel after the third (alpha), is run
            through the model separately as grey.
          times: in input frames, in any order. Fractions are exact; floats are rounded to the
            nearest fraction with a denominator up to a million, so that 0.1 + 0.2 is 3/10.
          extra: `[N, H, W, K]` floats of any range: channels that the model does not see. The flow
            between `frames`, which have 3 channels then, carries them. The model's contract must
            have flows.

        Returns:
          `[T, sH, sW, C]` of the same type. Integers are clipped and rounded half to even; floats
          are not clipped. A JAX array returns a JAX array on the same devices, with the same
          sharding if sizes allow. Data passes through the host; `vfi_jax.interpolate` avoids that.
          With `extra`: that and `[T, H, W, K]` of the type of `extra`.

        Raises:
          ValueError: a time cannot be reached, or `frames` is not a clip.
        """
        if isinstance(frames, jax.core.Tracer):
            raise ValueError(
                "frames must be a concrete array, got a tracer; inside jit, grad or vmap call "
                "vfi_jax.interpolate"
            )
        home = frames.sharding if isinstance(frames, jax.Array) else None
        given = frames = levels.array(frames, "frames", np.asarray)
        levels.check_shape(frames.shape, "frames", "[N, H, W, C]")
        forward = self._forward
        if extra is not None:
            extra, forward = levels.array(extra, "extra", np.asarray), self._carrying
            frames = carry.join(self.contract, frames, extra)
        requested = listed(times)
        self.check(requested, len(frames))
        _, height, width, channels = frames.shape
        scale = self.contract.scale
        answers = np.empty((len(requested), scale * height, scale * width, channels), frames.dtype)
        ascending = sorted(range(len(requested)), key=requested.__getitem__)
        stream = self._stream(frames, [requested[index] for index in ascending], forward)
        for index, answer in zip(ascending, stream, strict=True):
            answers[index] = answer
        found = answers if extra is None else carry.split(answers, given, extra)
        return found if home is None else jax.tree.map(functools.partial(_placed, home), found)

    @property
    def devices(self) -> list[jax.Device]:
        """The devices on which the model runs."""
        return self._compiled.devices

    def stream(
        self, frames: Iterable[np.ndarray], times: Iterable[float | Fraction]
    ) -> Iterator[np.ndarray]:
        """Yield frames at `times` in constant memory for any length of clip.

        Frames are read on demand, and only frames that a later time can need are kept. A batch of
        windows is computed while the previous batch is yielded.

        Args:
          frames: `[H, W, C]` each, with equal size and type, as for `__call__`.
          times: ascending, in input frames.

        Yields:
          `[sH, sW, C]` for every time, in the frames' type; do not modify it. At input frames it is
          the input array itself.

        Raises:
          ValueError: a time cannot be reached, lies past the clip's end or does not ascend, or the
            frames differ in size or type. Raised when it occurs; use `check` in advance. As with an
            error raised by `frames`, the current batch and the previous one are then lost.
        """
        yield from self._stream(frames, times, self._forward)

    def _stream(self, frames, times, forward):
        streamer = Streamer(self.contract, forward, FrameBuffer(frames, finite=self._finite))
        computing: list = []
        for places in streamer.batches(_ascending(times)):
            with self._compiled.context():
                following = streamer.answer(places)
            yield from (fetch() for fetch in computing)
            computing = following
        yield from (fetch() for fetch in computing)

    def check(self, times: Iterable[float | Fraction], length: int | None = None) -> None:
        """Check that every one of `times` can be reached.

        Args:
          times: in input frames.
          length: number of frames of the clip; None: unknown, only its start is checked.

        Raises:
          ValueError: a time cannot be reached; the message lists reachable times.
        """
        for time in times:
            place(self.contract, exact(time), length)


def _placed(sharding, array):
    return jax.device_put(array, fitting(sharding, array.shape))


def _ascending(times):
    last = None
    for time in map(exact, times):
        if last is not None and time < last:
            raise ValueError(f"times must ascend, got {float(time):g} after {float(last):g}")
        yield time
        last = time
