"""Pallas kernels: a module named like the op stands in for its XLA definition."""
