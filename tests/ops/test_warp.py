import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.ops import examples, golden
from vfi_jax import ops

PWC_WARP = golden.portable_cases("pwc_warp")
GRID_SAMPLE = golden.portable_cases("grid_sample_backwarp")
VOXEL_FLOW = golden.portable_cases("voxel_flow")


def pwc_warp(x, flow):
    return ops.backward_warp(x, flow) * ops.inside(flow, threshold=0.9999)


def border(x, flow):
    return ops.backward_warp(x, flow, padding="border")


def stretched(x, flow):
    """What code for torch<=1.2 samples on a later torch: a grid of corners read as one of edges."""
    height, width = flow.shape[-3:-1]
    size = jnp.array([width, height], jnp.float32)
    start = jnp.stack(jnp.meshgrid(jnp.arange(width), jnp.arange(height)), axis=-1)
    return ops.backward_warp(x, (start + flow) * (size / (size - 1)) - 0.5 - start)


def voxel_flow(syn_type, align_corners=True):
    """Deep Voxel Flow's sampling layer, from what its network gives: tanh in (-1, 1)."""

    def call(x, flow, mask):
        height, width = flow.shape[-3:-1]
        side = jnp.array([width, height], jnp.float32)
        pixels = flow / 4 * (side - 1 if align_corners else side)
        steps = (-1, 1) if syn_type == "inter" else (-2, -1)
        flow0, flow1 = (step * pixels for step in steps)
        return ops.voxel_warp(x[..., :3], x[..., 3:], flow0, flow1, (1 + mask) / 2)

    return call


@pytest.mark.parametrize("case", PWC_WARP, ids=[case["name"] for case in PWC_WARP])
def test_masked_warp_on_portable_goldens(case):
    golden.check_portable(case, pwc_warp, ("x", "flow"))
    flow = golden.last(golden.portable_inputs(case)["flow"])
    mask = ops.inside(flow, threshold=0.9999)
    channels = case["outputs"]["mask"]["shape"][1]
    support.assert_samples(mask.repeat(channels, axis=-1), case["outputs"]["mask"], tolerance=0)


@pytest.mark.parametrize("case", GRID_SAMPLE, ids=[case["name"] for case in GRID_SAMPLE])
def test_warp_on_portable_goldens(case):
    attrs = case["attrs"]
    if (attrs["grid"], attrs["align_corners"]) == ("S", False):
        function = stretched
    else:
        function = border if attrs["padding_mode"] == "border" else ops.backward_warp
    golden.check_portable(case, function, ("x", "flow"))


@pytest.mark.parametrize("case", VOXEL_FLOW, ids=[case["name"] for case in VOXEL_FLOW])
def test_voxel_warp_on_portable_goldens(case):
    if not case["attrs"]["align_corners"]:
        pytest.skip("the other grid is not an operation of ours")
    golden.check_portable(case, voxel_flow(**case["attrs"]), ("x", "flow", "mask"))


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/pwc_warp"))
def test_masked_warp_on_full_goldens(name):
    arrays = support.full_case("ops/pwc_warp", name)
    if 1 in arrays["x"].shape[2:]:
        pytest.skip("one pixel wide, the original ignores the flow")
    out, gradients = golden.run(pwc_warp, arrays, ("x", "flow"))
    mask = ops.inside(golden.last(arrays["flow"]), threshold=0.9999)
    support.assert_close(out, golden.last(arrays["out"]))
    np.testing.assert_array_equal(mask, golden.last(arrays["mask"])[..., :1])
    if name in ("case-0", "case-1", "case-7"):
        return  # integer flow: rounding of the original's grid picks the side of the derivative
    for key, gradient in gradients.items():
        support.assert_close(gradient, golden.last(arrays[f"truegrad_{key}"]))


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/grid_sample_backwarp"))
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_warp_on_full_goldens(name, padding):
    arrays = support.full_case("ops/grid_sample_backwarp", name)
    function = border if padding == "border" else ops.backward_warp
    out, gradients = golden.run(function, arrays, ("input", "flow"))
    # Two ways of writing the same sampling; the first is not there for images one pixel wide.
    corners = "border_acT" if padding == "border" else "softsplat_zeros_acT"
    variants = (corners, f"pixelgrid_{padding}_acF")
    for variant in (variant for variant in variants if f"{variant}/out" in arrays):
        smooth = ~arrays[f"kink/{variant}"][..., None]
        support.assert_close(out, golden.last(arrays[f"{variant}/out"]))
        support.assert_close(gradients["input"], golden.last(arrays[f"{variant}/grad_input"]))
        desired = golden.last(arrays[f"{variant}/grad_flow"])
        support.assert_close(smooth * gradients["flow"], smooth * desired)


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/voxel_flow"))
@pytest.mark.parametrize("kind", ["inter", "extra"])
def test_voxel_warp_on_full_goldens(name, kind):
    arrays = support.full_case("ops/voxel_flow", name)
    out, gradients = golden.run(voxel_flow(kind), arrays, ("input", "flow", "mask"))
    smooth = ~arrays[f"kink/{kind}_acT"][..., None]
    support.assert_close(out, golden.last(arrays[f"{kind}_acT/out"]))
    for key, gradient in gradients.items():
        keep = smooth if key == "flow" else True
        desired = golden.last(arrays[f"{kind}_acT/grad_{key}"])
        support.assert_close(keep * gradient, keep * desired)


def test_extreme_flows():
    """Zeros give 0; border gives the nearest edge, and the first pixel for what is no number."""
    image = jnp.arange(1, 5, dtype=jnp.float32).reshape(1, 4, 1)
    x = jnp.array([jnp.inf, -jnp.inf, 1e30, jnp.nan])
    flow = jnp.stack([x, jnp.zeros(4)], axis=-1)[None]
    np.testing.assert_array_equal(ops.backward_warp(image, flow), jnp.zeros((1, 4, 1)))
    np.testing.assert_array_equal(border(image, flow)[0, :, 0], [4, 1, 4, 1])
    np.testing.assert_array_equal(ops.inside(flow, threshold=0.0), [[[1], [1], [1], [0]]])


def test_a_clamped_coordinate_has_no_gradient_even_on_the_edge():
    image = jnp.arange(4, dtype=jnp.float32).reshape(1, 4, 1)
    flow = jnp.zeros((1, 4, 2)).at[0, 3, 0].set(0.5)
    gradient = jax.grad(lambda f: border(image, f).sum())(flow)
    np.testing.assert_array_equal(gradient[0, :, 0], [0, 1, 1, 0])


def test_forward_mode_and_second_derivatives_agree_with_the_gradient():
    arrays, directions = (examples.arrays("backward_warp", seed=seed) for seed in (0, 1))

    def loss(arrays):
        return jnp.square(ops.backward_warp(**arrays)).sum()

    def along(gradient):
        return sum(jnp.vdot(gradient[key], directions[key]) for key in directions)

    @jax.jit
    def every_way(arrays):
        first = jax.jvp(loss, (arrays,), (directions,))[1], along(jax.grad(loss)(arrays))
        forward = jax.jvp(jax.grad(loss), (arrays,), (directions,))[1]
        backward = jax.grad(lambda arrays: along(jax.grad(loss)(arrays)))(arrays)
        return first, forward, backward

    first, forward, backward = every_way(arrays)
    np.testing.assert_allclose(*first, rtol=1e-4)
    for key, value in forward.items():
        support.assert_close(value, backward[key])
