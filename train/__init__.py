"""Training: `python -m train SYSTEM --data NAME --workdir D`."""
