"""Flax blocks with the padding, initialisation and statistics of PyTorch."""
