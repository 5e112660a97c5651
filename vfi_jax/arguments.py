"""Command-line options, parsed by tyro; a wrong option is an error of one line."""

import contextlib
import dataclasses
import io
import re
import sys
import types
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

T = TypeVar("T")
NUMBERS: dict[Any, str] = {int: "a whole number", float: "a number"}
# Parts of tyro's error box.
RULE = r"\n ?[-─]{4,}\n"
SIMILAR = ("Perhaps you meant:", "Arguments similar to")
OPTION = r"^ {4,5}(?:-\w .*)?(--[\w-]+)"
REGISTRY = ConstructorRegistry()


def parse(
    kind: type[T],
    words: Sequence[str] | None = None,
    *,
    prog: str,
    description: str | None = None,
) -> T:
    """Parse a command line as an instance of the dataclass `kind`; `--help` prints help and exits.

    Args:
      kind: dataclass of the options.
      words: arguments after the name of the command; None: those of this process.
      prog: name of the command.
      description: text above the options in the help. None: the docstring of `kind`.

    Raises:
      ValueError: an option is unknown, missing or has a wrong value.
    """
    printed = io.StringIO()
    try:
        with REGISTRY, contextlib.redirect_stderr(printed):
            parsed = tyro.cli(kind, args=words, prog=prog, description=description)
    except SystemExit as end:
        if not end.code:
            raise
        raise ValueError(f"{_one_line(printed.getvalue())} (see {prog} --help)") from None
    sys.stderr.write(printed.getvalue())
    return parsed


@REGISTRY.primitive_rule
def _number(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """int and float, with an error in plain words."""
    if info.type not in NUMBERS:
        return None

    def read(words):
        try:
            return info.type(words[0])
        except ValueError:
            raise ValueError(f"must be {NUMBERS[info.type]}, got {words[0]!r}") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=info.type.__name__.upper(),
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, (int, float)),
        str_from_instance=lambda value: [str(value)],
    )


@REGISTRY.primitive_rule
def _optional(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """`T | None` is shown and read like T; None only means that the option is not given."""
    kinds = set(typing.get_args(info.type))
    if info.type_origin not in (typing.Union, types.UnionType) or len(kinds) != 2:
        return None
    if types.NoneType not in kinds:
        return None
    (kind,) = kinds - {types.NoneType}
    given = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(kind, info.markers))
    if not isinstance(given, PrimitiveConstructorSpec):
        return None
    return dataclasses.replace(
        given,
        is_instance=lambda value: value is None or given.is_instance(value),
        str_from_instance=lambda value: (
            ["None"] if value is None else given.str_from_instance(value)
        ),
    )


def _one_line(box: str) -> str:
    """tyro's error box as one line: the message, and the options with similar names."""
    # The first line is the title. Without UTF-8 the box has no borders, and a space on the left.
    lines = [line.lstrip("│")[1:].rstrip("│╯ ") for line in box.strip("\n").splitlines()[1:]]
    message, *rest = re.split(RULE, "\n".join(lines).strip("-─\n "), flags=re.MULTILINE)
    message = " ".join(message.split()).removeprefix("Error parsing ").replace(" (required)", "")
    message = re.sub(r" *\.$", "", message)
    similar = [text for text in rest if text.lstrip().startswith(SIMILAR)]
    near = sorted(re.findall(OPTION, "\n".join(similar), re.MULTILINE))
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return message[:1].lower() + message[1:] + hint
