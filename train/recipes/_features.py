"""The loss of systems that are trained for looks."""

from vfi_jax import losses
from vfi_jax.networks import vgg19

VGG = vgg19.Model()


def features(prediction, batch, frozen):
    """Distance of VGG-19's relu4_4: "lf", for looks."""

    def see(frames):
        frames = frames.reshape(-1, *frames.shape[-3:])
        return VGG.apply(frozen["vgg19"], frames)

    parts = {"features": losses.perceptual(prediction["frames"], batch["targets"], see)}
    return parts["features"], parts
