import pytest

from vfi_jax.devices import peaks


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("NVIDIA H200", "H200 SXM"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA A100-SXM4-40GB", "A100 40 GB"),
        ("NVIDIA A100-SXM4-80GB", "A100 80 GB"),
        ("Tesla T4", "T4"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("TPU v5 lite", "TPU v5e"),
        ("TPU v5", "TPU v5p"),
        ("TPU v6 lite", "TPU v6e"),
    ],
)
def test_a_device_is_found_by_the_kind_that_jax_reports(kind, name):
    assert peaks(kind).name == name


@pytest.mark.parametrize("kind", ["cpu", "NVIDIA L40S", "NVIDIA GeForce RTX 4090 D", "TPU v3"])
def test_other_devices_have_no_peaks(kind):
    assert peaks(kind) is None


def test_arithmetic_depends_on_type_and_precision():
    h100, v5e = peaks("NVIDIA H100 80GB HBM3"), peaks("TPU v5 lite")
    assert h100.arithmetic() < h100.arithmetic(precision="default") < h100.arithmetic("bfloat16")
    # One pass of bfloat16 products, or the six whose sum is exact to float32.
    assert v5e.arithmetic(precision="default") == v5e.arithmetic("bfloat16") == 197e12
    assert v5e.arithmetic() == pytest.approx(197e12 / 6)
    with pytest.raises(ValueError, match="dtype must be float32 or bfloat16, got 'float16'"):
        h100.arithmetic("float16")
    with pytest.raises(ValueError, match="precision must be highest or default, got 'high'"):
        h100.arithmetic(precision="high")


def test_a_roofline_is_the_larger_of_arithmetic_and_memory():
    t4 = peaks("Tesla T4")
    assert t4.seconds(8.1e12, 1.0) == pytest.approx(1)
    assert t4.seconds(1.0, 640e9) == pytest.approx(2)
