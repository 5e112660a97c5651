"""Data sets, one file each; `vfi_jax.data` finds them by name."""

ENTRY_POINTS = True  # installed packages may add data sets
