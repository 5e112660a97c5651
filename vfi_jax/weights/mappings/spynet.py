"""SPyNet's keys, as sniklaus/pytorch-spynet saved them and MEMC-Net nests them."""

from vfi_jax.weights.rules import conv

RULES = tuple(
    rule
    for place in range(5)
    for rule in conv(
        # A ReLU stands between two convolutions of a level's Sequential.
        rf"moduleBasic\.(\d)\.moduleBasic\.{2 * place}",
        rf"level\1/conv{place}",
    )
)
