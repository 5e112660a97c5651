import io
import json
import time

import numpy as np
import pytest
from rich.console import Console

from vfi_jax import bench, lookup
from vfi_jax.bench import measure
from vfi_jax.cli import __main__ as cli

SIZE = 24, 32


@pytest.fixture(scope="module")
def machine():
    return bench.Bench(repeats=1)


def test_an_operation_and_its_gradients(machine):
    case = next(bench.operation_cases(["resize_bilinear"], size=SIZE))
    forward, both = (machine.run(case, size=SIZE, gradients=way) for way in (False, True))
    pixels = 24 * 32 * 3 * 4 / 1e9  # gigabytes of the image; what comes out is 4 times as large
    assert forward.gigabytes == pytest.approx(5 * pixels)
    # In: cotangent and image. Out: result and gradient.
    assert both.gigabytes == pytest.approx((4 + 1 + 4 + 1) * pixels, rel=1e-2)
    assert both.gigaflops == pytest.approx(3 * forward.gigaflops)
    assert forward.roofline > 0
    assert forward.milliseconds > 0
    assert forward.peak_megabytes >= 1e3 * forward.gigabytes


def test_the_common_operations_are_timed():
    names = {case.name for case in bench.operation_cases(size=(64, 64))}
    assert {"backward_warp", "cost_volume", "deformable_conv", "forward_splat"} <= names


def test_only_kernels_are_timed_as_kernels(monkeypatch, machine):
    monkeypatch.setattr(lookup, "modules", lambda package: ["resize_bilinear"])
    (case,) = bench.operation_cases(size=SIZE, backend="pallas")
    assert case.name == "resize_bilinear"
    with pytest.raises(ValueError, match="only interpreted on a CPU"):
        machine.run(case, size=SIZE, backend="pallas")


def test_a_model_needs_no_weights(machine):
    (case,) = bench.model_cases(["blend"], size=(15, 16))
    row = machine.run(case, size=SIZE)
    assert "2 frames 16x15 to 1" in row.detail


def test_a_training_step_is_timed(machine):
    (case,) = bench.model_cases(["mind/small"], size=(32, 32), batch=2, training=True)
    assert case.training
    row = machine.run(case, size=SIZE)
    assert "batch 2" in row.detail
    (inference,) = bench.model_cases(["mind/small"], size=(32, 32), batch=2)
    # Two gradients for a product of two factors; none with respect to the frames.
    assert 2 < row.gigaflops / machine.run(inference, size=SIZE).gigaflops < 3.5


def test_cpu_time_is_measured_on_one_core():
    machine = bench.Bench(repeats=1, clock=time.process_time)
    case = next(bench.operation_cases(["resize_bilinear"], size=SIZE))
    row = machine.run(case, size=SIZE, rival=lambda: time.sleep(0.5))
    assert row.ratio > 0.01  # sleeping costs nothing


def test_a_rival_is_called_alternately(machine):
    case = next(bench.operation_cases(["resize_bilinear"], size=SIZE))
    calls = []
    row = machine.run(case, size=SIZE, rival=lambda: calls.append(1))
    assert len(calls) == 2  # warm-up and one turn
    assert row.ratio is not None
    assert row.ratio > 0


def test_the_command_prints_a_table_and_writes_numbers(tmp_path, capsys):
    out = tmp_path / "numbers.json"
    words = (
        "bench ops resize_bilinear --size 16x12 --repeats 1 --gradients --dtype float32 bfloat16"
    )
    assert cli.main([*words.split(), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "resize_bilinear + gradients" in shown
    assert "16x12" in shown
    document = json.loads(out.read_text())
    assert [row["dtype"] for row in document["rows"]] == ["float32"] * 2 + ["bfloat16"] * 2
    assert document["machine"]["bandwidth"] > 0


def test_interpolate_is_compared_with_its_model_on_the_same_windows(machine):
    (case,) = bench.interpolate_cases(["blend"], size=SIZE)
    row = machine.run(case, size=SIZE)
    assert row.ratio is not None
    assert row.ratio > 0
    assert "7 new frames" in row.detail
    np.testing.assert_allclose(case.function(*case.arrays), case.baseline(*case.arrays))


def test_startup_stages_are_timed_in_fresh_processes():
    stages = bench.start_stages("blend", size=SIZE, repeats=1)
    names = [stage.name for stage in stages]
    assert len(names) == len(set(names)) == 12
    seconds = {stage.name: stage.cold[0] for stage in stages}
    assert seconds["vfi-jax interpolate"] > seconds["import jax"] > seconds["decode 2 frames"] > 0
    console = Console(file=io.StringIO(), width=200)
    console.print(bench.start_table("blend", SIZE, stages))
    assert "first frame, total" in console.file.getvalue()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("bench ops backward_wrap", "did you mean backward_warp"),
        ("bench ops --size 16", "WIDTHxHEIGHT"),
        ("bench models", "name the models"),
        ("bench ops --backend xla pallas --size 16x16", "none of these operations has a kernel"),
        ("bench ops --repeats 0", "repeats must be at least 1"),
        ("bench start --repeats 0", "repeats must be at least 1"),
        ("bench start tween blend", "one model and one size"),
        ("bench start no_model --size 16x16 --repeats 1", "unknown model 'no_model'"),
        ("bench interpolate zooming_slow_mo", "windows of 4 frames"),
        ("bench interpolate blend --against a.py", "omit it for interpolate"),
    ],
)
def test_invalid_benchmarks_are_reported_in_one_line(words, message, capsys, monkeypatch):
    monkeypatch.setattr(measure, "COPY", {"cpu": 2**12})
    monkeypatch.setattr(measure, "PRODUCT", {"cpu": 16})
    assert cli.main(words.split()) == 2
    assert message in capsys.readouterr().err


def test_a_rival_is_loaded_from_a_file(tmp_path):
    file = tmp_path / "other.py"
    with pytest.raises(ValueError, match="--against must be a Python file"):
        bench.rival(file)
    file.write_text("STEP = 2\ndef rival(case, gradients):\n    return lambda: STEP * case\n")
    assert bench.rival(file)(3, False)() == 6
    file.write_text("import no_such_package\n")
    with pytest.raises(ValueError, match="needs no_such_package; install it"):
        bench.rival(file)


def test_ratios_have_a_column(machine):
    case = next(bench.operation_cases(["resize_bilinear"], size=SIZE))
    row = machine.run(case, size=SIZE, rival=lambda: None)
    console = Console(file=io.StringIO(), width=200)
    console.print(bench.table(machine, [row], rival="torch"))
    assert "/ torch" in console.file.getvalue()
