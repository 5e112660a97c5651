"""The PyTorch systems used for benchmarks compute the same as the original networks."""

import jax
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests import support, twins  # noqa: E402
from tests.golden import standin  # noqa: E402
from vfi_jax import registry  # noqa: E402


def _bgr(rgb):
    return rgb[..., ::-1]


CASES = {  # system: golden case, frames of its clip, name of its output
    "amt": ("128x128", (0, 2), "out"),
    "dain": ("64x64", (0, 1), "rectified_0"),
    "ema_vfi": ("64x64", (0, 2), "out"),
    "film": ("64x128", (0, 2), "out"),
    "gmfss": ("64x64", (0, 2), "out_t0.5"),
    "ifrnet": ("base-64x96-t0.5", (0, 2), "out"),
    "memc_net": ("64x64", (0, 1), "rectified"),
    "practical_rife": ("4.25-64x128-t0.25", (0, 1), "out"),
    "resepconv": ("estimate-64x64", (0, 1), "out"),
    "rife": ("64x64", (0, 2), "out"),
    "sepconv": ("direct-64x64", (0, 1), "out"),
    "softsplat": ("estimate-64x64", (0, 1), "out"),
    "upr_net": ("64x96-3-levels", (0, 2), "out"),
    "voxel_flow": ("inter-64x64", (0, 1), "out"),
    "zooming_slow_mo": ("4x16x24", (0, 1, 2, 3), "out"),
}
FILES = {"amt": "amt_s", "gmfss": "gmfss_union"}
KEYS = {"practical_rife": "practical_rife_4.25"}
AS_BGR = ("ema_vfi", "rife", "upr_net")  # the originals took the clips' channels as BGR
FIGURES = {  # the form of the figures, of RGB in [0, 1]; by default that itself
    **dict.fromkeys((*AS_BGR, "resepconv", "sepconv", "softsplat"), _bgr),
    "gmfss": lambda rgb: rgb.clip(0, 1),
    "voxel_flow": lambda rgb: 2 * _bgr(rgb) - 1,
}


@pytest.mark.parametrize("system", CASES)
def test_a_twin_has_the_keys_and_outputs_of_the_original(system):
    name, places, output = CASES[system]
    file = FILES.get(system, system)
    figures = support.portable(file)
    case = next(case for case in figures["cases"] if case["name"] == name)
    rows = support.read_keys(KEYS.get(system, file))
    gains = {**figures["gains"], **case.get("gains", {})}
    arrays = standin.state_dict({**figures, "gains": gains, "state_dict": rows})
    twin = twins.build(system).eval()
    known = {key: torch.tensor(array) for key, array in arrays.items() if "block_tea" not in key}
    twin.load_state_dict(known)
    clip = torch.from_numpy(support.clip(case).transpose(0, 3, 1, 2) / np.float32(255))
    clip = clip.flip(1) if system in AS_BGR else clip
    with torch.no_grad():
        out = twin(*(clip[place : place + 1] for place in places), case.get("time", 0.5))
    rgb = np.moveaxis(out.numpy(), -3, -1)
    found = FIGURES.get(system, lambda rgb: rgb)(rgb.reshape(-1, *rgb.shape[-3:]))
    support.assert_samples(found, case["outputs"][output], tolerance=1e-4)


@pytest.mark.parametrize("system", ["mind", "shared_pyramid", "tween"])
def test_a_twin_of_a_system_without_original_code_computes_the_same(system):
    model = registry.create(system)
    variables = support.variables(model, gain=0.4)  # more would blow up rounding errors
    twin = twins.build(system).eval()
    twin.load_state_dict(_state_dict(twin, variables["params"]))
    frames = standin.clip(7, 2, 64, 96)[None] / np.float32(255)
    times = np.full((1, 1), 0.5 if model.contract.times else 0.3, np.float32)
    wanted = jax.jit(model.apply)(variables, frames, times)["frames"][:, 0]
    clip = torch.from_numpy(np.moveaxis(frames, -1, -3).copy()).unbind(1)
    with torch.no_grad():
        found = twin(*clip, float(times[0, 0])).numpy()
    support.assert_close(np.moveaxis(found, 1, -1), wanted, 1e-4)


def _state_dict(twin, params):
    """Our parameters in PyTorch's layout, by the keys of a twin."""

    def array(key):
        *path, last = key.split(".")
        owner, tree = twin.get_submodule(".".join(path)), params
        for step in path:
            tree = tree[step]
        if isinstance(owner, torch.nn.ConvTranspose2d) and last == "weight":
            return tree["kernel"][::-1, ::-1].transpose(2, 3, 0, 1)
        if isinstance(owner, torch.nn.Conv2d) and last == "weight":
            return tree["kernel"].transpose(3, 2, 0, 1)
        return tree["slope" if isinstance(owner, torch.nn.PReLU) else last]

    return {key: torch.tensor(array(key).copy()) for key in twin.state_dict()}


def test_a_system_without_a_twin_has_no_rival():
    assert twins.build("blend") is None
