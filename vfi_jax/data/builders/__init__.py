"""Data sets, one file each; `vfi_jax.data` finds them by name."""
