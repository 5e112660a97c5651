"""Benchmarks of operations and models, for `vfi-jax bench`.

`operation_cases` and `model_cases` say what to run, `Bench` measures it beside the machine's own
limits, `table` and `save` show the rows. `accelerator` measures all systems within a budget of
time; `estimates` counts what they would take at least on accelerators that are not here.
`interpolate_cases` compare `vfi_jax.interpolate` with its model. `start_stages` times fresh
processes up to their first frame.
"""

from vfi_jax.bench.cases import Case, model_cases, operation_cases
from vfi_jax.bench.measure import Bench, Row, rival
from vfi_jax.bench.pure_function import interpolate_cases
from vfi_jax.bench.report import save, table
from vfi_jax.bench.start import Stage, start_stages, start_table

__all__ = [
    "Bench",
    "Case",
    "Row",
    "Stage",
    "interpolate_cases",
    "model_cases",
    "operation_cases",
    "rival",
    "save",
    "start_stages",
    "start_table",
    "table",
]
