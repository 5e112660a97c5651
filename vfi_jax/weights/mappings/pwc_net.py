"""PWC-Net's keys, as NVlabs/PWC-Net saves them and DAIN nests them."""

from vfi_jax.weights.rules import Rules, conv, conv_transpose


def _features() -> Rules:
    # conv1a, conv1aa, conv1b, ..., but at the coarsest level conv6aa comes before conv6a.
    order = {"a": 0, "aa": 1, "b": 2}
    last = {"aa": 0, "a": 1, "b": 2}
    return (
        *(
            rule
            for name, place in order.items()
            for rule in conv(rf"conv([1-5]){name}\.0", rf"features\1/conv{place}")
        ),
        *(
            rule
            for name, place in last.items()
            for rule in conv(rf"conv6{name}\.0", f"features6/conv{place}")
        ),
    )


RULES = (
    *_features(),
    *conv(r"conv([2-6])_(\d)\.0", r"decoder\1/conv\2"),
    *conv(r"predict_flow([2-6])", r"decoder\1/flow"),
    *conv_transpose(r"deconv([2-6])", r"decoder\1/up_flow"),
    *conv_transpose(r"upfeat([3-6])", r"decoder\1/up_features"),
    *(
        rule
        for number in range(1, 7)
        for rule in conv(rf"dc_conv{number}\.0", f"context/conv{number - 1}")
    ),
    *conv("dc_conv7", "context/flow"),
)
