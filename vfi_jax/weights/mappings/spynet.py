"""SPyNet's keys: of sniklaus/pytorch-spynet, old and new, which MEMC-Net nests; and of BasicSR.

A file of BasicVSR and the like holds the network under `spynet.` beside its own layers, which are
left out.
"""

from vfi_jax.weights.rules import Rules, conv, drop

PART = r"(?:moduleBasic|netBasic|basic_module)"


def _levels(prefix: str = "") -> Rules:
    return tuple(
        rule
        for place in range(5)
        for rule in conv(
            # A ReLU stands between two convolutions of a level's Sequential.
            rf"{prefix}{PART}\.(\d)\.{PART}\.{2 * place}",
            rf"level\1/conv{place}",
        )
    )


LEVELS = _levels()
RULES = (*_levels(r"(?:spynet\.)?"), *drop(rf"(?!(?:spynet\.)?{PART}\.).+"))
