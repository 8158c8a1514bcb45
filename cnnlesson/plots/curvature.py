"""Curvature along trainings, and the limits that theories set to it."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cnnlesson.plots.runs import plot_against

__all__ = ["plot_curvature", "plot_limit"]

_MARKERS = "osDv^P"
_NEAR_ZERO = 0.3  # below this the scale is linear: a curvature may be 0 or negative


def plot_curvature(
    frame: pd.DataFrame, y: str, limits: Mapping[float, float], *, ax: Axes | None = None
) -> Axes:
    """Plot a curvature along trainings, with the limit of each step size as a dashed line.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `cnnlesson.track_curvature`. Over the seeds, the median is drawn as a line and the
        range as a band.
    y : str
        Column: ``"sharpness"`` or ``"batch_sharpness"``.
    limits : mapping of float to float
        For each step size, where a theory expects the curvature to stop.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. The limits come first among its horizontal lines, in the order of the step sizes.
    """
    ax = plot_against(frame, "step", y, by="lr", ax=ax)
    lines = [line for line in ax.lines if str(line.get_label()).startswith("lr ")]
    for line, lr in zip(lines, sorted(frame["lr"].unique()), strict=True):
        line.set_label(f"α = {lr:g}")
        ax.axhline(limits[lr], color=line.get_color(), linestyle="--", linewidth=1.2)
    _scale(ax, frame[y])
    steps = sorted(frame["step"].unique())
    ax.set_xticks(steps, [f"{step:g}" for step in steps])
    ax.minorticks_off()
    ax.legend()
    return ax


def plot_limit(frame: pd.DataFrame, x: str, y: str, *, ax: Axes | None = None) -> Axes:
    """Plot a measured curvature against its limit, a point a run.

    Runs on the diagonal stand at their limit. A run that collapsed has a hollow marker.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per run, with the columns ``momentum``, ``has_collapsed``, ``x`` and ``y``.
    x, y : str
        Columns: the limit, positive, and what was measured.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. Each momentum has two groups of points: those that worked, those that did not.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    for number, (momentum, group) in enumerate(frame.groupby("momentum")):
        works = group[~group["has_collapsed"]]
        fails = group[group["has_collapsed"]]
        look: dict[str, Any] = {
            "marker": _MARKERS[number % len(_MARKERS)],
            "linestyle": "none",
            "markersize": 6,
        }
        (line,) = ax.plot(works[x], works[y], alpha=0.7, label=f"μ = {momentum:g}", **look)
        color = line.get_color()
        ax.plot(fails[x], fails[y], color=color, fillstyle="none", **look)
    ends = np.array([frame[x].min() / 1.5, frame[x].max() * 1.5])
    ax.plot(ends, ends, color="0.4", linestyle="--", linewidth=1.2)
    ax.set(xscale="log", xlabel=x, ylabel=y)
    _scale(ax, frame[y])
    ax.legend()
    return ax


def _scale(ax: Axes, values: pd.Series) -> None:
    """Make the vertical axis logarithmic, as far as the values allow."""
    if (values > 0).all():
        ax.set_yscale("log")
    else:
        ax.set_yscale("symlog", linthresh=_NEAR_ZERO)
