"""Pallas kernels: a module named like the op stands in for its XLA definition.

None is here. One stays only with a measured gain on the platforms that it names.
"""
