"""Command-line options: a wrong one is an error of one line."""

import contextlib
import dataclasses
import io
from typing import Literal

import pytest
import tyro

from vfi_jax import arguments


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a toy command."""

    name: tyro.conf.Positional[str]
    """Positional argument."""
    multi: int | None = None
    """An optional number."""
    threshold: float = 0.5
    """A number."""
    mode: Literal["slow", "fast"] | None = None
    """An optional choice."""
    size: tuple[int, int] | None = None
    """Two optional numbers."""


def parse(*words):
    return arguments.parse(Options, words, prog="toy")


def test_options_are_parsed():
    assert parse("a") == Options(name="a")
    words = ["a", "--multi", "3", "--threshold", "1", "--mode", "fast", "--size", "4", "5"]
    assert parse(*words) == Options(name="a", multi=3, threshold=1, mode="fast", size=(4, 5))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "missing from toy: STR Positional argument (see toy --help)"),
        ("a --mult 3", "unrecognized options: --mult, 3; did you mean --multi? (see toy --help)"),
        ("a --multi 2.5", "--multi: must be a whole number, got '2.5' (see toy --help)"),
        ("a --threshold x", "--threshold: must be a number, got 'x' (see toy --help)"),
        (
            "a --mult 3 --mod x",
            "unrecognized options: --mult, 3, --mod, x; did you mean --mode "
            "or --multi? (see toy --help)",
        ),
        (
            "a --mode warp",
            "invalid choice 'warp' for argument '--mode'. Expected one of ('slow', 'fast') "
            "(see toy --help)",
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_wrong_option_is_an_error_of_one_line(words, message, encoding):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding)  # tyro draws other boxes without UTF-8
    with contextlib.redirect_stdout(stdout), pytest.raises(ValueError, match="toy") as caught:
        parse(*words.split())
    assert str(caught.value) == message


def test_help_shows_an_optional_number_like_a_number(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--help")
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert "--multi INT " in shown
    assert "{None}" not in shown
