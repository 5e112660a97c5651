"""PWC-Net's keys in files of NVlabs/PWC-Net and nested in DAIN's."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import ops
from vfi_jax.drift import drift
from vfi_jax.weights.rules import Finding, Rules, conv, conv_transpose

SCENE = (
    256,
    448,
)  # height and width of `report`'s image, multiples of the network's
GRAIN = 8  # pixels of its texture
DRIFT = 1.0  # maximum in pixels at a border: half the drift of the wrong sampler


def _features() -> Rules:
    # conv1a, conv1aa, conv1b, ..., but at the coarsest level conv6aa precedes conv6a.
    order = {"a": 0, "aa": 1, "b": 2}
    last = {"aa": 0, "a": 1, "b": 2}
    return (
        *(
            rule
            for name, place in order.items()
            for rule in conv(rf"conv([1-5]){name}\.0", rf"features\1/conv{place}")
        ),
        *(
            rule
            for name, place in last.items()
            for rule in conv(rf"conv6{name}\.0", f"features6/conv{place}")
        ),
    )


RULES = (
    *_features(),
    *conv(r"conv([2-6])_(\d)\.0", r"decoder\1/conv\2"),
    *conv(r"predict_flow([2-6])", r"decoder\1/flow"),
    *conv_transpose(r"deconv([2-6])", r"decoder\1/up_flow"),
    *conv_transpose(r"upfeat([3-6])", r"decoder\1/up_features"),
    *(
        rule
        for number in range(1, 7)
        for rule in conv(rf"dc_conv{number}\.0", f"context/conv{number - 1}")
    ),
    *conv("dc_conv7", "context/flow"),
)


def report(model: Any, variables: dict) -> list[Finding]:
    """Drift of the flow between two equal frames, which should be zero."""
    height, width = SCENE
    texture = np.random.default_rng(0).random((height // GRAIN, width // GRAIN, 3), np.float32)
    scene = ops.resize_bilinear(jnp.asarray(texture), SCENE, align_corners=True)
    flow = jax.jit(model.apply)(variables, scene[None], scene[None])["flow"]
    across, down = (float(slope) for slope in drift(ops.resize_flow(flow[0], SCENE)))
    right, low = across * width / 2, down * height / 2
    text = (
        f"drift on two equal {width}x{height} frames: {right:+.3f} pixels at the right border, "
        f"{low:+.3f} at the lower (-2 under PyTorch >= 1.3)"
    )
    return [Finding(text, max(abs(right), abs(low)) < DRIFT)]
