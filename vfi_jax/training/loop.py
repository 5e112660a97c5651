"""The training loop: draw, step, log, evaluate, save; resume and clean shutdown."""

import logging
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from jax import lax

from vfi_jax import weights
from vfi_jax.data import layout
from vfi_jax.data.batch_source import BatchSource, open_batch_source
from vfi_jax.data.choice import Choice
from vfi_jax.data.training_windows import windows
from vfi_jax.training import parallel, run
from vfi_jax.training.held_out import Evaluation
from vfi_jax.training.log import Log
from vfi_jax.training.loggers.json_lines import LINES
from vfi_jax.training.options import Options
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.state import State
from vfi_jax.training.step import make_step
from vfi_jax.training.watch import Profile, Watch, count_flops
from vfi_jax.training.workdir import Workdir
from vfi_jax.weights.training_checkpoints import TrainingCheckpoints

FRAMES = 9  # maximum number of consecutive frames drawn from a clip


class CannotContinue(Exception):
    """Training cannot continue; the message says why and how to resume."""


def train(options: Options, recipe: Recipe | None = None) -> Any:
    """Train a system.

    Args:
      options: options of the run.
      recipe: recipe to use; by default that of `options.system`.

    Returns:
      Path of the final weights; None if SIGTERM or SIGINT stopped the run early and its state was
      saved.

    Raises:
      ValueError: an invalid option, data set or set of initial weights.
      FileExistsError: the folder contains a run and --resume was not given.
      CannotContinue: a loss or gradient is not finite, or a file cannot be written or read.
    """
    # Orbax logs the traceback of an error in each of its threads, and also raises the error.
    logging.getLogger("absl").setLevel(logging.CRITICAL)
    parallel.start(options.coordinator, options.processes, options.process)
    recipe = run.resolve(options, recipe)
    model = run.create_model(recipe, bf16=options.bf16)
    run.check(options, recipe, model.contract)
    if options.start_from:
        weights.locate(options.start_from)  # before data are opened, which may take minutes
    fitting = windows(model.contract, FRAMES, gaps=recipe.gaps, targets=recipe.targets)
    spans = {window.span for window in fitting}
    choice = Choice(
        names=recipe.data,
        folder=None if options.data_dir is None else layout.data_folder(options.data_dir),
        batch=parallel.check_batch(recipe.batch, options.accumulate),
        crop=recipe.crop,
        region=recipe.augment.region(recipe.crop),
        seed=options.seed,
        resident=options.resident,
        frames=FRAMES,
        # Windows of several lengths are drawn from 9 frames, which contain more of the short ones.
        loaded=spans.pop() if len(spans) == 1 else FRAMES,
        shortest=fitting[0].length,
        scenes=options.scenes,
        licences=options.licences,
        strict=options.strict,
        shard=(jax.process_index(), jax.process_count()),
    )
    workdir = Workdir(options.workdir)
    if jax.process_index() == 0:
        run.claim(workdir, options, recipe)
    source = open_batch_source(choice)
    try:
        return _Run(options, recipe, model, source, choice, workdir).go()
    finally:
        source.close()


