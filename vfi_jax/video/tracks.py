"""Audio, subtitles, attachments and cover art, copied or transcoded to the target."""

import io
from fractions import Fraction
from typing import Any

import av

from vfi_jax.video.pyav import open_file
from vfi_jax.video.transcode import Audio, Text

AUDIO = {
    **{"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "libopus"},
    **{"avi": "libmp3lame", "mpegts": "aac", "mxf": "pcm_s16le"},
}
RATES = {"mxf": [48000]}  # supported samples per second of a container; others support all
# Codecs that players support, for containers in which FFmpeg also writes others.
KNOWN = {
    "avi": ("mp3", "mp2", "ac3", "pcm_s16le", "pcm_u8"),
    "mpegts": ("aac", "mp2", "mp3", "ac3", "eac3", "dts", "truehd", "dvb_subtitle", "dvb_teletext"),
    "mxf": ("pcm_s16le", "pcm_s24le"),
}
TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt", "webm": "webvtt"}
TEXTS = ("subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text")
COVERS = "mp4"  # FFmpeg writes covers as a second video in Matroska, and not at all in .mov
JUMP = Fraction(1, 4)  # seconds; a larger step back is a new beginning, not wrong order


class Tracks:
    """Streams other than the video; each is copied or, if the target requires it, transcoded.

    Args:
      streams: streams of the source.
      container: PyAV's output container, before anything is written.
      format_name: FFmpeg's name of the container; only those in `AUDIO` have other streams.
      shift: seconds to subtract from all time stamps.
      stretch: factor of the audio's duration.
      warnings: receives a line for each stream that is changed or left out.
    """

    def __init__(
        self,
        streams: list[av.stream.Stream],
        container: av.container.OutputContainer,
        *,
        format_name: str,
        shift: Fraction,
        stretch: int = 1,
        warnings: list[str],
    ):
        self._carriers: dict[int, _Copy | Audio | Text] = {}
        self._lines: dict[int, _Line] = {}
        for stream in streams:
            carrier = _carrier(stream, container, format_name, stretch)
            if carrier is None:
                warnings.append(_left_out(stream, format_name))
                continue
            if not isinstance(carrier, _Copy):
                source, target = stream.codec_context.name, carrier.stream.codec_context.name
                slowed = "slowed and " if stretch > 1 and stream.type == "audio" else ""
                warnings.append(
                    f"{stream.type} #{stream.index}: {source} {slowed}transcoded to {target}"
                )
            elif format_name == "mp4" and stream.codec_context.name.startswith("pcm_"):
                warnings.append(
                    f"audio #{stream.index}: PCM, which some players do not support in .mp4, but "
                    "in .mov and .mkv"
                )
            carrier.stream.metadata.update(stream.metadata)
            carrier.stream.disposition = stream.disposition
            self._carriers[stream.index] = carrier
            self._lines[stream.index] = _Line(f"{stream.type} #{stream.index}", stream.type)
        self._container, self._shift, self._warnings = container, shift, warnings
        self._offsets = (-shift,)  # seconds added to time stamps: previous and current offset
        self._now = Fraction(0)  # latest end of all packets

    def mux(self, packet: av.Packet) -> None:
        """Copy or transcode a packet of the source.

        Raises:
          OSError: the file cannot be written. Errors of a single track are warnings.
        """
        index = packet.stream_index
        if index not in self._carriers:
            return
        if packet.dts is not None:
            self._place(packet, self._lines[index])
        self._write(index, packet)

    def flush(self) -> None:
        """Write the buffered data of the transcoders."""
        for index, carrier in list(self._carriers.items()):
            self._write(index, None)
            line = self._lines[index]
            if carrier.damaged:
                self._warnings.append(f"{line.name}: {carrier.damaged} damaged packets left out")
            if line.moved:
                self._warnings.append(
                    f"{line.name}: {line.moved} time stamps out of order were moved"
                )

    def _write(self, index, packet):
        line = self._lines[index]
        try:
            self._container.mux(self._carriers[index].packets(packet))
        except av.FFmpegError as error:
            if isinstance(error, OSError):  # such as a full disk, which stops the video too
                raise OSError(f"{error.strerror} while {line.name} was written") from error
            del self._carriers[index]
            end = float(max(line.last or 0, 0))
            self._warnings.append(f"{line.name} ends at {end:.2f} s: {error.strerror} after it")

    def _place(self, packet, line):
        """Shift a packet's time stamps so that every track ascends in the new file.

        In concatenated files, time stamps start again, in one track after another. Each packet
        therefore belongs to the part whose offset puts it nearest to the current time.
        """
        unit, time = packet.time_base, packet.dts * packet.time_base
        offset = min(self._offsets, key=lambda one: abs(time + one - self._now))
        if line.last is not None and time + offset < line.last - JUMP:
            offset, line.moved = self._now - time, line.moved + 1
            self._offsets = (self._offsets[-1], offset)
        ticks = round(offset / unit)
        dts, pts = packet.dts + ticks, packet.pts
        if line.last is not None and dts < (least := round(line.last / unit) + line.step):
            dts, line.moved = least, line.moved + 1
        packet.dts, packet.pts = dts, None if pts is None else max(pts + ticks, dts)
        line.last = dts * unit
        self._now = max(self._now, (dts + (packet.duration or 0)) * unit)


def is_cover(stream: av.stream.Stream) -> bool:
    """Whether a stream is a cover picture of the file."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def left_out(streams: list[av.stream.Stream], suffix: str) -> list[str]:
    """A line for each stream, for a target that stores only pictures."""
    return [_left_out(stream, suffix) for stream in streams]


class _Copy:
    """Copies packets unchanged."""

    damaged = 0

    def __init__(self, stream, container):
        self.stream = container.add_stream_from_template(stream)

    def packets(self, packet):
        if packet is None:
            return []
        packet.stream = self.stream
        return [packet]


class _Line:
    """Position in a track.

    Attributes:
      name: name of the track in messages.
      step: minimum ticks between two packets; subtitles may start together.
      last: start of the last packet in seconds.
      moved: number of time stamps that did not ascend.
    """

    def __init__(self, name, kind):
        self.name, self.step = name, int(kind != "subtitle")
        self.last: Fraction | None = None
        self.moved = 0


def _carrier(stream, container, format_name, stretch) -> Any:
    kept = (
        stream.type in ("audio", "subtitle")
        or (stream.type == "attachment" and format_name == "matroska")
        or (is_cover(stream) and format_name == COVERS)
    )
    if format_name not in AUDIO or not kept:
        return None
    slowed = stretch > 1 and stream.type == "audio"
    if not slowed and _is_taken(stream, format_name):
        return _Copy(stream, container)
    if stream.codec_context is None:
        return None
    if stream.type == "audio":
        codec, rates = AUDIO[format_name], RATES.get(format_name)
        return Audio.nearest(stream, container, codec, rates=rates, stretch=stretch)
    if stream.codec_context.name in TEXTS and format_name in TEXT:
        return Text(stream, container, TEXT[format_name])
    return None


def _is_taken(stream, format_name):
    """Whether a container supports a stream without transcoding.

    Some containers reject a codec only when they write the header, and MP4 rejects channel layouts
    of PCM only at the end; therefore a trial file is written in memory.
    """
    codec = stream.codec_context.name if stream.codec_context else None
    if format_name in KNOWN and codec not in KNOWN[format_name]:
        return False
    if format_name in RATES and stream.codec_context.sample_rate not in RATES[format_name]:
        return False
    try:
        with open_file(io.BytesIO(), "w", format=format_name) as trial:
            copy = trial.add_stream_from_template(stream)
            copy.disposition = stream.disposition
            trial.start_encoding()
            if stream.codec_context and stream.codec_context.name.startswith("pcm_"):
                trial.mux(_silence(copy))
    except (ValueError, av.FFmpegError):
        return False
    return True


def _silence(stream):
    packet = av.Packet(bytes(48 * stream.codec_context.channels))  # a multiple of every sample size
    packet.stream, packet.time_base = stream, stream.time_base
    packet.pts = packet.dts = 0
    return packet


def _left_out(stream, target):
    if stream.codec_context is None and stream.type in ("audio", "subtitle"):
        return f"{stream.type} #{stream.index} left out: unknown codec"
    codec = stream.codec_context.name if stream.codec_context else stream.type
    if is_cover(stream):
        return f"cover art ({codec}) left out: only .mp4 targets keep it"
    kept = stream.type in ("audio", "subtitle", "attachment") and target != "matroska"
    hint = "; a .mkv target keeps it" if kept else ""
    return f"{stream.type} #{stream.index} ({codec}) left out: not supported by {target}{hint}"
