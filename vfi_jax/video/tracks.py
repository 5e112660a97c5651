"""Audio, subtitles, attachments and cover art, carried from one file to another."""

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
RATES = {"mxf": [48000]}  # samples per second that a container takes; others take any
# Of containers that FFmpeg lets take what no player knows there: what players know.
KNOWN = {
    "avi": ("mp3", "mp2", "ac3", "pcm_s16le", "pcm_u8"),
    "mpegts": ("aac", "mp2", "mp3", "ac3", "eac3", "dts", "truehd", "dvb_subtitle", "dvb_teletext"),
    "mxf": ("pcm_s16le", "pcm_s24le"),
}
TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt", "webm": "webvtt"}
TEXTS = ("subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text")
COVERS = "mp4"  # of a cover FFmpeg makes a second video in Matroska, and nothing in a .mov
JUMP = Fraction(1, 4)  # seconds back that are another beginning, not a packet out of order


class Tracks:
    """Streams other than the video, each copied as it is or, where the target cannot, transcoded.

    Args:
      streams: of the source.
      container: PyAV's output container, before anything is written.
      format_name: a key of `AUDIO`; others hold pictures only.
      shift: seconds to subtract from all time stamps.
      stretch: how many times as long audio takes.
      warnings: gets a line for each stream that is changed or left out.
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
                    f"audio #{stream.index}: PCM, which some players do not play in .mp4; they do "
                    "in .mov and .mkv"
                )
            carrier.stream.metadata.update(stream.metadata)
            carrier.stream.disposition = stream.disposition
            self._carriers[stream.index] = carrier
            self._lines[stream.index] = _Line(f"{stream.type} #{stream.index}", stream.type)
        self._container, self._shift, self._warnings = container, shift, warnings
        self._offsets = (-shift,)  # seconds that are added to time stamps: of late, and now
        self._now = Fraction(0)  # the latest end of any packet

    def mux(self, packet: av.Packet) -> None:
        """Carry a packet of the source over.

        Raises:
          OSError: the file cannot be written; what is wrong with a track alone is a warning.
        """
        index = packet.stream_index
        if index not in self._carriers:
            return
        if packet.dts is not None:
            self._place(packet, self._lines[index])
        self._write(index, packet)

    def flush(self) -> None:
        """Write what transcoders still hold."""
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
            if isinstance(error, OSError):  # a full disk and the like, which stop the video too
                raise OSError(f"{error.strerror} while {line.name} was written") from error
            del self._carriers[index]
            end = float(max(line.last or 0, 0))
            self._warnings.append(f"{line.name} ends at {end:.2f} s: {error.strerror} after it")

    def _place(self, packet, line):
        """Move a packet's time stamps to the new file's time, in which every track goes forward.

        Where files were put one behind the other, time stamps begin anew. Tracks do so one after
        another, so each packet is taken to belong to the part that puts it nearest to now.
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


class _Line:
    """How far a track has come.

    Attributes:
      name: what the user knows the track by.
      step: least ticks between two packets; subtitles may begin together.
      last: when its last packet begins, in seconds.
      moved: how often time stamps were not ascending.
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
    """Whether a container takes a stream as it is. Some say so only when they write the header, and
    MP4 refuses channel layouts of PCM at the end: so a file of nothing else is written."""
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
        return f"{stream.type} #{stream.index} left out: FFmpeg does not know its codec"
    codec = stream.codec_context.name if stream.codec_context else stream.type
    if is_cover(stream):
        return f"cover art ({codec}) left out: a .mp4 target keeps it"
    kept = stream.type in ("audio", "subtitle", "attachment") and target != "matroska"
    hint = "; a .mkv target keeps it" if kept else ""
    return f"{stream.type} #{stream.index} ({codec}) left out: {target} does not take it{hint}"
