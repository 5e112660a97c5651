"""`python -m train SYSTEM --workdir D` is the same as `vfi-jax train SYSTEM --workdir D`."""

import sys

from vfi_jax.cli.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
