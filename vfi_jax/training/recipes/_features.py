"""Feature losses of recipes for perceptual quality."""

from collections.abc import Callable

from vfi_jax import losses
from vfi_jax.arrays import Array, Frames
from vfi_jax.networks import vgg19

VGG = vgg19.Model()


def vgg19_activations(frozen: dict) -> Callable[[Frames], dict[str, Array]]:
    """A function from frames `[*B, H, W, 3]` to activations of the frozen "vgg19"."""

    def see(frames):
        frames = frames.reshape(-1, *frames.shape[-3:])
        return VGG.apply(frozen["vgg19"], frames)

    return see


def features(prediction, batch, frozen):
    """Distance of VGG-19's relu4_4 ("lf", perceptual quality)."""
    see = vgg19_activations(frozen)
    parts = {"features": losses.perceptual(prediction["frames"], batch["targets"], see)}
    return parts["features"], parts
