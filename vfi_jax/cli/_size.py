"""Sizes on the command line."""


def parse_size(text: str) -> tuple[int, int]:
    """(height, width) of a text such as "1280x720", which has the width first.

    Raises:
      ValueError: the text has another format.
    """
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ValueError(f"--size must be WIDTHxHEIGHT, such as 1280x720, got {text!r}")
    return int(height), int(width)
