"""Keys of the LPIPS heads in the authors' files: 1x1 convolutions to one channel without bias."""

import numpy as np

from vfi_jax.weights.rules import Rule, Rules

RULES: Rules = (Rule(r"lin(\d)\.model\.1\.weight", r"head\1", np.ravel),)
