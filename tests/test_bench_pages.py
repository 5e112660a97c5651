"""Costs of programs, and the two commands that write pages."""

import json

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from vfi_jax.bench import costs, estimates, measure, pages
from vfi_jax.bench.accelerator import Measured, Setting, settings
from vfi_jax.cli import __main__ as cli
from vfi_jax.devices import peaks

SQUARE = jax.ShapeDtypeStruct((8, 8), jnp.float32)


def test_a_loop_counts_every_iteration():
    def product(x):
        return jnp.dot(x, x, precision="highest")

    once = costs.count(product, SQUARE, platform="cuda")
    assert once.flops == 2 * 8**3
    assert once.moved == 3 * 8 * 8 * 4
    assert [one.precision for one in once.products] == ["highest"]
    often = costs.count(
        lambda x: lax.fori_loop(0, 5, lambda _, y: product(y), x), SQUARE, platform="cuda"
    )
    assert often.flops == 5 * once.flops


def test_a_convolution_counts_its_taps():
    image = jax.ShapeDtypeStruct((2, 6, 10, 3), jnp.bfloat16)
    kernel = jax.ShapeDtypeStruct((3, 3, 3, 7), jnp.bfloat16)

    def convolve(x, kernel):
        return lax.conv_general_dilated(
            x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    found = costs.count(convolve, image, kernel, platform="cuda")
    assert found.flops == 2 * (2 * 3 * 5 * 7) * (3 * 3 * 3)
    assert [one.dtype for one in found.products] == ["bfloat16"]
    both = costs.count(
        jax.grad(lambda x, kernel: convolve(x, kernel).sum().astype(float), (0, 1)),
        image,
        kernel,
        platform="cuda",
    )
    assert both.flops == pytest.approx(2 * found.flops, rel=0.5)  # without those at the edges


def test_the_implementation_of_the_platform_counts():
    def form(x):
        return lax.platform_dependent(x, cpu=lambda x: x @ x, default=lambda x: x @ x @ x)

    cpu, cuda = (costs.count(form, SQUARE, platform=name).flops for name in ("cpu", "cuda"))
    assert cuda == 2 * cpu


def test_every_product_has_its_own_roofline():
    t4 = peaks("Tesla T4")
    bound = costs.Product(8.1e12, 1.0, "float32", "default")  # one second of arithmetic
    moving = costs.Product(1.0, 320e9, "float32", "default")  # one of memory
    assert costs.Costs((bound, moving), 0.0).seconds(t4) == pytest.approx(2)
    assert costs.Costs((), 640e9).seconds(t4) == pytest.approx(2)


def test_important_settings_are_measured_first():
    chosen = settings(["sepconv", "dain", "shared_pyramid"])
    assert [one.name for one in chosen[:3]] == ["shared_pyramid", "dain", "sepconv"]
    assert {(one.size, one.batch, one.training) for one in chosen[:9]} == {((720, 1280), 1, False)}
    assert len(set(chosen)) == len(chosen) == 3 * 3 * 2 * 2 * 2


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(measure, "COPY", {"cpu": 2**12})
    monkeypatch.setattr(measure, "PRODUCT", {"cpu": 16})


def test_the_accelerators_page_and_numbers(tiny, tmp_path, capsys):
    out = tmp_path / "rows.json"
    words = "bench accelerator blend mind/small --size 64x32 --batch 1 2 --repeats 1 --workers 2"
    assert cli.main([*words.split(), "--out", str(out)]) == 0
    rows = json.loads(out.read_text())["rows"]
    assert len(rows) == 2 * 3 * 2 * 2
    mind = next(row for row in rows if row["setting"]["name"] == "mind/small")
    assert mind["milliseconds"] > 0
    assert mind["teraflops"] > 0
    assert not mind["error"]
    page = out.with_suffix(".md").read_text()
    assert "## Training step, 64x32" in page
    assert "24 of 24 rows" in capsys.readouterr().out


def test_no_rows_are_measured_without_time(tiny, tmp_path, capsys):
    words = "bench accelerator blend --size 16x16 --seconds 0 --repeats 1"
    assert cli.main([*words.split(), "--out", str(tmp_path / "rows.json")]) == 0
    assert "0 of 12 rows" in capsys.readouterr().out


def test_a_failed_row_keeps_its_error(tiny):
    bench = measure.Bench(repeats=1)
    setting = Setting("dain", (720, 1280), "default", 8, True)
    page = pages.accelerator_page(bench, [Measured(setting, error="RESOURCE_EXHAUSTED: 99 GB")])
    assert "| dain | default | 8 | RESOURCE_EXHAUSTED: 99 GB |" in page


def test_estimates_are_for_both_platforms(tmp_path, capsys):
    out = tmp_path / "estimates.json"
    words = ["bench", "estimates", "mind/small", "--size", "64x32", "--out", str(out)]
    assert cli.main(words) == 0
    rows = json.loads(out.read_text())["rows"]
    kinds = {(row["platform"], row["dtype"]) for row in rows}
    assert kinds == {(p, d) for p in ("cuda", "tpu") for d in ("float32", "bfloat16")}
    assert all(ms > 0 for row in rows for ms in row["milliseconds"].values())
    assert "| mind/small |" in capsys.readouterr().out
    assert all(peaks(kind) for kinds in estimates.KINDS.values() for kind in kinds)
