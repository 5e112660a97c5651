"""The stages up to a first frame, run by `start` in a fresh process.

    python -P trial.py MODEL CLIP

Nothing is imported before its stage. The last line of output is JSON: {stage: [wall, CPU] seconds}.
"""

import json
import sys
import time
from collections.abc import Iterator

STAGES = (
    "import jax",
    "import flax",
    "import vfi_jax",
    "import video tools",
    "weights",
    "decode 2 frames",
    "trace",
    "lower",
    "compile",
    "run",
)


def first_frame(name: str, clip: str) -> Iterator[None]:
    """Compute the frame between a clip's first two frames; yields after each of `STAGES`."""
    import jax
    import numpy as np

    yield
    import flax.linen  # noqa: F401

    yield
    from vfi_jax import weights
    from vfi_jax.interpolation.padding import PADDINGS, pad

    yield
    from vfi_jax.video import read_frames

    yield
    model, variables = weights.load(name)
    yield
    frames = read_frames(clip, limit=2)[0][None].astype(np.float32) / 255
    amounts = PADDINGS["tight"].amounts(frames.shape[2:4], multiple=model.contract.multiple)
    arrays = variables, pad(frames, amounts, "edge"), np.full((1, 1), 0.5, np.float32)
    yield

    def answer(variables, frames, times):
        return model.apply(variables, frames, times)["frames"]

    traced = jax.jit(answer).trace(*arrays)
    yield
    lowered = traced.lower()
    yield
    compiled = lowered.compile()
    yield
    jax.block_until_ready(compiled(*arrays))
    yield


def main() -> None:
    """Print the seconds of every stage."""
    seconds = {}
    before = time.perf_counter(), time.process_time()
    for stage, _ in zip(STAGES, first_frame(*sys.argv[1:]), strict=True):
        after = time.perf_counter(), time.process_time()
        seconds[stage] = [after[0] - before[0], after[1] - before[1]]
        before = after
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
