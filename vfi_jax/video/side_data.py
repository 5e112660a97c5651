"""Side data of decoded frames."""

import av
import av.filter
from av.sidedata.sidedata import Type

KINDS = 64  # more than FFmpeg has (32 in version 8)


def side_data(frame: av.VideoFrame, kind: Type) -> bytes | None:
    """The bytes of one kind of a frame's side data; None if the frame has none.

    Args:
      frame: a decoded frame.
      kind: the kind, such as `Type.DISPLAYMATRIX`.
    """
    try:
        found = _carried(frame, kind)
    except ValueError:
        # PyAV 18 fails for all side data if FFmpeg attached a kind that PyAV does not know, such as
        # a photo's EXIF.
        found = _carried(_with_known_kinds(frame), kind)
    return None if found is None else bytes(found)


def _carried(frame, kind):
    return frame.side_data.get(kind)


def _with_known_kinds(frame):
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    unknown = set(range(KINDS)).difference(kind.value for kind in Type)
    filters = [graph.add("sidedata", mode="delete", type=str(kind)) for kind in sorted(unknown)]
    graph.link_nodes(source, *filters, graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()
