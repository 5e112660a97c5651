"""Sizes on the command line."""


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of "1280x720", which names the width first.

    Raises:
      ValueError: it is no such text.
    """
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ValueError(f"--size must be WIDTHxHEIGHT, such as 1280x720, got {text!r}")
    return int(height), int(width)
