"""AMT's keys in files of MCG-NKU/AMT, equal for all sizes."""

from vfi_jax.weights.mappings.ifrnet import LEVELS, decoder, encoder
from vfi_jax.weights.rules import Rules, conv, prelu

# Their names -> ours, for a residual block and an update.
BLOCK = {"conv1": "conv0", "conv2": "conv1", "conv3": "conv2", r"downsample\.0": "shortcut"}
UPDATE = {
    "convc1": "correlation0",
    "convc2": "correlation1",
    "convf1": "flow0",
    "convf2": "flow1",
    "conv": "motion",
    r"gru\.0": "body0",
    r"gru\.2": "body1",
    r"feat_head\.0": "feature_head0",
    r"feat_head\.2": "feature_head1",
    r"flow_head\.0": "flow_head0",
    r"flow_head\.2": "flow_head1",
}
GROUPS = ("layer1", "layer2", "layer3", "layer3_2")


def _update(key: str, path: str) -> Rules:
    return tuple(
        rule
        for theirs, ours in UPDATE.items()
        for rule in conv(rf"{key}\.{theirs}", f"{path}/{ours}")
    )


RULES = (
    *conv(r"feat_encoder\.conv1", "matching/stem/conv"),
    *(
        rule
        for index, group in enumerate(GROUPS)
        for theirs, ours in BLOCK.items()
        for rule in conv(
            rf"feat_encoder\.{group}\.(\d)\.{theirs}",
            rf"matching/group{index}_block\1/{ours}/conv",
        )
    ),
    *conv(r"feat_encoder\.conv2", "matching/head"),
    *encoder(),
    # They count from the finest level.
    *(
        rule
        for level in range(LEVELS)
        for rule in decoder(rf"decoder{LEVELS - level}", f"decoders_{level}")
    ),
    *(
        rule
        for level in range(LEVELS - 1)
        for rule in _update(rf"update{LEVELS - level}(?:_low)?", f"updates_{level}")
    ),
    *(
        rule
        for level in range(LEVELS - 2)
        for rule in _update(rf"update{LEVELS - 1 - level}_high", f"fine_updates_{level}")
    ),
    *conv(r"comb_block\.0", "combine/conv0"),
    *prelu(r"comb_block\.1", "combine/prelu"),
    *conv(r"comb_block\.2", "combine/conv1"),
)
