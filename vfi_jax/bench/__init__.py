"""Benchmarks of operations and models, for `vfi-jax bench`.

`operation_cases` and `model_cases` define what to run, `Bench` measures it together with the limits
of the machine, and `table` and `save` report the rows. `accelerator` measures all systems within a
time limit; `estimates` computes lower bounds for other accelerators. `interpolate_cases` compares
`vfi_jax.interpolate` with its model. `start_stages` times fresh processes up to their first frame.
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
