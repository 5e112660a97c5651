"""The engine uses every key once, fills every variable once, and reports all faults together."""

import re

import numpy as np
import pytest

from vfi_jax.weights import ConversionError, conversion, engine
from vfi_jax.weights.rules import batch_norm, conv, drop, stacked, tensor

RULES = (
    *conv(r"first", "stem"),
    *batch_norm(r"norm", "norm"),
    *stacked(conv(r"body\.(?P<layer>\d+)", "body/conv")),
    *drop(r"teacher\..+"),
)
SHAPES = {
    ("params", "stem", "kernel"): (3, 3, 2, 4),
    ("params", "stem", "bias"): (4,),
    ("params", "norm", "scale"): (4,),
    ("params", "norm", "bias"): (4,),
    ("params", "body", "conv", "kernel"): (2, 1, 1, 4, 4),
    ("params", "body", "conv", "bias"): (2, 4),
    ("batch_stats", "norm", "mean"): (4,),
    ("batch_stats", "norm", "var"): (4,),
}


@pytest.fixture
def arrays():
    shapes = {
        "first.weight": (4, 2, 3, 3),
        "first.bias": (4,),
        "norm.weight": (4,),
        "norm.bias": (4,),
        "norm.running_mean": (4,),
        "norm.running_var": (4,),
        "norm.num_batches_tracked": (),
        "body.1.weight": (4, 4, 1, 1),
        "body.0.weight": (4, 4, 1, 1),
        "body.1.bias": (4,),
        "body.0.bias": (4,),
        "teacher.weight": (9,),
    }
    return {key: np.full(shape, i, np.float16) for i, (key, shape) in enumerate(shapes.items())}


def apply(arrays, *, rules=RULES, notes=None):
    return engine.apply(rules, arrays, SHAPES, name="toy", notes=notes)


def faults(arrays, **options):
    with pytest.raises(ConversionError) as caught:
        apply(arrays, **options)
    return caught.value.faults


def test_every_variable_is_filled(arrays):
    arrays["first.weight"] = np.arange(72, dtype=np.float64).reshape(4, 2, 3, 3)
    notes = []
    found = apply(arrays, notes=notes)
    kernel = found["params"]["stem"]["kernel"]
    np.testing.assert_array_equal(kernel, arrays["first.weight"].transpose(2, 3, 1, 0))
    assert kernel.dtype == np.float32
    assert kernel.flags.c_contiguous
    assert found["batch_stats"]["norm"]["mean"][0] == 4
    assert found["params"]["body"]["conv"]["bias"][:, 0].tolist() == [10, 9]  # layers 0, 1
    assert notes == [
        "ignored 1 unused keys: norm.num_batches_tracked",
        "ignored 1 unused keys: teacher.weight",
    ]


def test_all_faults_are_reported_together_with_both_names(arrays):
    del arrays["first.bias"]
    arrays["extra.weight"] = np.zeros((2, 5))
    arrays["first.weight"] = np.zeros((4, 3, 3, 3))
    arrays["norm.bias"] = np.zeros((5,))
    with pytest.raises(ConversionError) as caught:
        apply(arrays)
    assert str(caught.value).splitlines() == [
        "the weights do not fit toy: 1 unknown, 2 of another shape, 1 missing",
        "  unknown: extra.weight [2, 5]",
        "  of another shape: first.weight [4, 3, 3, 3] for stem/kernel [3, 3, 2, 4]; "
        "norm.bias [5] for norm/bias [4]",
        "  missing: stem/bias [4] from first.bias",
    ]


def test_a_long_list_of_faults_is_counted(arrays):
    arrays |= {f"unknown{i}": np.zeros(1) for i in range(40)}
    with pytest.raises(ConversionError, match="; unknown4 \\[1\\] and 35 more"):
        apply(arrays)


def test_an_array_of_fewer_axes_is_of_another_shape(arrays):
    arrays["first.weight"] = np.zeros(4)
    assert faults(arrays) == {"of another shape": ["first.weight [4] for stem/kernel [3, 3, 2, 4]"]}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (np.float32(np.nan), "not finite"),
        (np.float64(1e300), "not finite"),
        (np.uint8(1), "of type uint8"),
        (np.complex64(1), "of type complex64"),
    ],
)
def test_non_numeric_arrays_are_faults(arrays, value, fault):
    arrays["norm.weight"] = np.full(4, value)
    assert faults(arrays) == {fault: ["norm.weight [4] for norm/scale"]}


def test_a_key_that_two_rules_match_is_a_fault(arrays):
    found = faults(arrays, rules=(*RULES, *tensor(r"first\.bia.", "stem/bias")))
    assert found["matched twice"] == [r"first.bias by first\.bias and first\.bia."]


def test_a_variable_that_two_keys_fill_is_a_fault(arrays):
    arrays["other.bias"] = np.zeros(4)
    found = faults(arrays, rules=(*RULES, *tensor(r"other\.bias", "stem/bias")))
    assert found == {"filled twice": ["stem/bias by first.bias and other.bias"]}


def test_a_rule_without_a_variable_is_a_fault(arrays):
    arrays["other.bias"] = np.zeros(4)
    found = faults(arrays, rules=(*RULES, *tensor(r"other\.bias", "sten/bias")))
    assert found == {"unknown": ["other.bias [4] for sten/bias, which the model lacks"]}


def test_a_stack_needs_every_layer_and_no_more(arrays):
    more = arrays | {"body.2.bias": np.zeros(4)}
    assert faults(more) == {"of another shape": ["body.2.bias [4] for body/conv/bias [2, 4]"]}
    del arrays["body.0.bias"]
    assert faults(arrays) == {"missing": ["layers [0] of body/conv/bias, next to body.1.bias"]}


def test_an_unknown_model_or_conversion_is_a_value_error():
    with pytest.raises(ValueError, match=re.escape("unknown conversion 'blend'; available: ")):
        conversion.convert("blend", {})
    with pytest.raises(ValueError, match="did you mean sepconv/lf"):
        conversion.convert("sepconv/l2", {})
    with pytest.raises(ValueError, match="name their system"):
        conversion.recognise({"conv.weight": np.zeros(1)})
