"""The `vfi-jax` command: one file a command."""
