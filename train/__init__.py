"""Training jobs in a checkout: `python -m train SYSTEM`, and releasing weights in the package.

The training engine and the recipes are `vfi_jax.training`.
"""
