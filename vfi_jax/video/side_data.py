"""What decoded frames carry beside their pixels."""

import av
import av.filter
from av.sidedata.sidedata import Type

KINDS = 64  # more than FFmpeg has (32 in version 8)


def side_data(frame: av.VideoFrame) -> dict[str, bytes]:
    """The side data of a frame by the names that PyAV has for it, such as "DISPLAYMATRIX".

    PyAV gives none of it where FFmpeg has added a kind that it has no name for, such as a photo's
    EXIF; those are left out here.
    """
    try:
        return _named(frame)
    except ValueError:
        return _named(_with_known_kinds(frame))


def _named(frame):
    return {one.type.name: bytes(one) for one in frame.side_data}


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
