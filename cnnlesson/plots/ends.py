"""How trainings end, over the step size: curvature with its two limits, and accuracy."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

__all__ = ["plot_ends"]

_LOOKS = {
    "works": ("o", "full", "C0"),
    "slow": ("o", "none", "C0"),
    "astray": ("D", "none", "C1"),
    "dead": ("X", "full", "C1"),
    "exploded": ("^", "full", "C1"),
}


def plot_ends(
    measured: pd.DataFrame, runs: pd.DataFrame, edges: Mapping[float, float]
) -> np.ndarray:
    """Plot batch sharpness above and accuracy below, a column a momentum and a point a run.

    Parameters
    ----------
    measured : pandas.DataFrame
        Runs whose curvature was measured, with the columns ``lr``, ``momentum``, ``end`` as
        `cnnlesson.find_ends` gives it, and ``batch_sharpness``. One that is 0 or
        negative, as of a dead network, lies off the logarithmic axis.
    runs : pandas.DataFrame
        Runs with the columns ``lr``, ``momentum``, ``end`` and ``test_accuracy``.
    edges : mapping of float to float
        The step size of the edge, a dotted line, for each momentum that has a column.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        The axes, (2, number of momenta). The dashed lines above are 2(1 + μ)/α and 2(1 − μ)/α.
    """
    size = (0.6 + 3 * len(edges), 6.8)
    options: dict[str, Any] = {
        "sharex": "col",
        "sharey": "row",
        "squeeze": False,
        "layout": "constrained",
    }
    figure, axes = plt.subplots(2, len(edges), figsize=size, **options)
    ends = [end for end in _LOOKS if end in {*measured["end"], *runs["end"]}]
    for (top, bottom), (momentum, edge) in zip(axes.T, edges.items(), strict=True):
        _points(top, measured[measured["momentum"] == momentum], "batch_sharpness", ends)
        _points(bottom, runs[runs["momentum"] == momentum], "test_accuracy", ends)
        steps = np.geomspace(runs["lr"].min(), runs["lr"].max(), 2)
        for sign, color, name in ((1, "C2", "2(1 + μ)/α"), (-1, "C3", "2(1 − μ)/α")):
            limit = 2 * (1 + sign * momentum) / steps
            top.plot(steps, limit, "--", color=color, linewidth=1.2, label=name)
        for ax in (top, bottom):
            ax.axvline(edge, color="0.4", linestyle=":", linewidth=1.4, label="edge")
        top.set(title=f"μ = {momentum:g}", xscale="log", yscale="log", ylim=(0.3, 300))
        bottom.set(xlabel="α", ylim=(0, 1))
    axes[0, 0].set(ylabel="batch sharpness")
    axes[1, 0].set(ylabel="test accuracy")
    named = {line.get_label(): line for ax in axes[:, 0] for line in ax.lines}
    figure.legend(
        named.values(), named, loc="outside lower center", ncols=len(named), frameon=False
    )
    return axes


def _points(ax: Axes, rows: pd.DataFrame, y: str, ends: list[str]) -> None:
    for end in ends:
        marker, fill, color = _LOOKS[end]
        points = rows[rows["end"] == end]
        look: dict[str, Any] = {
            "marker": marker,
            "fillstyle": fill,
            "color": color,
            "markersize": 5,
        }
        ax.plot(points["lr"], points[y], linestyle="none", label=end, **look)
