"""SPyNet's keys in files of sniklaus/pytorch-spynet (old and new), MEMC-Net and BasicSR.

Files of BasicVSR and similar contain the network under `spynet.`; their other layers are ignored.
"""

from vfi_jax.weights.rules import Rules, conv, drop

PART = r"(?:moduleBasic|netBasic|basic_module)"


def _levels(prefix: str = "") -> Rules:
    return tuple(
        rule
        for place in range(5)
        for rule in conv(
            # A ReLU lies between two convolutions of a level's Sequential.
            rf"{prefix}{PART}\.(\d)\.{PART}\.{2 * place}",
            rf"level\1/conv{place}",
        )
    )


LEVELS = _levels()
RULES = (*_levels(r"(?:spynet\.)?"), *drop(rf"(?!(?:spynet\.)?{PART}\.).+"))
