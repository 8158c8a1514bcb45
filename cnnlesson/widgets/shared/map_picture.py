"""A map of measured runs as a still picture: a step size a column, a momentum a row."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from statistics import median
from typing import Any

from cnnlesson.experiments.run import RunResult
from cnnlesson.widgets.shared.measured import in_digits
from cnnlesson.widgets.shared.svg import svg_image

__all__ = ["map_frame", "map_picture", "median_accuracy"]

_LEFT, _WIDTH, _ROW = 72, 560, 28  # pixels


def median_accuracy(runs: Sequence[RunResult]) -> float:
    """Return the median test accuracy of runs, a diverged one counting as worse than any other.

    Parameters
    ----------
    runs : sequence of RunResult
        The runs of one cell.

    Returns
    -------
    float
        0 to 1; NaN if there are none, if half of them diverged, or more.
    """
    ranks = [-math.inf if r.status == "diverged" else r.test_accuracy for r in runs]
    middle = median(ranks) if ranks else math.nan
    return middle if math.isfinite(middle) else math.nan


def map_frame(
    axes: Mapping[str, Sequence[Any]],
    rates: tuple[float, float],
    momenta: tuple[float, float],
) -> str:
    """Return a frame around some cells.

    Parameters
    ----------
    axes : mapping of str to sequence
        The values of ``lr`` and of ``momentum``, sorted.
    rates, momenta : tuple of float
        The first and the last value that is inside.

    Returns
    -------
    str
        An SVG path; empty if one of the values is not on the map.
    """
    columns, rows = axes["lr"], axes["momentum"]
    if not {*rates} <= {*columns} or not {*momenta} <= {*rows}:
        return ""
    width = _WIDTH / len(columns)
    (left, right), (bottom, top) = map(columns.index, rates), map(rows.index, momenta)
    x, y = _LEFT + width * left, _ROW * (len(rows) - 1 - top)
    across, down = width * (right - left + 1) - 2, _ROW * (top - bottom + 1) - 2
    box = f"M{x + 1:.1f},{y + 1}h{across:.1f}v{down}h{-across:.1f}z"
    return f'<path d="{box}" fill="none" stroke="currentColor" stroke-width="3"/>'


def map_picture(
    axes: Mapping[str, Sequence[Any]],
    cells: Mapping[tuple[float, float], Sequence[RunResult]],
    *,
    over: str = "",
) -> str:
    """Return a map: the darker a cell, the fewer errors its median has.

    Parameters
    ----------
    axes : mapping of str to sequence
        The values of ``lr`` and of ``momentum``, sorted.
    cells : mapping of tuple to sequence of RunResult
        The runs of each step size and momentum. What is missing stays blank.
    over : str, default ""
        SVG to be put over the cells.

    Returns
    -------
    str
        An ``<svg>``.
    """
    rates, momenta = axes["lr"], axes["momentum"][::-1]
    width, bottom = _WIDTH / len(rates), _ROW * len(momenta)
    tiles = signs = ""
    for (j, momentum), (i, lr) in product(enumerate(momenta), enumerate(rates)):
        runs = cells.get((lr, momentum), [])
        x, y = _LEFT + width * i, _ROW * j
        if runs:
            shade = 0.05 + 0.75 * _shade(median_accuracy(runs))
            box = f"M{x + 1:.1f},{y + 1}h{width - 2:.1f}v26h{2 - width:.1f}z"
            tiles += f'<path d="{box}" fill-opacity="{shade:.2f}"/>'
        statuses = {result.status for result in runs}
        if sign := "×" * ("diverged" in statuses) + "○" * ("dead" in statuses):
            signs += f'<text x="{x + width / 2:.1f}" y="{y + 19}">{sign}</text>'
    rows = "".join(
        f'<text x="64" y="{_ROW * j + 19}">{in_digits(momentum)}</text>'
        for j, momentum in enumerate(momenta)
    )
    label = (
        "A map of measured runs: step size "
        f"from {in_digits(rates[0])} to {in_digits(rates[-1])} to the right, momentum upward. "
        "The darker a cell, the higher its median test accuracy; a cross where a run diverged, "
        "a ring where a network is dead, nothing where nothing was measured."
    )
    body = (
        f'<g fill="currentColor">{tiles}</g>{over}'
        f'<g fill="currentColor" font-size="13" text-anchor="middle">{signs}'
        f'<text x="86" y="{bottom + 18}">α = {in_digits(rates[0])}</text>'
        f'<text x="610" y="{bottom + 18}">{in_digits(rates[-1])}</text></g>'
        '<g fill="currentColor" font-size="13" text-anchor="end">'
        f'{rows}<text x="20" y="19">μ</text></g>'
    )
    return svg_image(body, label=label, size=(640, bottom + 24))


def _shade(accuracy: float) -> float:
    """Return 0 for errors only, 1 for one in a hundred, in equal steps for equal factors."""
    return min(-math.log10(max(1 - accuracy, 0.01)) / 2, 1) if accuracy > 0 else 0
