"""The learnt part of LPIPS: weights of an image classifier's channels."""

import dataclasses

import flax.linen as nn
import jax

from vfi_jax.arrays import Array


@dataclasses.dataclass(frozen=True)
class Config:
    """Heads of LPIPS for AlexNet.

    Attributes:
      trunk: the network whose activations are compared.
      layers: names of the compared activations, in the order of the heads.
      widths: channels of each layer.
    """

    trunk: str = "alexnet"
    layers: tuple[str, ...] = ("relu1", "relu2", "relu3", "relu4", "relu5")
    widths: tuple[int, ...] = (64, 192, 384, 256, 256)


VARIANTS = {
    "vgg": Config(
        trunk="vgg16",
        layers=("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
        widths=(64, 128, 256, 512, 512),
    )
}


class Model(nn.Module):
    """Weights `[C]` of each layer, by its name. Zhang et al., CVPR 2018 (arXiv:1801.03924).

    `model.apply(variables)` returns the argument `heads` of `metrics.lpips`.
    """

    config: Config = Config()

    @property
    def example_inputs(self) -> dict[str, jax.ShapeDtypeStruct]:
        return {}

    @nn.compact
    def __call__(self) -> dict[str, Array]:
        config = self.config
        return {
            layer: self.param(f"head{index}", nn.initializers.ones, (width,))
            for index, (layer, width) in enumerate(zip(config.layers, config.widths, strict=True))
        }
