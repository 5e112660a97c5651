"""Images in a folder, and their order."""

from pathlib import Path

import pytest

from vfi_jax import images

SYSTEM = (
    *(".DS_Store", "._2.png", "Thumbs.db", "thumbs.db", "desktop.ini", ".nfs0001", ".gitkeep"),
    *("__MACOSX", ".hidden.png"),
)


def order(*names):
    return [path.name for path in images.natural(map(Path, names))]


def test_images_are_listed_in_natural_order(tmp_path):
    for name in ("img10.png", "img2.png", "img1.PNG", "notes.txt", *SYSTEM):
        (tmp_path / name).touch()
    found = [path.name for path in images.list_images(tmp_path)]
    assert found == ["img1.PNG", "img2.png", "img10.png"]


def test_no_system_file_is_found_below_a_folder(tmp_path):
    for folder in ("a", "a/__MACOSX", "__MACOSX", ".git"):
        (tmp_path / folder).mkdir(exist_ok=True)
        for name in ("1.png", *SYSTEM[:-2]):
            (tmp_path / folder / name).touch()
    assert images.walk(tmp_path) == [tmp_path / "a/1.png"]
    assert images.list_folders(tmp_path) == [tmp_path / "a"]


@pytest.mark.parametrize(
    "names",
    [
        ["shot -2.png", "shot -1.png", "shot 0.png", "shot 1.png"],
        ["f-10", "f-2", "f0", "f1"],  # the others have no hyphen: it is a sign
        ["f-2", "f-10"],  # and here it joins
        ["-3.png", "-1.png", "2.png"],
        ["x_-1", "x_0", "x_10"],
        ["2024-01-05", "2024-01-10", "2024-02-01"],
        ["m2.png", "m²", "m².png", "m³.png"],
        ["²1", "²2", "²10"],
        ["图１.png", "图２.png", "图１０.png"],
        ["é1", "e\u03012", "É3"],  # as macOS spells it and others
        ["01.png", "1.png", "02.png"],
        ["a.png", "B.png", "c.png"],
    ],
)
def test_numbers_sort_by_their_value_in_any_script(names):
    assert order(*reversed(names)) == names


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["f1", "f2", "f3", "f5", "f6"], [1, 1, 2, 1]),
        (["f0010", "f0020", "f0050"], [1, 3]),
        (["-2", "-1", "1"], [1, 2]),
        (["a1", "a2", "b5", "b7"], [1, 1, 2]),  # another series begins
        (["1_58", "1_59", "2_00"], [1, 1]),  # minutes and seconds
        (["f33", "f66", "f100"], None),  # milliseconds
        (["one", "two"], [1]),
        (["f7"], []),
    ],
)
def test_gaps_in_the_numbers_are_steps_in_time(names, wanted):
    assert images.spacing([Path(name) for name in names]) == wanted
