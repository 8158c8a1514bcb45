"""What figures of pixels share: the digits, what a reader draws on them, and still pictures."""

import math
import re
from collections.abc import Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import Any

import torch
from torch import Tensor
from traitlets import HasTraits, TraitError

from cnnlesson.data import load_digits
from cnnlesson.widgets.shared.settings import Setting

__all__ = ["CELL", "Drawing", "digits", "drawn_on", "frame", "shaded"]

CELL = 10  # pixels of a still picture to a pixel of the image
_LEVELS = 4  # shades of one sign in a still picture
# Where one clear digit of each class stands among scikit-learn's.
_PLACES = (0, 42, 50, 45, 41, 32, 34, 27, 38, 31)
# How much ink the pen leaves, or the eraser takes, where it is and beside.
_BRUSHES = {
    ".": [(0, 0, 1.0), (0, 1, 0.6), (1, 0, 0.6), (0, -1, 0.6), (-1, 0, 0.6)],
    "-": [(i, j, 1.0) for i in (-1, 0, 1) for j in (-1, 0, 1)],  # all of a pen's stroke
}
_LENGTH = 4000  # characters of a drawing: an address takes no more


@cache
def digits() -> Tensor:
    """Return the ten digits in whole hundredths from 0 to 1, shape (10, 28, 28), float64."""
    ink = load_digits("sklearn").images[list(_PLACES), 0].double() / 255
    # Hundredths, so that the products shown add up exactly to the sum shown. Pixels are multiples
    # of 1/1600: the small term rounds halves up whatever float32 made of them.
    return (100 * ink + 0.5 + 1e-4).floor() / 100


class Drawing(Setting):
    """What a reader draws on a digit, as text short enough for an address.

    The text is perhaps ``_``, a clean sheet in place of the digit, and then strokes. A stroke is
    ``.`` for the pen, ``-`` for the eraser or ``*`` for turning single pixels over, then the
    pixels it goes through: a row and a column each, written to base 28 as ``0`` to ``r``. Pen and
    eraser go from pixel to pixel in straight lines. So ``"_.58okok"`` is a line on a clean sheet.

    Parameters
    ----------
    default_value : str, default ""
        What is drawn when a figure starts.
    samples : sequence of str, optional
        Drawings to choose from. The limits sent to JavaScript are the pattern of such texts, and
        these.
    """

    pattern = rf"(?=.{{0,{_LENGTH}}}$)_?(?:[.*-](?:[0-9a-r]{{2}})+)*"

    def __init__(self, default_value: str = "", samples: Sequence[str] = ()) -> None:
        super().__init__(default_value, {"pattern": self.pattern, "samples": list(samples)})

    def validate(self, obj: HasTraits, value: Any) -> str:
        """Return ``value``, if it is within the limits."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise TraitError(
                f"{self.name}: expected strokes such as '.58ok', in at most {_LENGTH} characters, "
                f"found {value!r:.60}"
            )
        return value


def drawn_on(image: Tensor, drawing: str) -> Tensor:
    """Return the image with the drawing on it.

    Parameters
    ----------
    image : torch.Tensor, shape (28, 28), float64
        Ink from 0 to 1. Not modified.
    drawing : str
        See `Drawing`.

    Returns
    -------
    torch.Tensor, shape (28, 28), float64
        Ink from 0 to 1.
    """
    drawn = torch.zeros_like(image) if drawing.startswith("_") else image.clone()
    for tool, path in re.findall(r"([.*-])(\w+)", drawing):
        places = [(int(i, 28), int(j, 28)) for i, j in zip(path[::2], path[1::2], strict=True)]
        for i, j in places if tool == "*" else _line(places):
            if tool == "*":
                drawn[i, j] = 1.0 if drawn[i, j] < 0.5 else 0.0
                continue
            for down, right, most in _BRUSHES[tool]:
                y, x = i + down, j + right
                if 0 <= y < 28 and 0 <= x < 28:
                    ink = drawn[y, x].item()
                    drawn[y, x] = max(ink, most) if tool == "." else min(ink, 1 - most)
    return drawn


def _line(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return every pixel on the way from place to place."""
    line = places[:1]
    for start, end in pairwise(places):
        steps = max(*(abs(b - a) for a, b in zip(start, end, strict=True)), 1)
        line += [
            tuple(  # type: ignore[misc]
                math.floor(a + (step / steps) * (b - a) + 0.5)
                for a, b in zip(start, end, strict=True)
            )
            for step in range(1, steps + 1)
        ]
    return line


def shaded(values: Tensor, ground: str, colours: list[str]) -> str:
    """Return values from -1 to 1 as SVG: the first colour for positive ones, the second for others.

    Parameters
    ----------
    values : torch.Tensor, shape (n, n)
        What to show, in a few shades.
    ground : str
        The colour of 0.
    colours : list of str
        The colour of 1, and that of -1 if there are negative values.

    Returns
    -------
    str
        A ``<rect>`` and a ``<g>``, ``CELL`` pixels a value.
    """
    size = CELL * len(values)
    # Rounded first: what lies between two shades must fall to the same side on every machine.
    levels = (_LEVELS * values).round(decimals=9).add(0.5).floor().int().tolist()
    runs: dict[int, str] = {}
    for i, row in enumerate(levels):
        start = 0
        for level, run in groupby(row):
            length = len(list(run))
            runs[level] = f"{runs.get(level, '')}M{start},{i}h{length}"
            start += length
    paths = "".join(
        f'<path d="{runs[level]}" stroke="{colours[level < 0]}" '
        f'stroke-opacity="{abs(level) / _LEVELS}"/>'
        for level in sorted(runs)
        if level
    )
    return (
        f'<rect width="{size}" height="{size}" fill="{ground}" stroke="#888"/>'
        f'<g transform="translate(0,{CELL / 2}) scale({CELL})">{paths}</g>'
    )


def frame(row: int, column: int, size: int) -> str:
    """Return the frame around a square of pixels, as SVG.

    Parameters
    ----------
    row, column : int
        The square's first row and column in what is drawn, from 0.
    size : int
        Side of the square, in pixels of the image.

    Returns
    -------
    str
        A ``<rect>``, ``CELL`` pixels of the picture to one of the image.
    """
    return (
        f'<rect x="{CELL * column}" y="{CELL * row}" width="{CELL * size}" '
        f'height="{CELL * size}" fill="none" stroke="#ffc400" stroke-width="3"/>'
    )
