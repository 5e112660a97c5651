"""The pictures of the pages, drawn by the library itself: `python -m docs.figures`."""
