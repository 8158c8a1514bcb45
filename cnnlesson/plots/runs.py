"""Measured runs: a map of their accuracy, and a result against a setting."""

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import FuncNorm
from matplotlib.patheffects import withStroke

__all__ = ["plot_accuracy_map", "plot_against", "plot_edge"]

_BEST = 0.99  # the end of the scale of colours
_TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.98)


def plot_accuracy_map(
    frame: pd.DataFrame,
    *,
    by: str = "momentum",
    effective: Iterable[float] = (),
    ax: Axes | None = None,
) -> Axes:
    """Plot the median test accuracy at every step size and momentum.

    Equal steps of colour are equal factors in the share of errors. In a median a diverged run
    counts as worse than any other; a cell half of whose runs diverged, or more, stays white. A
    cross marks a cell in which a run diverged, a ring one in which a network ended dead.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per run, with the columns ``lr``, ``momentum``, ``test_accuracy`` and ``status``.
    by : str, default "momentum"
        Column whose values have a row of cells each, the first at the bottom.
    effective : iterable of float, optional
        Effective step sizes. For each a line is drawn through where α/(1−μ) has this value; the
        rows must be those of momentum.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. The middles of columns and rows are whole numbers, from 0.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    has_diverged = frame["status"] == "diverged"
    ranks = frame.assign(rank=frame["test_accuracy"].mask(has_diverged, -np.inf))
    medians = ranks.pivot_table(
        index=by, columns="lr", values="rank", aggfunc="median", observed=True
    )
    columns, rows = medians.columns.to_numpy(), medians.index.to_numpy()
    norm = FuncNorm((_orders, lambda orders: 1 - 10.0**-orders), vmin=0, vmax=_BEST)
    mesh = ax.pcolormesh(
        np.arange(len(columns)),
        np.arange(len(rows)),
        np.ma.masked_invalid(medians),
        cmap="cividis",
        norm=norm,
        edgecolors="white",
        linewidth=0.5,
    )
    ax.figure.colorbar(mesh, ax=ax, ticks=_TICKS, format="%g", label="median test accuracy")
    ax.set_xticks(np.arange(len(columns)), [f"{lr:g}" for lr in columns], rotation=60)
    names = [value if isinstance(value, str) else f"{value:g}" for value in rows]
    ax.set_yticks(np.arange(len(rows)), names)
    ax.set(xlabel="step size α", ylabel="momentum μ" if by == "momentum" else by)
    ax.grid(visible=False)

    outline = [withStroke(linewidth=2.5, foreground="black")]
    for (row, lr), statuses in frame.groupby([by, "lr"], observed=True)["status"]:
        found = set(statuses)
        sign = "×" * ("diverged" in found) + "○" * ("dead" in found)
        if sign:
            place = medians.columns.get_loc(lr), medians.index.get_loc(row)
            ax.text(*place, sign, ha="center", va="center", color="white", path_effects=outline)
    for value in effective:
        rates = value * (1 - rows)
        x = np.interp(np.log(rates), np.log(columns), np.arange(len(columns)), np.nan, np.nan)
        label = f"α/(1−μ) = {value:g}"
        ax.plot(x, np.arange(len(rows)), color="white", path_effects=outline, label=label)
    if ax.lines:  # above the map: no colour of text is readable on all of it
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return ax


def plot_against(
    frame: pd.DataFrame, x: str, y: str, *, by: str | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the median of a result over the seeds as a line, and their range as a band.

    Where a run has no result, as a diverged one has no accuracy, neither is drawn: a cross at the
    bottom stands for the place.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per run.
    x, y : str
        Columns: the setting, along a logarithmic axis if all of it is positive, and the result.
    by : str, optional
        Column whose values have a line each.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    groups = [(None, frame)] if by is None else frame.groupby(by)
    for value, group in groups:
        runs = group.groupby(x)[y]
        is_whole = runs.apply(lambda values: values.notna().all())
        table = runs.agg(["min", "median", "max"]).where(is_whole)
        label = None if by is None else f"{by} {value:g}"
        (line,) = ax.plot(table.index, table["median"], marker="o", markersize=4, label=label)
        ax.fill_between(
            table.index, table["min"], table["max"], color=line.get_color(), alpha=0.2, linewidth=0
        )
        lost = table.index[~is_whole]
        ax.plot(
            lost,
            np.full(len(lost), 0.03),
            color=line.get_color(),
            marker="x",
            linestyle="none",
            transform=ax.get_xaxis_transform(),
        )
    ax.set(xlabel=x, ylabel=y, xscale="log" if (frame[x] > 0).all() else "linear")
    if by is not None:
        ax.legend()
    return ax


def plot_edge(edges: pd.Series, *, ax: Axes | None = None) -> Axes:
    """Plot the step size at which learning ends against momentum, beside two predictions.

    Both predictions start where the median of the edges is at the smallest momentum. Along one
    α/(1−μ) stays the same, along the other α/(1+μ), as on the bound of a quadratic loss.

    Parameters
    ----------
    edges : pandas.Series
        Step sizes, indexed by ``momentum`` and ``seed``, as `cnnlesson.find_edges` finds them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, both logarithmic: 1−μ, falling to the right, and the step size.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    medians = edges.groupby("momentum").median()
    momenta = medians.index.to_numpy()
    (line,) = ax.plot(1 - momenta, medians, label="median of the seeds")
    ax.plot(
        1 - edges.index.get_level_values("momentum"),
        edges,
        marker="o",
        linestyle="none",
        alpha=0.4,
        color=line.get_color(),
        label="one seed",
    )
    first, start = momenta[0], medians.iloc[0]
    network = start * (1 - momenta) / (1 - first)
    bowl = start * (1 + momenta) / (1 + first)
    ax.plot(1 - momenta, network, color="0.4", linestyle="--", label="α/(1−μ) stays the same")
    ax.plot(1 - momenta, bowl, color="0.4", linestyle=":", label="a bowl: α/(1+μ) stays the same")
    ax.set(xscale="log", yscale="log", xlabel="momentum μ", ylabel="edge, a step size α")
    ax.set_xticks(1 - momenta, [f"{momentum:g}" for momentum in momenta], rotation=60)
    ax.xaxis.minorticks_off()
    ax.invert_xaxis()
    ax.legend()
    return ax


def _orders(accuracy: np.ndarray) -> np.ndarray:
    """Return by how many orders of ten errors have become fewer than all."""
    return -np.log10(1 - np.clip(accuracy, 0, _BEST))
