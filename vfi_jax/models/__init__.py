"""Systems, one per file with `Config`, `VARIANTS` and `Model`; the folder is the registry."""
