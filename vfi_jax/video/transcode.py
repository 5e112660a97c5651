"""Audio and subtitles in another codec, where a target does not take the source's."""

import contextlib
from collections.abc import Iterator
from typing import Any

import av
import av.filter

SLOWEST = 0.5  # of FFmpeg's atempo; slower takes several
BITS_PER_SECOND = 96_000  # of transcoded audio, for each channel
# Where a source says how many channels there are and not where they are heard.
LAYOUTS = {1: "mono", 4: "quad", 6: "5.1", 8: "7.1"}


class Audio:
    """Sound decoded and encoded with another codec.

    Args:
      stream: of the source.
      container: PyAV's output container.
      codec: FFmpeg's name of the encoder.
      wanted: layout, rate and bit rate.
      stretch: how many times as long it takes; the pitch stays.

    Attributes:
      stream: of the target.
      damaged: packets that could not be decoded.
    """

    def __init__(
        self, stream: Any, container: Any, codec: str, wanted: dict[str, Any], stretch: int = 1
    ):
        self._decoder, self._stretch = stream.codec_context, stretch
        self._tempo: Any = None  # filters that slow the sound
        self.damaged = 0
        self.stream = container.add_stream(codec, **wanted)
        self.stream.codec_context.open()
        self._resampler: av.AudioResampler | None = None
        self._taken: tuple = ()  # what the resampler takes

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
        """A transcoder into the layout and rate nearest to the source's that `codec` takes, of
        `rates` alone where given; None where there is none."""
        wanted = next(_encodings(stream.codec_context, codec, rates), None)
        return None if wanted is None else cls(stream, container, codec, wanted, stretch)

    def packets(self, packet: av.Packet | None) -> list[av.Packet]:
        """What becomes of a packet; None: what is still held."""
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
        """A frame as the encoder takes it; broadcasts change layout and rate on the way."""
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
        """What comes out of the filters for a frame; None: what is still in them."""
        if not self._tempo:
            return [frame]
        self._tempo.push(frame)
        frames = []
        with contextlib.suppress(av.BlockingIOError, av.EOFError):
            while True:
                frames.append(self._tempo.pull())
        return frames


class Text:
    """Subtitles as another text format.

    Attributes:
      stream: of the target.
      damaged: packets that could not be decoded.
    """

    def __init__(self, stream: Any, container: Any, codec: str):
        self._decoder = stream.codec_context
        self.damaged = 0
        if not self._decoder.is_open:
            self._decoder.open()
        self.stream = container.add_stream(codec)
        self.stream.codec_context.subtitle_header = self._decoder.subtitle_header

    def packets(self, packet: av.Packet | None) -> list[av.Packet]:
        """What becomes of a packet; None: what is still held."""
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
    """A filter graph that makes sound like a frame's slower."""
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
    """What `codec` can be asked for in the place of what is decoded, the nearest first."""
    layout, rate = decoder.layout.name, decoder.sample_rate
    if not (rate and decoder.channels):
        return  # nothing of the sound was found where the file was opened
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
