"""The loop: draw, step, log, evaluate, save; resume, and stop in good order."""

import dataclasses
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

import jax
import numpy as np
from jax import lax

from train import parallel, run
from train.evaluate import Evaluation
from train.log import Log
from train.options import Options
from train.recipe import Recipe
from train.state import State
from train.step import make_step
from vfi_jax import weights
from vfi_jax.data.batch import Preparation
from vfi_jax.data.source import Choice, Source, open_source
from vfi_jax.weights.steps import Steps


class Stopped(Exception):
    """Training cannot go on; the message says why, and what is left to go on from."""


def train(options: Options) -> int:
    """Trains as the command line asks.

    Args:
      options: of the command line.

    Returns:
      The exit code: 0, also where SIGTERM ended the run early and it was saved.

    Raises:
      ValueError: an option, data set or start does not fit.
      FileExistsError: the folder holds a run and --resume was not given.
      Stopped: a loss or gradient is not finite, or the disk is full.
    """
    parallel.start(options.coordinator, options.processes, options.process)
    recipe = run.resolve(options)
    model = run.create_model(recipe, bf16=options.bf16)
    local = parallel.check_batch(recipe.batch)
    shard = (jax.process_index(), jax.process_count())
    choice = Choice(
        names=recipe.data,
        folder=options.data_dir,
        batch=local,
        crop=recipe.crop,
        seed=options.seed,
        resident=options.resident,
        scenes=options.scenes,
        shard=shard,
    )
    run.claim(options)
    source = open_source(choice)
    try:
        return _Run(options, recipe, model, source, choice).go()
    finally:
        source.close()


