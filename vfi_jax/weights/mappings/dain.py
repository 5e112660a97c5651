"""DAIN's keys, as baowenbo/DAIN saves them; its slow motion network has the same."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from vfi_jax import estimation, ops
from vfi_jax.networks import pwc_net as flow_network
from vfi_jax.weights.mappings import megadepth, pwc_net
from vfi_jax.weights.rules import Rules, conv, nested, stacked

SCENE = (256, 448)  # height and width of the picture that `report` looks at
GRAIN = 8  # pixels of its texture
KERNELS = "initScaleNets_filter"
# Places of the convolutions in the kernel network's flat list: (stage, place in the stage).
KERNEL_CONVS = {
    0: (0, 0), 2: (0, 1), 5: (1, 0), 8: (2, 0), 11: (3, 0), 14: (4, 0), 17: (5, 0),
    20: (6, 0), 23: (7, 0), 26: (8, 0), 29: (9, 0), 32: (10, 0),
}  # fmt: skip


def _block(key: str, path: str) -> Rules:
    return (
        *conv(rf"{key}\.conv1", f"{path}/conv0"),
        *conv(rf"{key}\.conv2", f"{path}/conv1"),
    )


RULES = (
    *nested(r"flownets\.", pwc_net.RULES, "flow"),
    *nested(r"depthNet\.", megadepth.RULES, "depth"),
    *(
        rule
        for number, (stage, place) in KERNEL_CONVS.items()
        for rule in conv(rf"{KERNELS}\.{number}", f"kernels/stage{stage}_conv{place}")
    ),
    *(
        rule
        for head in (0, 1)
        for place in (0, 1)
        for rule in conv(rf"{KERNELS}{head + 1}\.{2 * place}", f"kernel{head}/conv{place}")
    ),
    *conv(r"ctxNet\.block1\.0", "context/conv0"),
    *_block(r"ctxNet\.block2", "context/block1"),
    *_block(r"ctxNet\.block3", "context/block2"),
    *conv(r"rectifyNet\.block1\.0", "between/first"),
    *stacked(_block(r"rectifyNet\.block(?P<layer>[234])", "between/rectify/blocks/block"), first=2),
    *conv(r"rectifyNet\.block5\.0", "between/rectify/last"),
)


def report(model: Any, variables: dict) -> list[str]:
    """How far the flow drifts on two equal frames, where nothing should move."""
    height, width = SCENE
    network = flow_network.Model(flow_network.Config(bgr=False))
    texture = np.random.default_rng(0).random((height // GRAIN, width // GRAIN, 3), np.float32)
    scene = ops.resize_bilinear(jnp.asarray(texture), SCENE, align_corners=True)
    weights = {"params": variables["params"]["flow"]}
    flow = estimation.flow(scene, scene, network=(network, weights))
    across, down = estimation.drift(jnp.asarray(flow))
    return [
        f"drift on two equal {width}x{height} frames: {across * width / 2:+.3f} pixels at the "
        f"right border, {down * height / 2:+.3f} at the lower (-2 under PyTorch >= 1.3)"
    ]
