"""Frames that are found by their numbers are those of a reading from the start."""

import random
from fractions import Fraction

import av
import numpy as np
import pytest

from vfi_jax.video import numbered

COUNT, GROUP = 48, 12  # frames of a video, and from one keyframe to the next
HIDDEN = {"g": str(GROUP), "auto-alt-ref": "1", "lag-in-frames": "8"}
EVEN = list(range(COUNT))
UNEVEN = np.cumsum([1 + (i % 5 == 0) * 3 for i in range(COUNT)]).tolist()
B_FRAMES = {"bf": "2", "g": str(GROUP), "sc_threshold": "0"}
X264 = {"g": str(GROUP), "x264-params": "bframes=3:scenecut=0"}
OPEN = {"g": str(GROUP), "x264-params": "bframes=3:b-pyramid=normal:open-gop=1:scenecut=0"}
REFRESH = {"g": str(GROUP), "x264-params": "intra-refresh=1:bframes=0"}


def encode(path, codec, options, stamps, pixel_format="yuv420p"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        stream.codec_context.time_base = Fraction(1, 25)
        rng = np.random.default_rng(0)
        texture = rng.integers(0, 256, (48, 64 + COUNT, 3), np.uint8)
        for index, stamp in enumerate(stamps):
            image = np.ascontiguousarray(texture[:, index : index + 64])
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = stamp, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def numbers_of(path):
    return numbered.Numbers.of((frame.pts, frame.key_frame) for frame in numbered.frames(path))


@pytest.mark.parametrize(
    ("name", "codec", "options", "stamps"),
    [
        ("b_frames.mp4", "libx264", X264, EVEN),
        ("open_groups.mp4", "libx264", OPEN, EVEN),
        ("open_groups.mkv", "libx264", OPEN, EVEN),
        ("refreshed_by_columns.mkv", "libx264", REFRESH, EVEN),
        ("uneven.mp4", "libx264", X264, UNEVEN),
        ("late.mkv", "libx264", X264, [250 + stamp for stamp in UNEVEN]),
        ("mpeg4.avi", "mpeg4", B_FRAMES, EVEN),
        ("mpeg2.mkv", "mpeg2video", B_FRAMES, EVEN),
        ("vp9.webm", "libvpx-vp9", {"g": str(GROUP), "deadline": "realtime"}, EVEN),
        (
            "hidden.webm",
            "libvpx",
            {"g": str(GROUP), "auto-alt-ref": "1", "lag-in-frames": "8"},
            EVEN,
        ),
        ("every_frame.avi", "mjpeg", {}, EVEN),
    ],
)
def test_in_any_order_frames_are_those_of_a_reading_from_the_start(
    tmp_path, monkeypatch, name, codec, options, stamps
):
    monkeypatch.setattr(numbered, "NEAR", 2)
    path = tmp_path / name
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    encode(path, codec, options, stamps, pixel_format)
    wanted = [numbered.pixels(frame) for frame in numbered.frames(path)]
    assert len(wanted) == COUNT
    numbers = numbers_of(path)
    reader = numbered.Reader(path, lambda: numbers)
    order = random.Random(0)
    for start in [*(order.randrange(COUNT) for _ in range(40)), COUNT - 1, COUNT]:
        found = reader.read(start, 3)
        assert len(found) == len(wanted[start : start + 3])
        for frame, other in zip(found, wanted[start:], strict=False):
            np.testing.assert_array_equal(frame, other)


def test_a_jump_decodes_from_the_nearest_keyframe(tmp_path, monkeypatch):
    monkeypatch.setattr(numbered, "NEAR", 2)
    path = tmp_path / "long.mp4"
    encode(path, "libx264", X264, EVEN)
    numbers = numbers_of(path)
    assert numbers.keys.tolist() == list(range(0, COUNT, GROUP))
    decoded, decode = [], numbered._decoded

    def counted(container, stream):
        for frame in decode(container, stream):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(numbered, "_decoded", counted)
    reader = numbered.Reader(path, lambda: numbers)
    for start in (3 * GROUP + 1, 2 * GROUP + 1, 1):
        decoded.clear()
        reader.read(start, 2)
        # Open groups show frames before their keyframe that are stored after it.
        assert 3 <= len(decoded) <= 3 + 3


def test_in_their_order_frames_need_no_numbers(tmp_path):
    encode(tmp_path / "a.mp4", "libx264", X264, EVEN)

    def never():
        raise AssertionError

    reader = numbered.Reader(tmp_path / "a.mp4", never)
    assert [len(reader.read(start, 9)) for start in (0, 9, 30, 39, 48)] == [9, 9, 9, 9, 0]


def test_without_ascending_time_stamps_a_video_is_read_from_its_start():
    for stamps in ([0, None, 2], [0, 2, 1], [0, 0, 1]):
        numbers = numbered.Numbers.of((stamp, True) for stamp in stamps)
        assert numbers.key(2) == 0
    assert numbered.Numbers.of([(0, True), (1, False), (2, True)]).key(2) == 2


@pytest.mark.parametrize("content", [b"", b"no video"])
def test_what_is_no_video_is_named(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=r"video .*a.mp4 cannot be read"):
        next(numbered.frames(tmp_path / "a.mp4"))