class _Run:
    """One run from its first or last saved step to its end."""

    def __init__(self, options: Options, recipe: Recipe, model, source: Source, choice: Choice):
        self.options, self.recipe, self.model, self.source = options, recipe, model, source
        self.mesh = parallel.mesh()
        self.optimizer = recipe.optimizer.build(recipe.steps)
        self.frozen = run.load_frozen(recipe)
        self.evaluation = Evaluation(model, recipe, choice)
        self.writes = jax.process_index() == 0
        self.store = Steps(options.workdir / "checkpoints", keep=options.keep)

    def go(self) -> int:
        """Trains to the end; returns the exit code."""
        options, recipe = self.options, self.recipe
        state = self._state()
        first = int(state.step)
        if self.writes:
            run.write_record(options.workdir, options, recipe)
        dispatch = self._compile()
        arrays = parallel.put(self.source.arrays, parallel.everywhere(self.mesh))
        log = Log(options.workdir, steps=recipe.steps, start=first, active=self.writes)
        with log, _Terminated() as terminated, self.store:
            pending: list[tuple[int, dict]] = []
            timer = _Timer(first)
            for step, count in _chunks(first, recipe.steps, options.steps_per_dispatch):
                state, metrics = dispatch(state, arrays, self._draw(step, count), self.frozen)
                # Metrics are read one dispatch late, so that the device never waits for Python.
                self._report(log, pending, timer)
                pending = [(step, metrics)]
                done = step + count
                self.store.seal()
                if terminated or done == recipe.steps or _due(done, count, options.save_every):
                    self._save(state, done)
                if _due(done, count, options.eval_every) or done == recipe.steps:
                    self._evaluate(log, state, done)
                if terminated:
                    log.say(f"terminated at step {done}; saved, go on with --resume")
                    break
            self._report(log, pending, timer)
        if int(state.step) == recipe.steps and self.writes:
            self._export(state)
        return 0

    def _state(self) -> State:
        variables = run.start_variables(
            self.model,
            self.recipe,
            seed=self.options.seed,
            weights_name=self.options.start_from,
        )
        state = State.start(variables, self.optimizer, ema=bool(self.recipe.ema))
        if self.options.resume:
            state, _ = self.store.latest(state)
        return jax.device_put(state, parallel.everywhere(self.mesh))

    def _compile(self) -> Callable:
        recipe = self.recipe
        step = make_step(
            self.model,
            recipe.loss,
            self.optimizer,
            ema=recipe.ema,
            accumulate=self.options.accumulate,
            summed=recipe.summed,
        )
        prepare = Preparation(
            contract=self.model.contract,
            frames=self.source.frames,
            crop=recipe.crop,
            augment=recipe.augment,
            gaps=recipe.gaps,
            targets=recipe.targets,
            degrade=recipe.degrade,
        )
        rows = parallel.split(self.mesh)

        def dispatch(state, arrays, drawn, frozen):
            def one(state, drawn):
                batch = prepare(self.source.gather(arrays, drawn))
                batch = lax.with_sharding_constraint(batch, rows)
                return step(state, batch, frozen)

            return lax.scan(one, state, drawn)

        return jax.jit(dispatch, donate_argnums=0)

    def _draw(self, step: int, count: int) -> dict:
        draws = [self.source.draw(step + index) for index in range(count)]
        stacked = jax.tree.map(lambda *rows: np.stack(rows), *draws)
        return parallel.put(stacked, parallel.split(self.mesh, axis=1))

    def _report(self, log: Log, pending: list, timer: "_Timer") -> None:
        for step, metrics in pending:
            values = jax.tree.map(np.asarray, metrics)
            bad = np.flatnonzero(values.pop("finite") == 0)
            if bad.size:
                raise Stopped(self._not_finite(step + int(bad[0])))
            count = len(values["loss"])
            rate = timer.rate(step + count)
            loss = values["loss"][-1]
            log.advance(step + count, f"loss {loss:.4g}, {rate:.2f} steps/s")
            if _due(step + count, count, self.options.log_every):
                means = {name: value.mean() for name, value in values.items()}
                log.scalars(step + count, {**means, "steps_per_second": rate})

    def _not_finite(self, step: int) -> str:
        self.store.wait()
        clips = ", ".join(self.source.names(step))
        saved = self.store.last()
        rest = f"the last good checkpoint is step {saved}" if saved else "no checkpoint was saved"
        return (
            f"the loss or its gradient is not finite at step {step} (clips {clips}); {rest}; "
            "resume from it with a lower --learning-rate, or take the clips out"
        )

    def _save(self, state: State, done: int) -> None:
        try:
            self.store.save(done, state, {"step": done, "seed": self.options.seed})
        except OSError as error:
            saved = self.store.last()
            raise Stopped(
                f"step {done} cannot be saved ({error}); step {saved} is intact"
            ) from error

    def _evaluate(self, log: Log, state: State, done: int) -> None:
        scores, strip = self.evaluation(state.variables)
        log.scalars(done, scores, kind="eval")
        log.strip(done, strip)
        log.say(f"step {done}: " + ", ".join(f"{name} {v:.2f}" for name, v in scores.items()))

    def _export(self, state: State) -> None:
        variables = jax.tree.map(np.asarray, state.variables)
        weights.save(self.options.workdir / "weights", self.recipe.model, variables)


class _Terminated:
    """True once SIGTERM has come; the loop saves at the next step's end and leaves."""

    def __enter__(self) -> "_Terminated":
        self._come = False
        self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def __bool__(self) -> bool:
        return self._come

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._come = True


@dataclasses.dataclass
class _Timer:
    """Steps per second since the last question; the first leaves compilation out."""

    step: int
    since: float = dataclasses.field(default_factory=time.perf_counter)

    def rate(self, step: int) -> float:
        now = time.perf_counter()
        rate = (step - self.step) / max(now - self.since, 1e-9)
        self.step, self.since = step, now
        return rate


def _chunks(first: int, steps: int, size: int) -> Iterator[tuple[int, int]]:
    """(step, count): dispatches of `size` steps aligned to its multiples, single steps elsewhere.

    Aligned, a resumed run dispatches as the uninterrupted one did, so that both end alike to the
    last bit.
    """
    step = first
    while step < steps:
        count = size if step % size == 0 and step + size <= steps else 1
        yield step, count
        step += count


def _due(done: int, count: int, every: int) -> bool:
    """Whether a multiple of `every` lies among the last `count` steps up to `done`."""
    return done // every > (done - count) // every
