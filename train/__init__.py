"""Training jobs of a checkout: `python -m train SYSTEM`, and releasing weights with the package.

The training engine and the recipes are `vfi_jax.training`.
"""