class _Run:
    """A run, from its start or last checkpoint to its end."""

    def __init__(
        self,
        options: Options,
        recipe: Recipe,
        model: nn.Module,
        source: BatchSource,
        choice: Choice,
        workdir: Workdir,
    ):
        self.options, self.recipe, self.model, self.source = options, recipe, model, source
        self.workdir = workdir
        self.mesh = parallel.mesh()
        self.optimizer = recipe.optimizer.build(recipe.steps)
        self.prepare = recipe.preparation(model.contract, source.frames)
        self.frozen = run.load_frozen(recipe)
        self.writes = jax.process_index() == 0
        evaluates = self.writes and options.eval_every
        self.evaluation = Evaluation(model, recipe, choice) if evaluates else None
        self.store = TrainingCheckpoints(workdir.place / "checkpoints", keep=options.keep)

    def go(self) -> Any:
        """Train to the end. Returns the weights' folder, or None if a signal stopped the run."""
        state = self._state()
        first = int(state.step)
        try:
            changes = []
            if self.writes:
                changes = run.write_record(self.workdir, self.options, self.recipe)
                self.workdir.fetch(LINES)
            log = Log(
                self.workdir.here,
                steps=self.recipe.steps,
                start=first,
                loggers=self.options.loggers,
                name=str(self.workdir.place),
                config=run.config(self.options, self.recipe),
                on=self.writes,
            )
            traced = run.profiled(self.options) if self.writes else range(0)
            profile = Profile(self.workdir.here / "profile", traced)
            with self.workdir, log, profile, parallel.Termination() as terminated, self.store:
                if run.fine_tunes(self.options, self.recipe):
                    log.say(run.settings(self.recipe))
                if self.options.start_from and not self.options.resume:
                    self._evaluate(log, state, 0)
                if changes:
                    log.say(f"resumed with changed options: {', '.join(changes)}")
                state = self._train(state, first, log, profile, terminated)
            if int(state.step) < self.recipe.steps:
                return None
            return self._export(state)
        except OSError as error:
            raise CannotContinue(f"{error}; {self._rest()}") from error

    def _train(
        self,
        state: State,
        first: int,
        log: Log,
        profile: Profile,
        terminated: parallel.Termination,
    ) -> State:
        options, steps = self.options, self.recipe.steps
        dispatch = self._compile()
        log.say("compiling the training step (once; takes minutes on a CPU)")
        everywhere = parallel.everywhere(self.mesh)
        arrays, frozen = (parallel.put(x, everywhere) for x in (self.source.arrays, self.frozen))
        pending: list[tuple[int, dict]] = []
        dtype = "bfloat16" if options.bf16 else "float32"
        watch = Watch(batch=self.recipe.batch, dtype=dtype)
        for step, count in _chunks(first, steps, options.steps_per_dispatch):
            profile.before(step, count)
            with watch.waiting():
                drawn = self._draw(step, count)
            if step == first and self.writes:
                # The call below reuses this trace.
                watch.flops = count_flops(dispatch.trace(state, arrays, drawn, frozen)) / count
            state, metrics = dispatch(state, arrays, drawn, frozen)
            # Metrics are read one dispatch later, so that the device never waits for Python.
            self._report(log, pending, watch)
            pending.append((step, metrics))
            done = step + count
            profile.after(done, state)
            self.store.seal()
            stop = terminated(done)
            if stop or done == steps or _due(done, count, options.save_every):
                self._report(log, pending, watch)
                self.store.save(done, state, {"step": done, "seed": options.seed})
                self.workdir.publish()
            if stop:
                log.say(f"stopped at step {done} and saved; continue with --resume")
                break
            if done == steps or _due(done, count, options.eval_every):
                self._report(log, pending, watch)
                self._evaluate(log, state, done)
        return state

    def _state(self) -> State:
        options = self.options
        variables = run.start_variables(
            self.model, self.recipe, seed=options.seed, weights_name=options.start_from
        )
        state = State.start(variables, self.optimizer, ema=bool(self.recipe.ema))
        state = jax.device_put(state, parallel.everywhere(self.mesh))
        saved = self.store.latest(state) if options.resume else None
        if saved is None:
            # A run that stopped before its first checkpoint restarts from the beginning.
            return state
        state, record = saved
        if record["step"] > self.recipe.steps:
            raise ValueError(
                f"the run in {options.workdir} has taken {record['step']} steps, more than "
                f"--steps {self.recipe.steps}"
            )
        if record["seed"] != options.seed:
            raise ValueError(
                f"the run in {options.workdir} has seed {record['seed']}, got {options.seed}"
            )
        return state

    def _compile(self) -> jax.stages.Wrapped:
        recipe = self.recipe
        step = make_step(
            self.model,
            recipe.loss,
            self.optimizer,
            ema=recipe.ema,
            accumulate=self.options.accumulate,
            summed=recipe.summed,
        )
        rows = parallel.split(self.mesh)

        def dispatch(state, arrays, drawn, frozen):
            def one(state, drawn):
                batch = self.prepare(self.source.gather(arrays, drawn))
                batch = lax.with_sharding_constraint(batch, rows)
                return step(state, batch, frozen)

            return lax.scan(one, state, drawn)

        return jax.jit(dispatch, donate_argnums=0, out_shardings=parallel.everywhere(self.mesh))

    def _draw(self, step: int, count: int) -> dict:
        draws = [self.source.draw(step + index) for index in range(count)]
        stacked = jax.tree.map(lambda *rows: np.stack(rows), *draws)
        return parallel.put(stacked, parallel.split(self.mesh, axis=1))

    def _report(self, log: Log, pending: list[tuple[int, dict]], watch: Watch) -> None:
        """Log the pending metrics; stops the run if they are not finite."""
        while pending:
            step, metrics = pending.pop(0)
            values = jax.tree.map(np.asarray, metrics)
            bad = np.flatnonzero(values.pop("finite") == 0)
            if bad.size:
                raise CannotContinue(self._not_finite(step + int(bad[0])))
            count = len(values["loss"])
            loss, rate = values["loss"][-1], watch.rate(step + count)
            log.advance(step + count, f"loss {loss:.4g}, {rate:.2f} steps/s")
            if _due(step + count, count, self.options.log_every):
                means = {name: value.mean() for name, value in values.items()}
                log.scalars(step + count, {**means, **watch.metrics(step + count)})
                watch.restart(step + count)

    def _not_finite(self, step: int) -> str:
        self.store.wait()
        clips = ", ".join(self.source.names(step))
        return (
            f"the loss or its gradient is not finite at step {step} (clips {clips}); "
            f"{self._rest()} with a lower --learning-rate, or remove the clips"
        )

    def _rest(self) -> str:
        saved = self.store.last()
        if saved is None:
            return "no checkpoint was saved; restart"
        return f"the last good checkpoint is step {saved}; continue from it with --resume"

    def _evaluate(self, log: Log, state: State, done: int) -> None:
        if self.evaluation is None:
            return
        scores, strip = self.evaluation(parallel.local(state.variables))
        log.scalars(done, scores, kind="eval")
        log.strip(done, strip)
        log.say(f"step {done}: " + ", ".join(f"{name} {v:.2f}" for name, v in scores.items()))

    def _export(self, state: State) -> Any:
        folder = self.workdir.place / "weights"
        if self.writes:
            variables = jax.tree.map(np.asarray, state.variables)
            weights.save(folder, self.recipe.model, variables)
        return folder


def _chunks(first: int, steps: int, size: int) -> Iterator[tuple[int, int]]:
    """(step, count) per dispatch: `size` steps at multiples of `size`, otherwise single steps.

    With this alignment a resumed run dispatches like an uninterrupted one, so the results are equal
    bit for bit.
    """
    step = first
    while step < steps:
        count = size if step % size == 0 and step + size <= steps else 1
        yield step, count
        step += count


def _due(done: int, count: int, every: int) -> bool:
    """Whether the last `count` steps up to `done` include a multiple of `every`; 0: never."""
    return every > 0 and done // every > (done - count) // every
