"""Where the curves of a still picture leave its axes: marks at the edge, and how far they go."""

from collections.abc import Iterable

import numpy as np

from cnnlesson.widgets.shared.measured import in_digits

__all__ = ["cut_marks"]

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LETTER = 6.5  # pixels, of words set in 12


def cut_marks(
    curves: Iterable[np.ndarray],
    *,
    box: tuple[float, float, float, float],
    ends: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[str, str]:
    """Mark where each curve first leaves, and write how far the farthest one goes.

    The live figure does the same, by the same rule: `markCut` in ``cut.js``.

    Parameters
    ----------
    curves : iterable of numpy.ndarray, shape (n, 2)
        Points of each, in the units of the axes.
    box : tuple of float
        Where the axes are: left, top, width and height, in pixels.
    ends : tuple of tuple of float
        The range of x, and that of y.

    Returns
    -------
    svg : str
        The marks and the words, as SVG; empty if nothing leaves.
    sentence : str
        The words as a sentence, with a space in front; likewise.
    """
    left, top, width, height = box
    (x_low, x_high), (y_low, y_high) = ends
    right, bottom = left + width, top + height
    farthest, places = 0.0, []
    for points in curves:
        x = left + (points[:, 0] - x_low) / (x_high - x_low) * width
        y = bottom - (points[:, 1] - y_low) / (y_high - y_low) * height
        lost = np.flatnonzero((y < top - 1) | (y > bottom + 1))
        if not lost.size:
            continue
        farthest = max([farthest, *points[lost, 1].tolist()], key=abs)
        now = lost[0]
        before = max(now - 1, 0)
        edge = top if y[now] < top else bottom
        rise = y[now] - y[before]
        part = (edge - y[before]) / rise if rise and abs(y[now]) < 1e9 else 0
        places.append((x[before] + part * (x[now] - x[before]), edge))
    if not places:
        return "", ""
    words = f"off the scale: {_written(farthest)}"
    signs = "".join(
        f"M{at:.1f},{edge:g}l-5,{-8 if edge > top else 8}h10z" for at, edge in sorted(places)
    )
    # Beside all the marks, where there is room: no curve passes there. In any case as a whole.
    first, last = min(places), max(places)
    size = _LETTER * len(words) + 9
    is_left = first[0] - left > size
    at, edge = first if is_left or last[0] + size >= right else last
    at = at - 9 if is_left else min(at + 9, right + 9 - size)
    anchor = ' text-anchor="end"' if is_left else ""
    svg = (
        f'<path d="{signs}" fill="currentColor"/><text x="{at:.1f}" '
        f'y="{edge - 4 if edge > top else edge + 12:g}" font-size="12" '
        f'fill="currentColor"{anchor}>{words}</text>'
    )
    return svg, f" {words.capitalize()}."


def _written(value: float) -> str:
    size, sign = abs(value), "−" * (value < 0)
    if size == np.inf:
        return f"beyond {sign}10³⁰⁸"
    if size < 1e4:
        return sign + in_digits(size)
    return f"{sign}10{str(round(np.log10(size))).translate(_RAISED)}"
