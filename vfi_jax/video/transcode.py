"""Transcoding of audio and subtitles whose codec the target does not support."""

import contextlib
from collections.abc import Iterator
from typing import Any

import av
import av.filter

SLOWEST = 0.5  # minimum of FFmpeg's atempo; lower tempos need several
BITS_PER_SECOND = 96_000  # of transcoded audio, per channel
# Layouts for sources that specify only the number of channels.
LAYOUTS = {1: "mono", 4: "quad", 6: "5.1", 8: "7.1"}


class Audio:
    """Audio transcoded to another codec.

    Args:
      stream: stream of the source.
      container: PyAV's output container.
      codec: FFmpeg's name of the encoder.
      wanted: layout, sample rate and bit rate of the output.
      stretch: factor of the duration; the pitch does not change.

    Attributes:
      stream: stream of the target.
      damaged: number of packets that could not be decoded.
    """

    def __init__(
        self, stream: Any, container: Any, codec: str, wanted: dict[str, Any], stretch: int = 1
    ):
        self._decoder, self._stretch = stream.codec_context, stretch
        self._tempo: Any = None  # filter graph that slows the audio
        self.damaged = 0
        self.stream = container.add_stream(codec, **wanted)
        self.stream.codec_context.open()
        self._resampler: av.AudioResampler | None = None
        self._taken: tuple = ()  # input format of the resampler

    @classmethod
    def nearest(
        cls,
        stream: Any,
        container: Any,
        codec: str,
        *,
        rates: list[int] | None = None,
        stretch: int = 1,
    ) -> "Audio | None":
        """A transcoder to the layout and sample rate nearest to the source's that `codec` supports,
        with a rate among `rates` if given; None if there is none."""
        wanted = next(_encodings(stream.codec_context, codec, rates), None)
        return None if wanted is None else cls(stream, container, codec, wanted, stretch)

    def packets(self, packet: av.Packet | None) -> list[av.Packet]:
        """Transcode a packet; None: return the buffered rest."""
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            frames = []
        even = [piece for frame in frames for piece in self._resampled(frame)]
        if packet is None:
            even += [*self._rest(), None]
        return [out for frame in even for out in self.stream.encode(frame)]

    def _resampled(self, frame):
        """Resample a frame for the encoder; in broadcasts, layout and rate may change midway."""
        taken, rest = (frame.format.name, frame.layout.name, frame.sample_rate), []
        if taken != self._taken:
            rest, encoder = self._rest(), self.stream.codec_context
            self._taken = taken
            self._resampler = av.AudioResampler(encoder.format, encoder.layout, encoder.sample_rate)
            self._tempo = _slowing(frame, self._stretch) if self._stretch > 1 else None
        return [*rest, *self._resample(self._slowed(frame))]

    def _rest(self):
        if not self._resampler:
            return []
        slowed = self._slowed(None) if self._tempo else []
        return [*self._resample(slowed), *self._resampler.resample(None)]

    def _resample(self, frames):
        return [piece for frame in frames for piece in self._resampler.resample(frame)]

    def _slowed(self, frame):
        """Slow down a frame; None: return the buffered rest."""
        if not self._tempo:
            return [frame]
        self._tempo.push(frame)
        frames = []
        with contextlib.suppress(av.BlockingIOError, av.EOFError):
            while True:
                frames.append(self._tempo.pull())
        return frames


class Text:
    """Subtitles transcoded to another text format.

    Attributes:
      stream: stream of the target.
      damaged: number of packets that could not be decoded.
    """

    def __init__(self, stream: Any, container: Any, codec: str):
        self._decoder = stream.codec_context
        self.damaged = 0
        if not self._decoder.is_open:
            self._decoder.open()
        self.stream = container.add_stream(codec)
        self.stream.codec_context.subtitle_header = self._decoder.subtitle_header

    def packets(self, packet: av.Packet | None) -> list[av.Packet]:
        """Transcode a packet; None at the end, where nothing is buffered."""
        if packet is None:
            return []
        try:
            subtitle = self._decoder.decode2(packet)
            if not subtitle:
                return []
            encoded = self.stream.codec_context.encode_subtitle(subtitle)
        except av.FFmpegError:
            self.damaged += 1
            return []
        encoded.stream, encoded.time_base = self.stream, packet.time_base
        encoded.pts, encoded.dts, encoded.duration = packet.pts, packet.dts, packet.duration
        return [encoded]


def _slowing(frame, stretch):
    """A filter graph that slows audio with the format of a frame."""
    graph = av.filter.Graph()
    nodes = [
        graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=frame.time_base,
        )
    ]
    tempo = 1 / stretch
    while tempo < 1:
        step = max(tempo, SLOWEST)
        nodes.append(graph.add("atempo", f"{step:.12g}"))
        tempo /= step
        if step > SLOWEST:
            break
    graph.link_nodes(*nodes, graph.add("abuffersink")).configure()
    return graph


def _encodings(decoder, codec, rates) -> Iterator[dict[str, Any]]:
    """Yield layouts and rates that `codec` supports, those nearest to the decoder's first."""
    layout, rate = decoder.layout.name, decoder.sample_rate
    if not (rate and decoder.channels):
        return  # no audio was found when the file was opened
    rates = rates or av.Codec(codec, "w").audio_rates or [rate]
    rate = min((known for known in rates if known >= rate), default=max(rates))
    near = layout.partition("(")[0]  # AC-3's 5.1(side) is 5.1 to Opus
    for name in dict.fromkeys((layout, near, LAYOUTS.get(decoder.channels, "stereo"), "stereo")):
        bits = BITS_PER_SECOND * av.AudioLayout(name).nb_channels
        trial = av.CodecContext.create(codec, "w")
        trial.layout, trial.sample_rate, trial.bit_rate = name, rate, bits
        trial.format = trial.codec.audio_formats[0]
        try:
            trial.open()
        except av.FFmpegError:
            continue
        yield {"layout": name, "rate": rate, "bit_rate": bits}
