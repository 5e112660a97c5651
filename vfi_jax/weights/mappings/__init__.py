"""Mappings from the keys of upstream files to variables, one format per file."""
