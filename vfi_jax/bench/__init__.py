"""Benchmarks of operations and models, for `vfi-jax bench`.

`operation_cases` and `model_cases` say what to run, `Bench` measures it beside the machine's own
limits, `table` and `save` show the rows. `accelerator` measures all systems within a budget of
time; `estimates` counts what they would take at least on accelerators that are not here.
"""

from vfi_jax.bench.cases import Case, model_cases, operation_cases
from vfi_jax.bench.measure import Bench, Row, rival
from vfi_jax.bench.report import save, table

__all__ = [
    "Bench",
    "Case",
    "Row",
    "model_cases",
    "operation_cases",
    "rival",
    "save",
    "table",
]
