"""Results as pictures. Each function draws on one Matplotlib Axes and returns it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix
from torch import Tensor

from cnnlesson.momentum import Trajectory
from cnnlesson.tracing import output_size
from cnnlesson.training import History

__all__ = [
    "plot_confusion_matrix",
    "plot_curves",
    "plot_history",
    "plot_positions",
    "plot_rates",
    "plot_spread",
    "plot_trajectories",
    "show_images",
    "show_pixels",
    "show_seen",
]


def show_images(
    images: Tensor,
    labels: Sequence[object] | None = None,
    *,
    columns: int = 10,
    cmap: str = "gray",
    ax: Axes | None = None,
) -> Axes:
    """Show images side by side, all on one scale of grey.

    Parameters
    ----------
    images : torch.Tensor, shape (n, height, width) or (n, 1, height, width)
        Images. The smallest value of all is drawn darkest, the largest brightest.
    labels : sequence, optional
        A short text for each image, written above it.
    columns : int, default 10
        Images per row.
    cmap : str, default "gray"
        Matplotlib colour map. With ``"RdBu_r"`` zero is drawn white, and both signs equally far.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, which hold one image, the mosaic.
    """
    images = images.detach().cpu().reshape(-1, *images.shape[-2:])
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = images.shape[-2:]
    gap = max(1, height // 14)
    head = 0 if labels is None else max(3, height // 3)
    cell = np.array([height + gap + head, width + gap])
    mosaic = np.full(cell * (rows, columns) - (gap, gap), np.nan)
    for i, image in enumerate(images):
        top, left = cell * divmod(i, columns) + (head, 0)
        mosaic[top : top + height, left : left + width] = image.numpy()

    if ax is None:
        size = 6.4 / max(columns, 5)
        _, ax = plt.subplots(
            figsize=(size * columns, size * rows * cell[0] / cell[1]), layout="constrained"
        )
    limit = float(images.abs().max())
    limits = (-limit, limit) if cmap == "RdBu_r" else (float(images.min()), float(images.max()))
    ax.imshow(mosaic, cmap=cmap, vmin=limits[0], vmax=limits[1], interpolation="nearest")
    for i, label in enumerate(labels or ()):
        top, left = cell * divmod(i, columns)
        ax.text(left + width / 2, top + head * 0.85, str(label), ha="center", va="bottom")
    ax.axis("off")
    return ax


def show_pixels(image: Tensor, *, cmap: str = "gray", ax: Axes | None = None) -> Axes:
    """Show a small image with the value of each pixel written on it.

    Parameters
    ----------
    image : torch.Tensor, shape (height, width)
        The image, at most some 16 pixels wide, or the numbers cannot be read.
    cmap : str, default "gray"
        Matplotlib colour map. With ``"RdBu_r"`` zero is drawn white.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    pixels = image.detach().cpu().numpy()
    height, width = pixels.shape
    if ax is None:
        _, ax = plt.subplots(figsize=(0.45 * width, 0.45 * height), layout="constrained")
    sns.heatmap(
        pixels,
        annot=True,
        fmt=".4g",
        cmap=cmap,
        center=0 if cmap == "RdBu_r" else None,
        cbar=False,
        square=True,
        linewidths=0.5,
        xticklabels=False,
        yticklabels=False,
        annot_kws={"size": 8},
        ax=ax,
    )
    return ax


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


def plot_confusion_matrix(y_true: Tensor, y_pred: Tensor, *, ax: Axes | None = None) -> Axes:
    """Plot how often each digit was taken for each other digit.

    Parameters
    ----------
    y_true, y_pred : torch.Tensor, shape (n,)
        Labels and predictions.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes: a row per true digit. Only mistakes are coloured, or the diagonal would outshine
        them.
    """
    counts = confusion_matrix(y_true.cpu(), y_pred.cpu())
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
    mistakes = counts - np.diag(np.diag(counts))
    sns.heatmap(
        mistakes,
        annot=counts,
        fmt="d",
        cmap="Oranges",
        cbar=False,
        square=True,
        linewidths=0.5,
        annot_kws={"size": 9},
        ax=ax,
    )
    ax.tick_params(axis="y", rotation=0)
    ax.set(xlabel="predicted digit", ylabel="true digit")
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
    xlabel, ylabel : str
        Labels of the axes.
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


