"""How each system is trained, one file a system: `RECIPES` by variant ("" is the paper's)."""
