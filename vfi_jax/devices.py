"""Peak rates of accelerators, from the manufacturers' data sheets."""

import dataclasses
import re

TPU_PASSES = 6  # bfloat16 products that XLA sums for one float32 product at precision "highest"


@dataclasses.dataclass(frozen=True)
class Peaks:
    """Peak rates of one device: dense (no structured sparsity), at boost clock.

    Attributes:
      name: name of the product.
      float32: FLOP/s of full float32 products.
      fast: FLOP/s of float32 products at precision "default": TF32 on NVIDIA's tensor cores since
        Ampere, bfloat16 passes on a TPU, full float32 on older GPUs.
      bfloat16: FLOP/s of bfloat16 products; the float32 rate if the device has no bfloat16 unit.
      bandwidth: bytes per second of the device's memory.
      memory: size of the memory in bytes.
    """

    name: str
    float32: float
    fast: float
    bfloat16: float
    bandwidth: float
    memory: float

    def arithmetic(self, dtype: str = "float32", precision: str = "highest") -> float:
        """FLOP/s of products and convolutions.

        Args:
          dtype: type of the operands, "float32" or "bfloat16".
          precision: "highest" or "default", as in a model's Config; bfloat16 has only one.

        Raises:
          ValueError: unknown type or precision.
        """
        if dtype == "bfloat16":
            return self.bfloat16
        if dtype != "float32":
            raise ValueError(f"dtype must be float32 or bfloat16, got {dtype!r}")
        if precision not in ("highest", "default"):
            raise ValueError(f"precision must be highest or default, got {precision!r}")
        return self.fast if precision == "default" else self.float32

    def seconds(
        self, flops: float, moved: float, dtype: str = "float32", precision: str = "highest"
    ) -> float:
        """Minimum run time by the roofline model: the larger of arithmetic and memory time.

        Args:
          flops: floating-point operations.
          moved: bytes read from memory and written to it.
          dtype: see `arithmetic`.
          precision: see `arithmetic`.
        """
        return max(flops / self.arithmetic(dtype, precision), moved / self.bandwidth)


def peaks(kind: str) -> Peaks | None:
    """Peak rates of a device, None if it is not in the table (a CPU never is).

    Args:
      kind: `jax.Device.device_kind`, such as "NVIDIA H200" or "TPU v5 lite"; case is ignored.
    """
    return next((found for known, found in _TABLE if re.search(known, kind, re.IGNORECASE)), None)


def _gpu(name, float32, tf32, bfloat16, bandwidth, memory):
    rates = float32 * 1e12, tf32 * 1e12, bfloat16 * 1e12
    return Peaks(name, *rates, bandwidth * 1e9, memory * 1e9)


def _tpu(name, bfloat16, bandwidth, memory):
    fast = bfloat16 * 1e12
    return Peaks(name, fast / TPU_PASSES, fast, fast, bandwidth * 1e9, memory * 1e9)


# Device kinds as regular expressions, first match wins; TFLOP/s, GB/s and GB from the data sheets
# of NVIDIA (H100, H200, A100, L4, V100, T4; RTX 4090: Ada architecture white paper, bfloat16 with
# float32 sums) and of Google Cloud's pages of TPU versions.
_TABLE = (
    (r"H200", _gpu("H200 SXM", 67, 494, 989, 4800, 141)),
    (r"H100 PCIe", _gpu("H100 PCIe", 51, 378, 756, 2000, 80)),
    (r"H100", _gpu("H100 SXM", 67, 494, 989, 3350, 80)),
    (r"A100.*40GB", _gpu("A100 40 GB", 19.5, 156, 312, 1555, 40)),
    (r"A100", _gpu("A100 80 GB", 19.5, 156, 312, 2039, 80)),
    (r"\bL4\b", _gpu("L4", 30.3, 60, 121, 300, 24)),
    (r"RTX 4090\b(?! D)", _gpu("RTX 4090", 82.6, 82.6, 165.2, 1008, 24)),
    (r"V100", _gpu("V100 SXM2", 15.7, 15.7, 15.7, 900, 16)),
    (r"\bT4\b", _gpu("T4", 8.1, 8.1, 8.1, 320, 16)),
    (r"TPU v6", _tpu("TPU v6e", 918, 1640, 32)),
    (r"TPU v5 ?(lite|e)", _tpu("TPU v5e", 197, 819, 16)),
    (r"TPU v5", _tpu("TPU v5p", 459, 2765, 95)),
    (r"TPU v4", _tpu("TPU v4", 275, 1228, 32)),
)
