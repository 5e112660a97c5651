"""MEMC-Net's keys in files of baowenbo/MEMC-Net, for its three networks."""

from typing import Any

from vfi_jax.weights.mappings import flownet_s, spynet
from vfi_jax.weights.rules import Rules, batch_norm, conv, nested, stacked

FLOWS = {"flownet_s": flownet_s.RULES, "spynet": spynet.LEVELS}


def rules(config: Any) -> Rules:
    """The rule table of a `models.memc_net.Config`."""
    table = (
        *nested(r"flownets\.", FLOWS[config.flow], "flow"),
        *_estimator("initScaleNets_filter", "kernel", config),
        *(_edsr() if config.edsr else _plain()),
    )
    if config.occlusion:
        table += _estimator("initScaleNets_occlusion", "occlusion", config)
    if config.context_width:
        table += conv(r"ctxNet\.conv1", "context")
    return table


def _estimator(key: str, name: str, config: Any) -> Rules:
    """A U-Net and its two heads."""
    rules: Rules = ()
    for place, path, kind in _places(config):
        rule = conv if kind == "conv" else batch_norm
        rules += rule(rf"{key}\.{place}", f"{name}s/{path}")
    for head in (0, 1):
        for place in (0, 1):
            rules += conv(rf"{key}{head + 1}\.{2 * place}", f"{name}{head}/conv{place}")
    return rules


def _places(config: Any) -> list[tuple[int, str, str]]:
    """(index in the upstream list, path, kind) of every layer of the U-Net with parameters.

    For each stage the list contains every convolution and its ReLU, the stage's norm if any, and
    the pooling or upsampling between stages.
    """
    depth = config.kernel_depth
    bare = 2 * depth if config.double_convs else depth
    layers, place = [], 0
    for stage in range(2 * depth + 1):
        for index in range(_convs(stage, config)):
            layers.append((place, f"stage{stage}_conv{index}", "conv"))
            place += 2
        if config.batch_norm and stage != bare:
            layers.append((place, f"stage{stage}_norm", "norm"))
            place += 1
        place += 1
    return layers


def _convs(stage: int, config: Any) -> int:
    """Number of convolutions of a stage."""
    depth = config.kernel_depth
    if not config.double_convs:
        return 2 if stage == 0 else 1
    return {0: 3, depth: 3, 2 * depth: 1}.get(stage, 2)


def _plain() -> Rules:
    return tuple(
        rule
        for index in range(8)
        for rule in conv(rf"rectifyNet\.{2 * index}", f"rectify/conv{index}")
    )


def _edsr() -> Rules:
    block = r"rectifyNet\.body\.(?P<layer>\d)\.body"
    return (
        *conv(r"rectifyNet\.head\.0", "rectify/head"),
        *stacked(conv(rf"{block}\.0", "rectify/blocks/block/conv0")),
        *stacked(conv(rf"{block}\.2", "rectify/blocks/block/conv1")),
        *conv(r"rectifyNet\.body\.10", "rectify/body"),
        *conv(r"rectifyNet\.tail\.0", "rectify/tail"),
    )
