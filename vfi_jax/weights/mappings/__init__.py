"""How the keys of an upstream file map to variables, one format a file."""
