"""MEMC-Net's three networks against reference outputs of the originals, and its enhancement."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.models import flow_family
from vfi_jax import registry, weights
from vfi_jax.interpolation import Interpolator
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.kernel_unet import Head, KernelUNet
from vfi_jax.models import memc_net

COUNTS = {"memc_net": 67_260_469, "memc_net/star": 70_312_501, "memc_net/s": 7_204_367}
REACHES = {"memc_net": 8, "memc_net/star": 23, "memc_net/s": 8}  # 3x3 layers of the rectifiers
HALF = np.float32([0.5])
# Names of outputs here and upstream.
OUTPUTS = {
    "blend": "blend",
    "warped0": "ref0",
    "warped1": "ref2",
    "flow_t0": "flow0",
    "flow_t1": "flow2",
    "mask0": "occ0",
    "mask1": "occ2",
    "kernel0": "filter0",
    "kernel1": "filter2",
}


def _group(name):
    return name.replace("/", "_")


# One model at a time, because the networks are large; cases are sorted by network.
@functools.lru_cache(maxsize=1)
def _portable(name):
    return weights.convert(name, support.portable_state_dict(_group(name)))


@functools.lru_cache(maxsize=1)
def _full(name):
    return weights.convert(name, support.full_state_dict(_group(name)))


@pytest.mark.parametrize("name", COUNTS)
def test_it_has_the_parameters_of_the_original(name):
    shapes = registry.abstract_variables(registry.create(name))
    assert registry.count_parameters(shapes) == COUNTS[name]


def test_the_small_variant_is_small():
    shapes = registry.abstract_variables(registry.create("memc_net/small"))
    assert registry.count_parameters(shapes) < 350_000


@pytest.mark.parametrize("case", ["64x64", pytest.param("64x128", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", COUNTS)
def test_portable_case(name, case):
    case = next(c for c in support.portable(_group(name))["cases"] if c["name"] == case)
    frames = support.clip(case)[None] / np.float32(255)
    out = flow_family.run(registry.create(name), _portable(name), frames, HALF)
    stored = case["outputs"]
    support.assert_samples(
        out["frames"][:, 0], stored["rectified"], tolerance=flow_family.CROSSED, within=0.99
    )
    for ours, theirs in OUTPUTS.items():
        array = out[ours] if out[ours].ndim == 4 else out[ours][:, 0]
        support.assert_samples(array, stored[theirs], tolerance=1e-4, within=0.98)
    for ours, theirs in (("flow01", "flow_in0"), ("flow10", "flow_in2")):
        support.assert_samples(0.5 * out[ours], stored[theirs])


@pytest.mark.slow
@pytest.mark.parametrize("case", ["case-0", "case-1"])
@pytest.mark.parametrize("name", COUNTS)
def test_full_case(name, case):
    arrays = support.full_case(_group(name), case)
    noise = flow_family.noise_of(_group(name), f"{case}.npz")["rectified"]
    frames = flow_family.frames_of(arrays)
    out = flow_family.run(registry.create(name), _full(name), frames, HALF)
    flow_family.assert_stored(0.5 * out["flow01"], arrays, "flow_in0", tolerance=2e-5, within=1)
    flow_family.assert_stored(out["kernel0"], arrays, "filter0", tolerance=2e-5, within=1)
    flow_family.assert_stored(out["mask1"][:, 0], arrays, "occ2", tolerance=2e-5, within=1)
    landing = (0.5 * out["flow01"], 0.5 * out["flow10"])
    projected = (out["flow_t0"][:, 0], out["flow_t1"][:, 0])
    flow_family.assert_stored(projected[0], arrays, "flow0")
    clear = flow_family.clear_of_crossings(landing, projected, reach=REACHES[name])
    assert clear.any()
    wanted = support.channels_last(arrays["rectified"])
    flow_family.assert_frame(out["frames"][:, 0], wanted, clear, noise=noise)


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_the_original_caller(name):
    arrays = support.full_case(_group(name), "case-2-caller")
    frames = np.stack([support.channels_last(arrays[key])[0] for key in ("im0", "im2")])
    out = Interpolator(registry.create(name), _full(name), padding="dain")(frames, [0.5])[0]
    difference = np.abs(out.astype(int) - arrays["uint8"])
    assert np.mean(difference <= 1) >= 0.99


@pytest.mark.slow
class TestStages:
    """Parts of the networks: without crossings, differences are float32 rounding only."""

    def test_occlusions_and_context(self):
        arrays = support.full_case("memc_stages", "occlusion-ctx")
        frames = flow_family.frames_of(arrays)
        both = np.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        params = _full("memc_net/star")["params"]
        net = KernelUNet(doubled=True, align_corners=True)
        trunk = jax.jit(net.apply)({"params": params["occlusions"]}, both)
        flow_family.assert_stored(trunk, arrays, "trunk", tolerance=2e-5, within=1)
        for head, key in (("occlusion0", "occ0"), ("occlusion1", "occ2")):
            mask = 0.5 + Head(1).apply({"params": params[head]}, trunk)
            support.assert_close(mask, support.channels_last(arrays[key]))
        frame = (frames[:, 0] - memc_net.MEAN) / np.float32(memc_net.DEVIATION)
        context = Conv(64, 7, use_bias=False).apply({"params": params["context"]}, frame)
        flow_family.assert_stored(context, arrays, "ctx", tolerance=2e-5, within=1)

    def test_rectifier(self):
        wanted = support.full_case("memc_stages", "rectifynet-edsr")["rect"]
        maps = 0.3 * np.random.RandomState(777).standard_normal((1, 169, 24, 40))
        params = _full("memc_net/star")["params"]["rectify"]
        net = memc_net.EDSR(128, jnp.float32)
        found = net.apply({"params": params}, support.channels_last(maps).astype(np.float32))
        support.assert_close(found, support.channels_last(wanted))

    def test_kernels_with_batch_norm(self):
        arrays = support.full_case("memc_stages", "kernelnet-bn")
        frames = flow_family.frames_of(arrays)
        both = np.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        net = KernelUNet(doubled=True, norms=tuple(range(10)), align_corners=True)
        variables = {kind: tree["kernels"] for kind, tree in _full("memc_net").items()}
        trunk = jax.jit(net.apply)(variables, both)
        flow_family.assert_stored(trunk, arrays, "trunk", tolerance=2e-5, within=1)


class TestEnhancement:
    """Seven frames in, the middle one out."""

    model = registry.create(
        "memc_net/enhance",
        flow_variant="small",
        kernel_width=4,
        kernel_depth=2,
        context_width=4,
        rectify_width=8,
    )
    frames = np.random.default_rng(0).random((1, 7, 64, 64, 3), np.float32)
    times = np.float32([3])

    @pytest.mark.slow
    def test_every_frame_affects_the_result(self):
        variables = support.variables(self.model)

        @jax.jit
        @jax.grad
        def gradient_of_sum(frames):
            return self.model.apply(variables, frames, self.times[None])["frames"].sum()

        gradient = np.asarray(gradient_of_sum(self.frames))
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max(axis=(0, 2, 3, 4)).min() > 0

    def test_a_zero_rectifier_returns_the_middle_frame(self):
        zeros = jax.tree.map(np.zeros_like, support.variables(self.model))
        out = flow_family.run(self.model, zeros, self.frames, self.times)["frames"]
        np.testing.assert_array_equal(out, self.frames[:, 3:4])
