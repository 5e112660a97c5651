"""The `vfi-jax` command, one file per subcommand."""
