"""Systems, one a file. A file has `Config`, `VARIANTS` and `Model`; the folder is the registry."""
