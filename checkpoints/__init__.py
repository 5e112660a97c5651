"""Weights from elsewhere: their keys, where they come from, and the commands to bring them in."""
