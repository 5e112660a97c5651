"""The driver: frames at any times from a model that answers some of them.

From the outside in: `streaming` walks through a clip and asks `windows` which frames answer a time;
`forward` brings those frames to sizes that the model takes, by `padding` and `tiles`; `compiled`
runs the model. `function` does the same as one pure function. Nothing here knows a model by name:
its contract says all.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from vfi_jax.contract import Contract
from vfi_jax.interpolation import carry
from vfi_jax.interpolation.compiled import Compiled
from vfi_jax.interpolation.forward import Forward
from vfi_jax.interpolation.function import interpolate
from vfi_jax.interpolation.invalid import INVALID, check_option
from vfi_jax.interpolation.padding import PADDINGS, Padding, named
from vfi_jax.interpolation.streaming import FrameBuffer, Streamer
from vfi_jax.interpolation.windows import exact, place
from vfi_jax.meshes import fitting

__all__ = ["PADDINGS", "Interpolator", "Padding", "interpolate"]


class Interpolator:
    """`(frames, times) -> frames` for clips of any length and frames of any size.

    Time is counted in input frames: frame i is at time i, half-way to the next is i + 0.5. The
    model answers every time that its contract lists; any other whole time is the input frame,
    returned unchanged. A model that gives only midpoints reaches 0.25, 0.375, ... by halving.

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
          padding: how frames are brought to a size that the model takes: a name in
            `vfi_jax.interpolation.PADDINGS` (the original callers' are there) or a `Padding`.
          ensemble: "none"; "flip2", the mean with the answer to the frames turned by half a turn;
            "flip4", the mean over the four flips.
          tile: height and width, in input pixels, of the tiles that larger frames are cut into.
            None: a frame is cut only if the whole would exceed `memory`.
          overlap: pixels that neighbouring tiles share at least; blended, no seam shows. Where the
            model sees no further than a third of it, tiles give what the whole frame gives.
          memory: bytes that one call may take on each device, weights included. None: three
            quarters of the device's memory; on a CPU, half of the machine's.
          batch: windows that go into one call. None: one for each device.
          devices: what to run on, windows spread evenly. None: all accelerators of this process;
            without any, the CPU.
          invalid: what to do about pixels that are NaN or infinite. "error": refuse the frame.
            "mask": fill them for the model, and give NaN wherever a frame of the window had them.

        Raises:
          ValueError: an argument is out of range, or a name is unknown.
        """
        self.contract: Contract = model.contract
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
            three channels are RGB; a grey frame, and each channel past the third (alpha), goes
            through the model by itself, as grey.
          times: in input frames, in any order. Fractions are exact; floats stand for the nearest
            fraction with a denominator up to a million, so that 0.1 + 0.2 is 3/10.
          extra: `[N, H, W, K]` floats of any range: channels that the model does not see. The flow
            between `frames`, which have 3 channels then, carries them. The model's contract must
            have flows.

        Returns:
          `[T, sH, sW, C]` of the same type. Integers are clipped and rounded half to even; floats
          are not clipped. For a JAX array, a JAX array on its devices, sharded alike where sizes
          allow; both pass through the host, which `vfi_jax.interpolate` avoids. With `extra`: that
          and `[T, H, W, K]` of the type of `extra`.

        Raises:
          ValueError: a time cannot be reached, or `frames` is no clip.
        """
        if isinstance(frames, jax.core.Tracer):
            raise ValueError(
                "frames must be an array and no traced one; inside jit, grad or vmap call "
                "vfi_jax.interpolate"
            )
        home = frames.sharding if isinstance(frames, jax.Array) else None
        given = frames = np.asarray(frames)
        if frames.ndim != 4 or 0 in frames.shape:
            raise ValueError(f"frames must be [N, H, W, C], none of them 0, got {frames.shape}")
        forward = self._forward
        if extra is not None:
            extra, forward = np.asarray(extra), self._carrying
            frames = carry.join(self.contract, frames, extra)
        requested = [exact(time) for time in times]
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

    def stream(
        self, frames: Iterable[np.ndarray], times: Iterable[float | Fraction]
    ) -> Iterator[np.ndarray]:
        """Frames at `times`, one after the other, in constant memory however long the clip.

        Frames are read as times need them, and only those are kept that a later time can need. One
        batch of windows is computed while the batch before it is handed out.

        Args:
          frames: `[H, W, C]` each, all of one size and type, as for `__call__`.
          times: ascending, in input frames.

        Yields:
          `[sH, sW, C]` for every time, of the frames' type; to be read, not written to. Where the
          input frame is the answer, it is that very array.

        Raises:
          ValueError: a time cannot be reached, lies past the clip's end or does not ascend, or the
            frames are not alike. Raised when it is met; `check` tells beforehand. As with an error
            of `frames` itself, the batch then being gathered and the one before it are not
            handed out.
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
        """Do nothing if every one of `times` can be reached.

        Args:
          times: in input frames.
          length: frames of the clip; None: unknown, only its beginning is checked.

        Raises:
          ValueError: the first time that cannot, and what can.
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
