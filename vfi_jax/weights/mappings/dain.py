"""DAIN's keys in files of baowenbo/DAIN; its slow-motion network has the same keys."""

from typing import Any

from vfi_jax.networks import pwc_net as flow_network
from vfi_jax.weights.mappings import megadepth, pwc_net
from vfi_jax.weights.rules import Finding, Rules, conv, nested, stacked

KERNELS = "initScaleNets_filter"
# Convolutions in the kernel network's flat list: (stage, index in the stage).
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


def report(model: Any, variables: dict) -> list[Finding]:
    """Drift of the flow, measured as in PWC-Net's mapping."""
    network = flow_network.Model(flow_network.Config(bgr=False))
    return pwc_net.report(network, {"params": variables["params"]["flow"]})
