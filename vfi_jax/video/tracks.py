"""Audio, subtitles, attachments and cover art, carried from one file to another."""

from fractions import Fraction
from typing import Any

import av

AUDIO = {"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "libopus"}
TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt", "webm": "webvtt"}
TEXTS = ("subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text")
COVERS = "mp4"  # of a cover FFmpeg makes a second video in Matroska, and nothing in a .mov
BITS_PER_SECOND = 96_000  # of transcoded audio, for each channel


class Tracks:
    """Streams other than the video, each copied as it is or, where the target cannot, transcoded.

    Args:
      streams: of the source.
      container: PyAV's output container, before anything is written.
      format_name: "mp4", "mov", "matroska" or "webm"; others hold pictures only.
      shift: seconds to subtract from all time stamps.
      warnings: gets a line for each stream that is changed or left out.
    """

    def __init__(
        self,
        streams: list[av.stream.Stream],
        container: av.container.OutputContainer,
        *,
        format_name: str,
        shift: Fraction,
        warnings: list[str],
    ):
        self._carriers: dict[int, _Copy | _Audio | _Text] = {}
        for stream in streams:
            carrier = _carrier(stream, container, format_name)
            if carrier is None:
                warnings.append(_left_out(stream, format_name))
                continue
            if not isinstance(carrier, _Copy):
                source, target = stream.codec_context.name, carrier.stream.codec_context.name
                warnings.append(f"{stream.type} #{stream.index}: {source} transcoded to {target}")
            carrier.stream.metadata.update(stream.metadata)
            carrier.stream.disposition = stream.disposition
            self._carriers[stream.index] = carrier
        self._container, self._shift, self._warnings = container, shift, warnings

    def mux(self, packet: av.Packet) -> None:
        """Carry a packet of the source over."""
        carrier = self._carriers.get(packet.stream_index)
        if carrier is None:
            return
        ticks = round(self._shift / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - ticks
        packet.dts = None if packet.dts is None else packet.dts - ticks
        self._container.mux(carrier.packets(packet))

    def flush(self) -> None:
        """Write what transcoders still hold."""
        for index, carrier in self._carriers.items():
            self._container.mux(carrier.packets(None))
            if carrier.damaged:
                self._warnings.append(f"audio #{index}: {carrier.damaged} damaged packets left out")


def is_cover(stream: av.stream.Stream) -> bool:
    """Whether a stream is a picture that stands for the file, such as an album's cover."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def left_out(streams: list[av.stream.Stream], suffix: str) -> list[str]:
    """A line for each stream that a target of pictures only cannot take."""
    return [_left_out(stream, suffix) for stream in streams]


class _Copy:
    """Packets as they are."""

    damaged = 0

    def __init__(self, stream, container):
        self.stream = container.add_stream_from_template(stream)

    def packets(self, packet):
        if packet is None:
            return []
        packet.stream = self.stream
        return [packet]


class _Audio:
    """Decoded and encoded with another codec."""

    def __init__(self, stream, container, codec):
        self._decoder = stream.codec_context
        self.damaged = 0
        # Opus knows 48 kHz and a few lower rates; the others take the source's.
        rate = 48000 if codec == "libopus" else self._decoder.sample_rate
        self.stream = container.add_stream(codec, rate=rate, layout=self._decoder.layout)
        self.stream.bit_rate = BITS_PER_SECOND * self._decoder.channels

    def packets(self, packet):
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            return []
        packets = [out for frame in frames for out in self.stream.encode(frame)]
        return packets if packet else [*packets, *self.stream.encode(None)]


class _Text:
    """Subtitles as another text format."""

    damaged = 0

    def __init__(self, stream, container, codec):
        self._decoder = stream.codec_context
        if not self._decoder.is_open:
            self._decoder.open()
        self.stream = container.add_stream(codec)
        self.stream.codec_context.subtitle_header = self._decoder.subtitle_header

    def packets(self, packet):
        subtitle = packet and self._decoder.decode2(packet)
        if not subtitle:
            return []
        encoded = self.stream.codec_context.encode_subtitle(subtitle)
        encoded.stream, encoded.time_base = self.stream, packet.time_base
        encoded.pts, encoded.dts, encoded.duration = packet.pts, packet.dts, packet.duration
        return [encoded]


def _carrier(stream, container, format_name) -> Any:
    if format_name not in AUDIO:
        return None
    try:
        if stream.type in ("audio", "subtitle"):
            return _Copy(stream, container)
        if stream.type == "attachment" and format_name == "matroska":
            return _Copy(stream, container)
        if is_cover(stream) and format_name == COVERS:
            return _Copy(stream, container)
    except ValueError:  # the container does not take the codec
        if stream.type == "audio":
            return _Audio(stream, container, AUDIO[format_name])
        if stream.type == "subtitle" and stream.codec_context.name in TEXTS:
            return _Text(stream, container, TEXT[format_name])
    return None


def _left_out(stream, target):
    codec = stream.codec_context.name if stream.codec_context else stream.type
    if is_cover(stream):
        return f"cover art ({codec}) left out: a .mp4 target keeps it"
    kept = stream.type in ("audio", "subtitle", "attachment") and target != "matroska"
    hint = "; a .mkv target keeps it" if kept else ""
    return f"{stream.type} #{stream.index} ({codec}) left out: {target} does not take it{hint}"
