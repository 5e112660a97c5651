"""AlexNet's keys in torchvision: `features.<index>`, and a classifier that is not used."""

from vfi_jax.weights.rules import Rules, conv, drop

INDICES = (0, 3, 6, 8, 10)  # of the convolutions in torchvision's Sequential

RULES: Rules = (
    *(rule for n, i in enumerate(INDICES, 1) for rule in conv(rf"features\.{i}", f"conv{n}")),
    *drop(r"classifier\..*"),
)
