"""VGG-19's features, for perceptual losses."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv, max_pool
from vfi_jax.layers.precision import precision

# Channels of a block's convolutions (Simonyan and Zisserman, table 1).
WIDTHS = (64, 128, 256, 512, 512)
MEAN = (0.485, 0.456, 0.406)  # RGB mean of ImageNet in [0, 1], as used by torchvision
DEVIATION = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class Config:
    """VGG-19 up to relu5_2.

    Attributes:
      depths: number of convolutions of each block; perceptual losses do not need the last two of
        block 5.
      dtype: type of the convolutions.
      precision: precision of the convolutions, see `layers.precision`.
    """

    depths: tuple[int, ...] = (2, 2, 4, 4, 2)
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """The activations of VGG-19. Simonyan and Zisserman, ICLR 2015 (arXiv:1409.1556).

    `model.apply(variables, image[B, H, W, 3])` with RGB in [0, 1] gives a dict of `[B, h, w, C]` by
    name: "relu1_1" to "relu5_2". Under jit, unused activations are not computed.
    """

    config: Config = Config()

    @property
    def example_inputs(self) -> dict[str, jax.ShapeDtypeStruct]:
        return {"image": jax.ShapeDtypeStruct((1, 16, 16, 3), jnp.float32)}

    @nn.compact
    def __call__(self, image: Image) -> dict[str, Array]:
        features = {}
        x = (image - jnp.asarray(MEAN)) / jnp.asarray(DEVIATION)
        with precision(self.config.precision):
            for block, (width, depth) in enumerate(
                zip(WIDTHS, self.config.depths, strict=False), 1
            ):
                x = max_pool(x) if block > 1 else x
                for layer in range(1, depth + 1):
                    name = f"{block}_{layer}"
                    x = nn.relu(Conv(width, dtype=self.config.dtype, name=f"conv{name}")(x))
                    features[f"relu{name}"] = x
        return features
