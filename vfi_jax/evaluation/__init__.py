"""Benchmark evaluation: a protocol fixes every convention, a run stores every score."""

from vfi_jax.evaluation.baselines import baseline
from vfi_jax.evaluation.protocols import PROTOCOLS, Protocol
from vfi_jax.evaluation.protocols import named as protocol
from vfi_jax.evaluation.score import Sample, Scored, evaluate, score

__all__ = [
    "PROTOCOLS",
    "Protocol",
    "Sample",
    "Scored",
    "baseline",
    "evaluate",
    "protocol",
    "score",
]
