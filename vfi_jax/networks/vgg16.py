"""VGG-16's features, for LPIPS."""

import dataclasses

from vfi_jax.networks import vgg19


@dataclasses.dataclass(frozen=True)
class Config(vgg19.Config):
    """VGG-16 up to relu5_3; attributes as in `vgg19.Config`."""

    depths: tuple[int, ...] = (2, 2, 3, 3, 3)


VARIANTS: dict[str, Config] = {}


class Model(vgg19.Model):
    """The activations of VGG-16, "relu1_1" to "relu5_3"; otherwise as VGG-19."""

    config: Config = Config()
