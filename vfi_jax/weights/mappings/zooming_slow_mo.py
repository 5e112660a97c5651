"""Zooming Slow-Mo's keys in files of Mukosame/Zooming-Slow-Mo-CVPR-2020."""

from vfi_jax.weights.rules import Rules, conv, stacked

LEVELS = {"L1": "level0", "L2": "level1", "L3": "level2"}  # upstream counts from the finest level


def alignment(key: str, path: str) -> Rules:
    """PCD_Align with its pyramid and fusion, in both directions."""
    rules = conv(rf"{key}fusion", f"{path}align/fusion")
    for upstream, level in LEVELS.items():
        for number, direction in ((1, "first"), (2, "second")):
            inside, ours = rf"{key}pcd_align\.{upstream}_", f"{path}align/{direction}/{level}"
            for index in (0, 1, 2):
                rules += conv(rf"{inside}offset_conv{index + 1}_{number}", f"{ours}_offset{index}")
            rules += conv(rf"{inside}dcnpack_{number}", f"{ours}_deform")
            rules += conv(
                rf"{inside}dcnpack_{number}\.conv_offset_mask", f"{ours}_deform/offset_mask"
            )
            rules += conv(rf"{inside}fea_conv_{number}", f"{ours}_merge")
        for index in (0, 1):
            rules += conv(
                rf"{key}fea_{upstream}_conv{index + 1}", f"{path}pyramid/{level}_conv{index}"
            )
    return rules


RULES = (
    *conv("conv_first", "stem"),
    *stacked(conv(r"feature_extraction\.(?P<layer>\d+)\.conv1", "extract/block/conv0")),
    *stacked(conv(r"feature_extraction\.(?P<layer>\d+)\.conv2", "extract/block/conv1")),
    *alignment("", ""),
    *alignment(r"ConvBLSTM\.forward_net\.pcd_h\.", "lstm/lstm/step/hidden/"),
    *alignment(r"ConvBLSTM\.forward_net\.pcd_c\.", "lstm/lstm/step/cell/"),
    *conv(r"ConvBLSTM\.forward_net\.cell_list\.0\.conv", "lstm/lstm/step/lstm/gates"),
    *conv(r"ConvBLSTM\.conv_1x1", "lstm/fusion"),
    *stacked(conv(r"recon_trunk\.(?P<layer>\d+)\.conv1", "reconstruct/block/conv0")),
    *stacked(conv(r"recon_trunk\.(?P<layer>\d+)\.conv2", "reconstruct/block/conv1")),
    *conv("upconv1", "upsample/double0"),
    *conv("upconv2", "upsample/double1"),
    *conv("HRconv", "upsample/fine"),
    *conv("conv_last", "upsample/image"),
)
