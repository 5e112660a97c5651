"""VGG-16's keys in torchvision: `features.<index>`, and a classifier that is not used."""

from vfi_jax.weights.rules import Rules, conv, drop

# Index of each convolution in torchvision's Sequential; ReLUs and poolings have the others.
INDICES = {
    "1_1": 0, "1_2": 2,
    "2_1": 5, "2_2": 7,
    "3_1": 10, "3_2": 12, "3_3": 14,
    "4_1": 17, "4_2": 19, "4_3": 21,
    "5_1": 24, "5_2": 26, "5_3": 28,
}  # fmt: skip

RULES: Rules = (
    *(rule for name, i in INDICES.items() for rule in conv(rf"features\.{i}", f"conv{name}")),
    *drop(r"classifier\..*"),
)
