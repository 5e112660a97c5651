"""Stand-in weights and images: the same numbers on every machine, from names and seeds alone.

Golden cases made with these need no image or weight files: they store a few sampled outputs only.
NumPy only; RandomState is NumPy's frozen generator, so the streams never change.
"""

import zlib

import numpy as np


def tensor(key, shape, dtype="float32", seed=0, gain=1.0):
    """Stand-in tensor for the PyTorch state-dict entry `key`.

    n is standard normal from RandomState((crc32(key) + seed) % 2**32), drawn in C order over `shape`.
      ...num_batches_tracked  0
      ...running_mean         0.1 n
      ...running_var          1 + 0.1 |n|
      rank >= 2               gain sqrt(2 / prod(shape[1:])) n
      ...bias (rank 1)        0.05 gain n
      rank 1, one element     0.25
      other rank 1            1 + 0.1 n
    """
    rng = np.random.RandomState((zlib.crc32(key.encode()) + seed) % (2**32))
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, dtype)
    n = rng.standard_normal(shape)
    if leaf == "running_mean":
        out = 0.1 * n
    elif leaf == "running_var":
        out = 1.0 + 0.1 * np.abs(n)
    elif len(shape) >= 2:
        out = gain * np.sqrt(2.0 / np.prod(shape[1:])) * n
    elif leaf == "bias":
        out = 0.05 * gain * n
    elif np.prod(shape) == 1:
        out = np.full(shape, 0.25)
    else:
        out = 1.0 + 0.1 * n
    return np.asarray(out, dtype)


def gain_for(key, gains):
    """Gain of the longest prefix in `gains` that starts `key`; 1.0 where none does."""
    hits = [prefix for prefix in gains if key.startswith(prefix)]
    return float(gains[max(hits, key=len)]) if hits else 1.0


def state_dict(manifest):
    """{key: array} for a manifest holding 'seed', 'gains' and 'state_dict' ([key, shape, dtype] rows)."""
    seed, gains = int(manifest.get("seed", 0)), manifest.get("gains", {})
    return {
        key: tensor(key, tuple(shape), dtype, seed, gain_for(key, gains))
        for key, shape, dtype in manifest["state_dict"]
    }


def image(seed, height, width, channels=3, shift=(0.0, 0.0)):
    """Smooth textured uint8 image `[height, width, channels]`, moved by `shift` = (dx, dy) pixels.

    Three octaves of bilinear value noise (lattice pitches 23, 11 and 5 px, weights 4, 2, 1); only +, *, floor and
    exact table look-ups on float64, so every machine rounds alike.
    """
    y = np.arange(height, dtype=np.float64)[:, None] - shift[1] + 1000.0
    x = np.arange(width, dtype=np.float64)[None, :] - shift[0] + 1000.0
    out = np.zeros((height, width, channels))
    for octave, (pitch, weight) in enumerate(((23, 4.0), (11, 2.0), (5, 1.0))):
        table = (
            np.random.RandomState(seed * 7 + octave)
            .randint(0, 256, (64, 64, channels))
            .astype(np.float64)
        )
        v, u = y / pitch, x / pitch
        j, i = np.floor(v).astype(int), np.floor(u).astype(int)
        b, a = (v - j)[..., None], (u - i)[..., None]
        top = (1 - a) * table[j % 64, i % 64] + a * table[j % 64, (i + 1) % 64]
        low = (1 - a) * table[(j + 1) % 64, i % 64] + a * table[(j + 1) % 64, (i + 1) % 64]
        out += weight * ((1 - b) * top + b * low)
    return np.clip(np.rint(out / 7.0), 0, 255).astype(np.uint8)


def clip(seed, count, height, width, motion=(3.0, -1.5)):
    """uint8 `[count, height, width, 3]`: a background moving by `motion` px a frame under a disc moving the other way."""
    frames = []
    for n in range(count):
        back = image(seed, height, width, shift=(motion[0] * n, motion[1] * n))
        front = image(seed + 1, height, width, shift=(-motion[0] * n, -motion[1] * n))
        y, x = np.mgrid[:height, :width].astype(np.float64)
        cx, cy = width / 2.0 - motion[0] * n, height / 2.0 - motion[1] * n
        inside = (x - cx) ** 2 + (y - cy) ** 2 < (min(height, width) / 4.0) ** 2
        frames.append(np.where(inside[..., None], front, back))
    return np.stack(frames)


def sample(array, count=256, seed=0):
    """`count` (flat index, value) pairs of an array in C order: a golden in a few kilobytes."""
    flat = np.asarray(array).reshape(-1)
    index = np.sort(
        np.random.RandomState(seed).choice(flat.size, min(count, flat.size), replace=False)
    )
    return index, flat[index]
