"""Networks that systems are built from, one per file: flow, depth, features."""
