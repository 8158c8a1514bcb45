"""Paired differences of runs, seed by seed, with an interval for their mean."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

__all__ = ["plot_differences"]


def plot_differences(
    differences: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    xlabel: str = "difference",
    linthresh: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot every difference as a dot, and the interval of each mean as a bar.

    Parameters
    ----------
    differences : pandas.DataFrame
        One row per seed, one column per comparison.
    intervals : pandas.DataFrame
        One row per comparison, with the columns ``low``, ``mean`` and ``high``.
    xlabel : str, default "difference"
        What is compared, and its unit.
    linthresh : float, optional
        The axis is linear up to this distance from 0 and logarithmic beyond, for differences of
        very different sizes. Linear throughout without it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. The first comparison is at the top, at the height 0.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    heights = np.arange(len(intervals))
    reach = np.abs(intervals[["low", "high"]].sub(intervals["mean"], axis=0)).to_numpy().T
    if linthresh is not None:  # before anything is drawn, for the margins to be those of this scale
        ax.set_xscale("symlog", linthresh=linthresh)
        ax.xaxis.set_major_formatter("{x:g}")
    ax.axvline(0, color="0.4", linewidth=1)
    ax.errorbar(
        intervals["mean"], heights, xerr=reach, fmt="|", color="0.2", capsize=4, markersize=12
    )
    for height, name in zip(heights, intervals.index, strict=True):
        ax.plot(
            differences[name],
            np.full(len(differences), height),
            marker="o",
            linestyle="none",
            alpha=0.5,
            color="C0",
        )
    ax.set_yticks(heights, intervals.index)
    ax.set(xlabel=xlabel, ylim=(len(intervals) - 0.5, -0.5))
    ax.grid(visible=False, axis="y")
    return ax
