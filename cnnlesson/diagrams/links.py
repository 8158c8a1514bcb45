"""How two stages of a diagram are joined: by lines, and by a window and the pixel that it makes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cnnlesson.diagrams.glyphs import Glyph, Line
from cnnlesson.diagrams.stages import Stage, Window

__all__ = ["Link", "link"]

Share = tuple[float, float]
# What looks at one channel for each of its own.
_CHANNEL_BY_CHANNEL = ("Pool", "Upsample", "Pad", "pad")


class Link(NamedTuple):
    """How two stages are joined.

    Attributes
    ----------
    lines : list of tuple of numpy.ndarray
        Start and end of each, shape (2,), in points.
    window, pixel : numpy.ndarray, shape (4, 2), or None
        Corners of a window on the first stage, and of the pixel that it makes on the second.
    """

    lines: list[Line]
    window: np.ndarray | None = None
    pixel: np.ndarray | None = None


def link(left: Glyph, right: Glyph, before: Stage, after: Stage, number: int) -> Link:
    """Join two stages by the window of one pixel, or all of one and the other; else by nothing.

    Parameters
    ----------
    left, right : Glyph
        The stages as drawn, in their places.
    before, after : Stage
        The same stages.
    number : int
        Number of the second one: the pixel lies elsewhere in turns.

    Returns
    -------
    Link
        What to draw between them.
    """
    if after.window is None:
        flat = len(after.shape) == 1
        if not (flat or after.mixes):
            return Link([])
        ends = [right.entry.at(0, v) if flat else right.entry.at(0.5, 0.5) for v in (0, 1)]
        return Link([(left.exit.at(1, v), end) for v, end in zip((0, 1), ends, strict=True)])
    look = left.looks[number % 2]
    seen, taken = _look(after.window, before.shape[1:], after.shape[1:], look)
    window, pixel = left.exit.part(*seen), right.entry.part(*taken)
    each_alone = any(part in after.kind for part in _CHANNEL_BY_CHANNEL)
    through = left.channels / (before.shape[0] if each_alone else 1)
    lines = [(corner + through, corner) for corner in window if through.any()]
    lines += [(corner, pixel.mean(axis=0)) for corner in window[1:3]]
    return Link(lines, window, pixel)


def _look(
    window: Window, sizes: Sequence[int], positions: Sequence[int], where: tuple[float, float]
) -> tuple[list[Share], list[Share]]:
    """Pick an output pixel; return which part of the map before it sees, and which it takes."""
    seen, taken = [], []
    for axis, share in enumerate(where[-len(sizes) :]):
        pixel = round(share * (positions[axis] - 1))
        start, stop = window.seen_by(pixel, axis)
        first, last = (min(max(place, 0), sizes[axis]) for place in (start, stop))
        seen.append((first / sizes[axis], last / sizes[axis]))
        taken.append((pixel / positions[axis], (pixel + 1) / positions[axis]))
    rows = [(0.0, 1.0)] * (2 - len(sizes))  # a signal has none, and fills its strip
    return [*seen[::-1], *rows], [*taken[::-1], *rows]
