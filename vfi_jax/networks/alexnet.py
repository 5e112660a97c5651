"""AlexNet's features, for LPIPS."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.precision import precision

# Channels, kernel and stride of the convolutions (Krizhevsky 2014, one column; torchvision's).
LAYERS = ((64, 11, 4), (192, 5, 1), (384, 3, 1), (256, 3, 1), (256, 3, 1))
POOLED = (2, 3)  # layers whose input passes a 3x3 max pooling at stride 2
LEAST = 31  # minimum height and width in pixels; smaller inputs are empty after the second pooling
MEAN = (0.485, 0.456, 0.406)  # RGB mean of ImageNet in [0, 1], as used by torchvision
DEVIATION = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class Config:
    """AlexNet up to its last convolution.

    Attributes:
      dtype: type of the convolutions.
      precision: precision of the convolutions, see `layers.precision`.
    """

    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """The activations of AlexNet. Krizhevsky 2014 (arXiv:1404.5997).

    `model.apply(variables, image[B, H, W, 3])` with RGB in [0, 1], at least 31 pixels high and
    wide, gives a dict of `[B, h, w, C]` by name: "relu1" to "relu5".
    """

    config: Config = Config()

    @property
    def example_inputs(self) -> dict[str, jax.ShapeDtypeStruct]:
        return {"image": jax.ShapeDtypeStruct((1, LEAST, LEAST, 3), jnp.float32)}

    @nn.compact
    def __call__(self, image: Image) -> dict[str, Array]:
        if min(image.shape[-3:-1]) < LEAST:
            raise ValueError(f"image must be at least {LEAST}x{LEAST}, got {image.shape}")
        features = {}
        x = (image - jnp.asarray(MEAN)) / jnp.asarray(DEVIATION)
        with precision(self.config.precision):
            for layer, (width, kernel, stride) in enumerate(LAYERS, 1):
                if layer in POOLED:
                    x = nn.max_pool(x, (3, 3), (2, 2))
                # The first convolution pads 2 pixels; half of its kernel would be 5.
                conv = Conv(
                    width,
                    kernel,
                    stride,
                    min(kernel // 2, 2),
                    dtype=self.config.dtype,
                    name=f"conv{layer}",
                )
                x = features[f"relu{layer}"] = nn.relu(conv(x))
        return features
