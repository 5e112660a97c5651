"""Compute VBench's motion smoothness of videos (close to 1 is smooth).

Every second frame is predicted from its neighbours by AMT-S and compared with the actual frame.
VBench decodes with OpenCV; here FFmpeg respects colour tags, so the last digits may differ.
"""

import contextlib
import dataclasses
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

LEAST_FRAMES = 3  # the middle one is predicted
LEAST, MOST = 0.706, 0.9975  # scores shown as 0 and 1 in VBench's tables


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax smoothness`."""

    sources: Positional[tuple[Path, ...]]
    """Videos, or folders of images."""
    model: Annotated[str, tyro.conf.arg(aliases=["-m"])] = "amt/s"
    """Interpolation model, or a path to its weights. VBench uses amt/s."""
    batch: int = 1
    """Number of predictions per model call."""


def check(args: Args) -> None:
    """Check the arguments before weights are downloaded or loaded."""
    from vfi_jax.video.read import open_source

    if not args.sources:
        raise ValueError("pass at least one video, got none")
    if args.batch < 1:
        raise ValueError(f"--batch must be at least 1, got {args.batch}")
    for source in args.sources:
        if source.is_fifo():
            continue  # a pipe can be read once
        with contextlib.closing(open_source(source)) as opened:
            if opened.count is not None and opened.count < LEAST_FRAMES:
                raise ValueError(
                    f"{source} must have at least {LEAST_FRAMES} frames, got {opened.count}"
                )


def run(args: Args) -> int:
    """Print the score of each source, and the mean of several."""
    import numpy as np

    from vfi_jax import weights
    from vfi_jax.metrics.smoothness import MULTIPLE
    from vfi_jax.video import read_frames

    model, variables = weights.load(args.model)
    contract = model.contract
    midpoint = contract.frames == 2 and (contract.times is None or 0.5 in contract.times)
    if not midpoint or contract.scale != 1 or MULTIPLE % contract.multiple:
        raise ValueError(
            f"--model must predict the middle of two frames whose sides are multiples of "
            f"{MULTIPLE}, as amt/s does, got {args.model}"
        )
    score = _score_of(model, variables, args.batch)
    scores = []
    for source in args.sources:
        frames, _ = read_frames(source)
        if len(frames) < LEAST_FRAMES:
            raise ValueError(
                f"{source} must have at least {LEAST_FRAMES} frames, got {len(frames)}"
            )
        scores.append(score(frames))
        print(f"{scores[-1]:.5f}  {source}")
    mean = np.mean(scores)
    shown = 100 * (mean - LEAST) / (MOST - LEAST)
    print(f"{mean:.5f}  mean of {len(scores)}; {shown:.2f} % in VBench's tables")
    return 0


def _score_of(model, variables, batch):
    """A function from frames `[N, H, W, 3]` to their score, computed in batches on the device."""
    import jax
    import numpy as np

    from vfi_jax import metrics

    @jax.jit
    def each(variables, clips):
        def interpolate(frames, times):
            return model.apply(variables, frames, times)["frames"]

        return metrics.motion_smoothness(clips, interpolate, batch=batch)

    def score(frames):
        if frames.dtype != np.uint8:
            frames = frames / np.float32(np.iinfo(frames.dtype).max)
        places = np.arange(0, len(frames) - 2, 2)
        values = []
        for start in range(0, len(places), batch):
            now = np.resize(places[start : start + batch], batch)  # constant shape: one compilation
            clips = np.stack([frames[place : place + 3] for place in now])
            values += each(variables, clips)[: len(places) - start].tolist()
        return float(np.mean(values))

    return score
