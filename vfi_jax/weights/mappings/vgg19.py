"""VGG-19's keys in torchvision: `features.<index>`, and a classifier that is not used."""

from vfi_jax.weights.rules import Rules, conv, drop

# Index of each convolution in torchvision's Sequential; ReLUs and poolings have the others.
INDICES = {
    "1_1": 0, "1_2": 2,
    "2_1": 5, "2_2": 7,
    "3_1": 10, "3_2": 12, "3_3": 14, "3_4": 16,
    "4_1": 19, "4_2": 21, "4_3": 23, "4_4": 25,
    "5_1": 28, "5_2": 30,
}  # fmt: skip

RULES: Rules = (
    *(rule for name, i in INDICES.items() for rule in conv(rf"features\.{i}", f"conv{name}")),
    *drop(r"features\.(32|34)\..*"),
    *drop(r"classifier\..*"),
)
