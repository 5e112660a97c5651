"""Optional metrics: visual information, perceptual distance, temporal consistency."""

import functools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import estimation, metrics, ops, weights
from vfi_jax.evaluation.score import PEAK, Extra, Sample

LPIPS = {"alex": "lpips", "vgg": "lpips/vgg"}  # heads by their name in tables


def vif() -> Extra:
    """VIF as an additional metric of `evaluate`: the mean over a sample's times, as "vif"."""
    of = jax.jit(functools.partial(metrics.vif, peak=PEAK))

    def score(sample: Sample, predictions: np.ndarray) -> dict[str, float]:
        pairs = zip(predictions, sample.targets, strict=True)
        return {"vif": float(np.mean([of(image, reference) for image, reference in pairs]))}

    return Extra(("vif",), "RGB, whole frames", score)


def lpips(trunk: str = "alex") -> Extra:
    """LPIPS as an additional metric of `evaluate`: the mean over a sample's times, as "lpips".

    Args:
      trunk: "alex", as reported in papers, or "vgg".

    Raises:
      FileNotFoundError: the network's or the heads' weights are not on this machine.
      ValueError: an unknown trunk.
    """
    if trunk not in LPIPS:
        raise ValueError(f"trunk must be one of {sorted(LPIPS)}, got {trunk!r}")
    learnt, head_variables = weights.load(LPIPS[trunk])
    network, variables = weights.load(learnt.config.trunk)
    heads = learnt.apply(head_variables)

    @jax.jit
    def distance(image, reference):
        return metrics.lpips(image, reference, lambda x: network.apply(variables, x), heads)

    def score(sample: Sample, predictions: np.ndarray) -> dict[str, float]:
        pairs = zip(predictions, sample.targets, strict=True)
        values = [distance(np.float32(a) / PEAK, np.float32(b) / PEAK) for a, b in pairs]
        return {"lpips": float(np.mean(values))}

    return Extra(("lpips",), trunk, score)


def temporal(network: estimation.Network = "pwc_net") -> Extra:
    """Temporal consistency of the video of inputs and predictions, compared to the true video.

    "tof" in pixels, from flows of both videos; "warping", from flows and occlusion of the true
    video, for values in [0, 1]. Both are means over pairs of consecutive frames.

    Args:
      network: flow network, as for `vfi_jax.flow`.

    Raises:
      FileNotFoundError: the network's weights are not on this machine.
    """
    loaded = weights.load(network) if isinstance(network, str) else network

    def score(sample: Sample, predictions: np.ndarray) -> dict[str, float]:
        videos = _played(sample, predictions), _played(sample, sample.targets)
        # Pair by pair, so that memory does not grow with the clip.
        values = [
            _steadiness(loaded, *(_floats(video[i : i + 2]) for video in videos))
            for i in range(len(videos[0]) - 1)
        ]
        tof, warping = np.mean(values, axis=0)
        return {"tof": float(tof), "warping": float(warping)}

    name = network if isinstance(network, str) else "a given network"
    return Extra(("tof", "warping"), name, score)


def _steadiness(network, pair, truth):
    """tOF and warping error of two consecutive frames `[2, H, W, 3]` against the true frames."""
    found, flow01, flow10 = (
        jnp.asarray(estimation.flow(frame0, frame1, network=network))
        for frame0, frame1 in (pair, truth, truth[::-1])
    )
    seen = 1 - ops.occlusion_mask(flow01, flow10)
    return (
        float(metrics.flow_difference(found, flow01)),
        float(metrics.warping_error(*pair, flow01, mask=seen)),
    )


def _floats(frames):
    return frames.astype(np.float32) / np.float32(PEAK)


def _played(sample, answers):
    """Inputs and predictions in order of time; a prediction replaces an input at the same time."""
    frames = dict(zip(sample.times, answers, strict=True))
    if sample.frames.shape[1:] == answers.shape[1:]:
        inputs = ((Fraction(i), frame) for i, frame in enumerate(sample.frames))
        frames = {**dict(inputs), **frames}
    return np.stack([frames[time] for time in sorted(frames)])
