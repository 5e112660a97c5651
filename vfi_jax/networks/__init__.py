"""Networks that systems are made of, one a file: flow, depth, features."""
