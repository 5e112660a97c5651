import dataclasses

import pytest

from vfi_jax.cli import interpolate
from vfi_jax.video import Computing, Output, Timing, interpolate_video
from vfi_jax.video.loading import load
from vfi_jax.video.options import gathered, replaced

GROUPS = (Timing, Computing, Output)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"multi": 4, "fps": 60}, "give multi or fps, not both; got 4 and 60"),
        ({"fps": 1e9}, r"fps must be at most 1000 frames/s, got 1000000000\.0"),
        ({"source_fps": "1e9"}, "source_fps must be at most 1000"),
        ({"shutter": 400}, "shutter must be 0 to 360"),
    ],
)
def test_what_contradicts_or_cannot_be_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Timing(**given)


def test_memory_and_tiles_that_no_frame_fits_into_are_refused():
    with pytest.raises(
        ValueError, match=r"at least 16 MiB, got 0\.102 MiB; --memory counts in GiB"
    ):
        Computing(memory=0.0001 * 2**30)
    with pytest.raises(ValueError, match="tile must be at least 16 pixels, got 1"):
        Computing(tile=1)


def test_weights_that_are_nowhere_are_called_so():
    with pytest.raises(ValueError, match="weights 'nope': no such file or folder"):
        load(Computing(weights="nope", model="blend"))


def test_the_command_has_the_defaults_of_the_library():
    args = interpolate.Args(paths=("in.mp4", "out.mp4"))
    for group in GROUPS:
        assert gathered(group, args) == group()


def test_options_by_name_replace_fields_wherever_they_belong():
    timing, computing, output = replaced((Timing(slow=4), Computing(), Output()), {"multi": 8})
    assert (timing, computing, output) == (Timing(slow=4, multi=8), Computing(), Output())
    with pytest.raises(TypeError, match="unknown option 'codex'; did you mean codec"):
        interpolate_video("in.mp4", "out.mp4", codex="libx264")


def test_no_name_belongs_to_two_groups():
    names = [field.name for group in GROUPS for field in dataclasses.fields(group)]
    assert len(names) == len(set(names))
