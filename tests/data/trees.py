"""Tiny trees of files laid out as each data set is published."""

import cv2
import numpy as np

from vfi_jax.data.builders.hd import SIZES

SIDE = 24


def picture(path, seed=0, *, size=(SIDE, SIDE)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)


def pictures(folder, names, **options):
    for seed, name in enumerate(names):
        picture(folder / name, seed, **options)


def listed(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n\n")  # published lists end with an empty line


def video(path, count=8, *, size=(32, 48), cut=None):
    """A square that moves over noise; from frame `cut` on, another scene."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, size[::-1])
    for index in range(count):
        later = cut is not None and index >= cut
        frame = np.random.default_rng(int(later)).integers(0, 90, (*size, 3), np.uint8)
        frame[:] += np.uint8(120 * later)
        frame[8:24, 3 * index : 3 * index + 12] = 255
        writer.write(frame)
    writer.release()


def vimeo90k(root, variant, **options):
    prefix, count = ("tri", 3) if variant == "triplet" else ("sep", 7)
    lines = [f"00001/{i:04d}" for i in range(1, 41)]
    listed(root / f"{prefix}_trainlist.txt", *lines[:38])
    for name in ("", "fast_", "medium_", "slow_"):
        listed(root / f"{prefix}_{name}testlist.txt", *lines[38:])
    for line in lines:
        pictures(root / "sequences" / line, [f"im{i}.png" for i in range(1, count + 1)], **options)


def ucf101(root, variant):
    for name in ("1", "11"):
        files = ["frame_00.png", "frame_01_gt.png", "frame_01_ours.png", "frame_02.png"]
        pictures(root / "ucf101_interp_ours" / name, files)
        picture(root / "ucf101_motion_masks" / name / "motion_mask.png")


def middlebury(root, variant):
    for name in ("Beanbags", "Walking"):
        pictures(root / "other-data" / name, ["frame10.png", "frame11.png"])
        picture(root / "other-gt-interp" / name / "frame10i11.png", 7)


def snu_film(root, variant):
    lines = []
    for clip in ("0001", "0002"):
        pictures(root / "test/YouTube_test" / clip, ["00000.png", "00001.png", "00002.png"])
        paths = [f"data/SNU-FILM/test/YouTube_test/{clip}/{i:05d}.png" for i in range(3)]
        lines.append(" ".join(paths))
    listed(root / f"test-{variant}.txt", *lines)


def xiph(root, variant):
    from vfi_jax.data.builders import xiph as builder

    # The builder reads no pixels; only the first clip is looked at by the test.
    first = [f"{builder.NAMES[0]}-{i:03d}.png" for i in range(1, 4)]
    pictures(root, first, size=(1104, 2080))
    pictures(root, [f"{name}-001.png" for name in builder.NAMES[1:]])


def x4k1000fps(root, variant):
    names = [f"{i:04d}.png" for i in range(33)]
    pictures(root / "train/002/occ008.320", names)
    for split in ("val", "test"):
        pictures(root / split / "Type1/TEST01", names)


def vid4(root, variant):
    for part in ("HR", "LR"):
        pictures(root / part / "city", [f"{i:08d}.png" for i in range(5)])


def reds(root, variant):
    for clip in ("000", "001"):
        pictures(root / "train_sharp" / clip, [f"{i:08d}.png" for i in range(5)])
        pictures(root / "train_sharp_bicubic/X4" / clip, [f"{i:08d}.png" for i in range(5)])
    pictures(root / "val_sharp/000", [f"{i:08d}.png" for i in range(5)])


def hd(root, variant):
    for name in SIZES:
        (root / name).mkdir(parents=True)
    height, width = SIZES["HD544p_GT"]
    frame = np.full(height * width * 3 // 2, 128, np.uint8)
    np.tile(frame, 4).tofile(root / "HD544p_GT/Sintel_Alley2_1280x544.yuv")


def adobe240(root, variant):
    for part in ("train", "valid", "test"):
        listed(root / f"adobe240fps_folder_{part}.txt", "IMG_0001")
        names = [f"im{i}.png" for i in range(1, 8)]
        pictures(root / "frame" / part / "IMG_0001/0000", names)


def gopro(root, variant):
    for part in ("train", "test"):
        names = [f"{i:06d}.png" for i in range(1, 18)]
        pictures(root / part / "GOPR0384_11_00", names)


def davis(root, variant):
    for split, name in (("train", "bear"), ("val", "goat")):
        listed(root / f"ImageSets/2017/{split}.txt", name)
        pictures(root / "JPEGImages/480p" / name, [f"{i:05d}.jpg" for i in range(4)])


def sintel(root, variant):
    for part in ("training", "test"):
        pictures(root / part / variant / "alley_1", [f"frame_{i:04d}.png" for i in range(1, 5)])


def kitti(root, variant):
    for drive in range(10):
        folder = root / f"2011_09_26/2011_09_26_drive_{drive:04d}_sync/image_02/data"
        pictures(folder, [f"{i:010d}.png" for i in range(3)])


def video_folder(root, variant):
    video(root / "train/a.avi")
    video(root / "val/b.avi")


def frame_folder(root, variant):
    for name in ("a", "b"):
        pictures(root / name, ["im1.png", "im2.png", "im3.png"])
