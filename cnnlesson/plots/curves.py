"""Losses and results of one run or several."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from cnnlesson.training import History

__all__ = ["plot_curves", "plot_history", "plot_spread"]


def plot_history(history: History, *, ax: Axes | None = None) -> Axes:
    """Plot the losses of a training, epoch by epoch.

    Parameters
    ----------
    history : History
        What ``train_model`` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    frame = history.to_frame()
    for column, label in (("train_loss", "training"), ("val_loss", "validation")):
        if column in frame:
            ax.plot(frame.index, frame[column], marker="o", label=label)
    ax.set(xlabel="epoch", ylabel="loss", xticks=frame.index)
    ax.legend()
    return ax


def plot_curves(
    curves: Mapping[str, ArrayLike],
    *,
    start: int = 1,
    xlabel: str = "step",
    ylabel: str = "loss",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Plot labelled curves; several runs of one kind share a colour.

    Parameters
    ----------
    curves : mapping of str to array_like
        Label, and either one curve, shape (steps,), or several runs, shape (runs, steps). Runs are
        drawn thin, their median thick.
    start : int, default 1
        Number of the first step; 0 for a curve that begins before any step is taken.
    xlabel : str, default "step"
        Label of the horizontal axis.
    ylabel : str, default "loss"
        Label of the vertical axis.
    log : bool, default False
        Whether the vertical axis is logarithmic.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    for label, values in curves.items():
        runs = np.atleast_2d(np.asarray(values, dtype=float))
        steps = np.arange(start, start + runs.shape[1])
        (line,) = ax.plot(steps, np.median(runs, axis=0), label=label)
        if len(runs) > 1:
            ax.plot(steps, runs.T, color=line.get_color(), linewidth=0.7, alpha=0.5)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    ax.legend()
    return ax


def plot_spread(frame: pd.DataFrame, x: str, y: str, *, ax: Axes | None = None) -> Axes:
    """Plot every run as a dot, and the median of each group as a line.

    The dots of a group stand side by side in the order of the table, so that each can be told apart
    and the picture is the same every time.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per run.
    x, y : str
        Columns: the setting, one group per value, and the result.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    order = sorted(frame[x].unique())
    for i, value in enumerate(order):
        results = frame.loc[frame[x] == value, y]
        aside = 0.08 * np.linspace(-1, 1, len(results)) if len(results) > 1 else 0
        ax.scatter(np.full(len(results), i) + aside, results, s=49, color="C0", alpha=0.7)
    ax.set(xticks=range(len(order)), xticklabels=order, xlabel=x, ylabel=y)
    medians = frame.groupby(x)[y].median()
    ax.hlines(medians[order], np.arange(len(order)) - 0.2, np.arange(len(order)) + 0.2, color="0.2")
    return ax