def plot_trajectories(
    trajectories: Mapping[str, Trajectory],
    curvatures: tuple[float, float],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw paths over the contours of a bowl whose bottom is at the origin.

    Parameters
    ----------
    trajectories : mapping of str to Trajectory
        Label and path, in two dimensions.
    curvatures : tuple of float
        Curvatures λ₁ and λ₂ of the bowl along the two axes, positive.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    reach = 1.15 * np.max([np.abs(path.w).max(axis=0) for path in trajectories.values()], axis=0)
    x, y = np.meshgrid(np.linspace(-reach[0], reach[0], 201), np.linspace(-reach[1], reach[1], 201))
    loss = (curvatures[0] * x**2 + curvatures[1] * y**2) / 2
    ax.contour(x, y, loss, levels=loss.max() * np.linspace(0.05, 1, 8) ** 2, colors="0.8")
    for label, path in trajectories.items():
        ax.plot(*path.w.T, marker="o", markersize=3, linewidth=1.2, label=label)
    ax.plot(0, 0, marker="*", markersize=10, color="black", linestyle="none")
    ax.set(xlabel="$w_1$", ylabel="$w_2$")
    ax.grid(visible=False)
    ax.legend()
    return ax


def plot_positions(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw one axis of an image and, row by row, every position of a window that slides over it.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation, ceil_mode
        As in ``output_size``, in pixels.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. Row 0 is the input; its pixels that no position covers have a colour of their
        own. The other rows are numbered, so that the last number is the output size.

    Raises
    ------
    ValueError
        If the window does not fit, as in ``output_size``.
    """
    positions = output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    rows = np.arange(1, positions + 1)
    taps = (rows[:, None] - 1) * stride - padding + dilation * np.arange(kernel_size)
    end = max(size + padding, int(taps.max()) + 1)
    line, inside = np.arange(-padding, end), np.arange(size)
    kinds = {
        "input": (inside[np.isin(inside, taps)], "0.75", "white"),
        "never covered": (inside[~np.isin(inside, taps)], "C1", "white"),
        "padding": (line[(line < 0) | (line >= size)], "white", "0.6"),
    }
    if ax is None:
        _, ax = plt.subplots(
            figsize=(0.4 * len(line) + 0.6, 0.4 * positions + 0.9), layout="constrained"
        )
    for label, (pixels, colour, edge) in kinds.items():
        ax.barh(0, 1, 0.8, pixels - 0.5, align="center", color=colour, edgecolor=edge, label=label)
    ax.barh(np.repeat(rows, kernel_size), 1, 0.8, taps.ravel() - 0.5, color="C0", edgecolor="white")
    ax.set(xlim=(-padding - 0.6, end - 0.4), ylim=(positions + 0.5, -0.5))
    ax.set(aspect="equal", anchor="N")
    ax.set(xticks=inside, yticks=[0, *rows], yticklabels=["input", *rows])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
    return ax


def show_seen(image: Tensor, influence: Tensor, *, ax: Axes | None = None) -> Axes:
    """Show an image with every pixel that has no influence covered.

    Parameters
    ----------
    image : torch.Tensor, shape (height, width) or (1, height, width)
        The image.
    influence : torch.Tensor, shape (height, width)
        How strongly each pixel acts on some result. Pixels where it is exactly 0 are covered.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes: the image, and over it the cover, see-through enough to show what it hides.
    """
    hidden = (influence == 0).detach().cpu().numpy()
    if ax is None:
        _, ax = plt.subplots(figsize=(3.2, 3.2), layout="constrained")
    ax.imshow(image.detach().cpu().reshape(hidden.shape).numpy())
    cover = np.zeros((*hidden.shape, 4))
    cover[hidden] = to_rgba("C1", 0.75)
    ax.imshow(cover)
    ax.axis("off")
    return ax


def plot_rates(
    lrs: ArrayLike,
    rates: Mapping[str, ArrayLike],
    bounds: Mapping[str, float],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Plot the factor per step against the step size; from 1 upwards the error does not shrink.

    Parameters
    ----------
    lrs : array_like, shape (n,)
        Step sizes α.
    rates : mapping of str to array_like
        Label, and the rate at each step size, shape (n,).
    bounds : mapping of str to float
        The same labels, and the step size from which on there is no convergence: a dot on the
        line at 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    ax.axhline(1, color="black", linewidth=0.8)
    for label, values in rates.items():
        (line,) = ax.plot(lrs, np.asarray(values), label=label)
        ax.plot(bounds[label], 1, marker="o", color=line.get_color(), clip_on=False)
    ax.set(xlabel="step size α", ylabel="rate ρ")
    ax.legend()
    return ax


def plot_spread(frame: pd.DataFrame, x: str, y: str, *, ax: Axes | None = None) -> Axes:
    """Plot every run as a dot, and the median of each group as a line.

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
    sns.stripplot(frame, x=x, y=y, order=order, jitter=0.08, size=7, alpha=0.7, ax=ax)
    medians = frame.groupby(x)[y].median()
    ax.hlines(medians[order], np.arange(len(order)) - 0.2, np.arange(len(order)) + 0.2, color="0.2")
    return ax
