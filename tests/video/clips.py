"""Small videos, made with PyAV alone, and what is in a video file."""

import dataclasses
import hashlib
import itertools
from fractions import Fraction

import av
import numpy as np
import PIL.Image

FRAMES = 6
RATE = Fraction(30)


def frames(count=FRAMES, *, height=32, width=48, dtype=np.uint8):
    """A smooth picture that moves 2 pixels a frame to the right."""
    y, x = np.mgrid[:height, :width]
    largest = np.iinfo(dtype).max
    shown = []
    for index in range(count):
        waves = [np.sin((x - 2 * index) / 5), np.cos(y / 6), np.sin((x - 2 * index + y) / 9)]
        shown.append(np.rint((0.5 + 0.4 * np.stack(waves, -1)) * largest).astype(dtype))
    return shown


def make(
    path,
    pictures=None,
    *,
    codec="libx264",
    pixel_format="yuv420p",
    rate=RATE,
    times=None,
    tags=(),
    audio=None,
    layout="stereo",
    sample_rate=48000,
    subtitles=(),
    options=None,
    metadata=None,
    rotation=0,
    chapters=(),
):
    """Write a video: `times` in seconds, `audio` a codec with `layout` and `sample_rate`,
    `subtitles` (start, end, text) in mkv."""
    pictures = frames() if pictures is None else pictures
    times = [index / rate for index in range(len(pictures))] if times is None else times
    with av.open(str(path), "w") as file:
        file.metadata.update(metadata or {})
        video = file.add_stream(codec, rate=rate, options=options or {"crf": "4"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = pixel_format
        video.time_base = video.codec_context.time_base = Fraction(1, 90000)
        for name, code in tags:
            setattr(video.codec_context, name, code)
        if rotation:
            video.set_display_rotation(rotation)
        sound = file.add_stream(audio, rate=sample_rate, layout=layout) if audio else None
        text = file.add_mux_stream("subrip") if subtitles else None
        if chapters:
            file.set_chapters(chapters)
        for pixels, time in zip(pictures, times, strict=True):
            layout = "rgb24" if pixels.dtype == np.uint8 else "rgb48le"
            frame = av.VideoFrame.from_ndarray(pixels, layout)
            codes = dict(tags)
            frame = frame.reformat(
                format=pixel_format,
                dst_colorspace=codes.get("colorspace", 5),
                dst_color_range=codes.get("color_range", 1),
            )
            frame.pts, frame.time_base = round(time * 90000), Fraction(1, 90000)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if sound is not None:
            _tone(file, sound, float(times[-1] + 1 / rate))
        for start, end, line in subtitles:
            packet = av.Packet(line.encode())
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts = packet.dts = round(1000 * start)
            packet.duration = round(1000 * (end - start))
            file.mux(packet)
    return path


@dataclasses.dataclass
class Facts:
    """What a video file holds."""

    codec: str = ""
    pixel_format: str = ""
    size: tuple = ()
    rate: Fraction | None = None
    duration: Fraction | None = None
    aspect: Fraction | None = None
    tags: tuple = ()
    metadata: dict = dataclasses.field(default_factory=dict)
    chapters: list = dataclasses.field(default_factory=list)
    times: list = dataclasses.field(default_factory=list)
    tracks: list = dataclasses.field(default_factory=list)
    bytes_of: dict = dataclasses.field(default_factory=dict)


def with_cover(path, source, picture):
    """A copy of a file that has a picture file as its cover."""
    with (
        av.open(str(source)) as film,
        av.open(str(picture)) as cover,
        av.open(str(path), "w") as file,
    ):
        copies = {stream: file.add_stream_from_template(stream) for stream in film.streams}
        shown = cover.streams.video[0]
        copies[shown] = file.add_stream_from_template(shown)
        copies[shown].disposition = av.stream.Disposition.attached_pic
        for packet in itertools.chain(cover.demux(), film.demux()):
            if packet.size:
                packet.stream = copies[packet.stream]
                file.mux(packet)
    return path


def cover_of(path):
    """The bytes of a file's cover; None without one."""
    with av.open(str(path)) as file:
        for packet in file.demux():
            if packet.stream.disposition & av.stream.Disposition.attached_pic:
                return bytes(packet)
    return None


def subtitles_of(path):
    """(start, duration, line) of each subtitle, in seconds."""
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux(file.streams.subtitles[0]) if packet.size]
        return [
            (
                float(packet.pts * packet.time_base),
                float(packet.duration * packet.time_base),
                bytes(packet).decode(),
            )
            for packet in packets
        ]


def write_animation(path, delays):
    """A GIF or animated PNG whose frames are shown for `delays` milliseconds."""
    first, *others = [PIL.Image.fromarray(one) for one in frames(len(delays))]
    first.save(path, save_all=True, append_images=others, duration=delays)
    return path


def read_delays(path):
    """In milliseconds."""
    with PIL.Image.open(path) as image:
        return [image.info["duration"] for index in range(image.n_frames) if not image.seek(index)]


def facts(path):
    """Everything about a file that a test asks for; durations and times in seconds."""
    found = Facts()
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        context = video.codec_context
        found.codec, found.pixel_format = video.codec.canonical_name, context.pix_fmt
        found.size, found.rate = (context.width, context.height), video.guessed_rate
        found.duration = Fraction(file.duration or 0, 1_000_000)
        found.aspect = video.sample_aspect_ratio
        found.tags = tuple(
            int(getattr(context, name))
            for name in ("color_range", "colorspace", "color_primaries", "color_trc")
        )
        found.metadata, found.chapters = dict(file.metadata), file.chapters()
        others = [stream for stream in file.streams if stream.type in ("audio", "subtitle")]
        found.tracks = [
            (one.type, one.codec.canonical_name, one.metadata.get("language")) for one in others
        ]
        hashes = {stream.index: hashlib.sha256() for stream in others}
        for packet in file.demux():
            if packet.stream is video:
                found.times += [frame.pts * frame.time_base for frame in packet.decode()]
            elif packet.stream_index in hashes and packet.size:
                hashes[packet.stream_index].update(bytes(packet))
        found.bytes_of = [one.hexdigest() for one in hashes.values()]
    return found


def _tone(file, sound, seconds):
    rate, layout = sound.codec_context.sample_rate, sound.codec_context.layout
    samples = np.sin(np.arange(int(rate * seconds)) * 2 * np.pi * 440 / rate)
    channels = np.tile(samples.astype(np.float32), (layout.nb_channels, 1))
    frame = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout.name)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    file.mux(sound.encode(frame))
    file.mux(sound.encode(None))
