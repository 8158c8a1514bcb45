"""Results as pictures. Each function draws on one Matplotlib Axes and returns it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
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
    "plot_reliability",
    "plot_spread",
    "plot_trajectories",
    "show_convolution_step",
    "show_feature_maps",
    "show_images",
    "show_pixels",
    "show_seen",
    "show_windows",
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
    ax.contour(
        x, y, loss, levels=loss.max() * np.linspace(0.05, 1, 8) ** 2, colors="0.8", linewidths=0.8
    )
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
            figsize=(0.34 * len(line) + 0.6, 0.34 * (positions + 1) + 0.4), layout="constrained"
        )
    for label, (pixels, colour, edge) in kinds.items():
        ax.barh(0, 1, 0.8, pixels - 0.5, align="center", color=colour, edgecolor=edge, label=label)
    ax.barh(np.repeat(rows, kernel_size), 1, 0.8, taps.ravel() - 0.5, color="C0", edgecolor="white")
    ax.set(xlim=(-padding - 0.6, end - 0.4), ylim=(positions + 0.5, -0.5))
    ax.set(aspect="equal", anchor="N")
    ax.set(xticks=inside, yticks=[0, *rows], yticklabels=["input", *rows])
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=9)
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


def show_convolution_step(
    image: Tensor, kernel: Tensor, row: int = 0, column: int = 0, *, ax: Axes | None = None
) -> Axes:
    """Show how one pixel of a convolution's output comes about, number by number.

    Parameters
    ----------
    image : torch.Tensor, shape (height, width)
        A very small image, at most some 8 pixels wide.
    kernel : torch.Tensor, shape (kernel_height, kernel_width)
        The kernel.
    row, column : int, default 0
        The output pixel, from 0, which is also where the patch of the image begins.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. They hold four images: the image with the patch outlined, the kernel, their
        products, and the output, in which only this one pixel is known.
    """
    picture, weights = (tensor.detach().cpu().numpy() for tensor in (image, kernel))
    (height, width), (k_height, k_width) = picture.shape, weights.shape
    products = picture[row : row + k_height, column : column + k_width] * weights
    output = np.full((height - k_height + 1, width - k_width + 1), np.nan)
    output[row, column] = products.sum()

    if ax is None:
        _, ax = plt.subplots(figsize=(4.4, 4.6), layout="constrained")
    middle, below = width + 1.6, height + 1.8
    most, limit = np.abs(weights).max(), max(np.abs(products).max(), abs(output[row, column]))
    signed = ("RdBu_r", -limit, limit)
    _draw_grid(ax, picture, (0, 0), "image", ("gray", picture.min(), picture.max()))
    _draw_grid(ax, weights, (middle, (height - k_height) / 2), "kernel", ("RdBu_r", -most, most))
    _draw_grid(ax, products, ((width - k_width) / 2, below), "products", signed)
    _draw_grid(ax, output, (middle, below), "output", signed)
    for left, top, box_height, box_width in (
        (column, row, k_height, k_width),
        (middle + column, below + row, 1, 1),
    ):
        ax.add_patch(
            Rectangle(
                (left, top),
                box_width,
                box_height,
                fill=False,
                edgecolor="C1",
                linewidth=3,
                zorder=3,
            )
        )
    for x, y, sign in (
        (width + 0.8, height / 2, "×"),
        ((width - k_width) / 2 - 0.8, below + k_height / 2, "="),
        ((width + k_width) / 4 + middle / 2, below + k_height / 2, "sum →"),
    ):
        ax.text(x, y, sign, ha="center", va="center", size=12)
    right, bottom = middle + max(k_width, output.shape[1]), below + max(k_height, len(output))
    ax.set(xlim=(-0.1, right + 0.1), ylim=(bottom + 0.1, -1), aspect="equal")
    ax.axis("off")
    return ax


def _draw_grid(
    ax: Axes,
    values: np.ndarray,
    corner: tuple[float, float],
    name: str,
    scale: tuple[str, float, float],
) -> None:
    """Draw numbers in coloured cells of side 1; cells that are NaN stay empty."""
    (left, top), (height, width), (cmap, low, high) = corner, values.shape, scale
    extent = (left, left + width, top + height, top)
    drawn = ax.imshow(values, cmap=cmap, vmin=low, vmax=high, extent=extent)
    ax.hlines(np.arange(height + 1) + top, left, left + width, colors="0.6", linewidth=0.8)
    ax.vlines(np.arange(width + 1) + left, top, top + height, colors="0.6", linewidth=0.8)
    ax.text(left + width / 2, top - 0.2, name, ha="center", va="bottom")
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            red, green, blue, _ = drawn.to_rgba(value)
            bright = 0.3 * red + 0.6 * green + 0.1 * blue > 0.5
            at = (left + column + 0.5, top + row + 0.5)
            text = f"{value:.2g}".replace("-", "−")
            ax.text(*at, text, ha="center", va="center", color="black" if bright else "white")


def show_feature_maps(
    kernels: Tensor, maps: Tensor, labels: Sequence[object], *, ax: Axes | None = None
) -> Axes:
    """Show kernels in a row, their numbers written on them, and under each its feature map.

    Parameters
    ----------
    kernels : torch.Tensor, shape (n, kernel_height, kernel_width)
        Kernels, each drawn on its own scale. Zero is white, negative blue, positive red.
    maps : torch.Tensor, shape (n, height, width)
        Their feature maps, drawn in the same way.
    labels : sequence
        A short text for each kernel, written above it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. They hold two images for each kernel: the kernel, and its map.
    """
    weights, outputs = (tensor.detach().cpu().numpy() for tensor in (kernels, maps))
    n, height, width = weights.shape
    column, side = width + 0.6, width * outputs.shape[1] / outputs.shape[2]
    if ax is None:
        size = 6.4 / max(n, 4)
        rows = height + side + 1.6
        _, ax = plt.subplots(figsize=(size * n, size * rows / column), layout="constrained")
    for i, (kernel, output, label) in enumerate(zip(weights, outputs, labels, strict=True)):
        left, limit = i * column, np.abs(kernel).max()
        _draw_grid(ax, kernel, (left, 0), str(label), ("RdBu_r", -limit, limit))
        limit = np.abs(output).max()
        extent = (left, left + width, height + 0.4 + side, height + 0.4)
        ax.imshow(output, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=extent)
    bottom = height + 0.5 + side
    ax.set(xlim=(-0.1, n * column - 0.5), ylim=(bottom, -0.9), aspect="equal")
    ax.axis("off")
    return ax


def show_windows(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, *, ax: Axes | None = None
) -> Axes:
    """Show the positions a window takes on a square image: where it starts, steps and ends.

    Parameters
    ----------
    size : int
        Side of the image in pixels, at most some 12.
    kernel_size : int
        Side of the window.
    stride : int, default 1
        Distance between positions.
    padding : int, default 0
        Pixels of zeros around the image, on each side.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes: the image in grey, padding in white, the first window and the next ones to its
        right and below it outlined, and a dot in the middle of every window. The dots are the
        pixels of the output.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(3, 3.2), layout="constrained")
    count = output_size(size, kernel_size, stride, padding)
    starts = stride * np.arange(count) - padding
    ax.add_patch(Rectangle((0, 0), size, size, facecolor="0.85", edgecolor="none"))
    lines, ends = np.arange(-padding, size + padding + 1), (-padding, size + padding)
    ax.hlines(lines, *ends, colors="0.6", linewidth=0.8)
    ax.vlines(lines, *ends, colors="0.6", linewidth=0.8)
    for x, y, colour in ((1, 0, "C0"), (0, 1, "C2"), (0, 0, "C1")):
        if max(x, y) < count:
            box = (starts[x], starts[y]), kernel_size, kernel_size
            ax.add_patch(Rectangle(*box, fill=False, edgecolor=colour, linewidth=2.2, zorder=3))
    x, y = np.meshgrid(starts, starts) + np.array(kernel_size / 2)
    ax.plot(x.ravel(), y.ravel(), "o", color="black", markersize=4)
    edge = max(padding, 1) + 0.15  # so that pictures side by side have one scale
    ax.set(xlim=(-edge, size + edge), ylim=(size + edge, -edge), aspect="equal")
    ax.set_title(f"padding {padding}, stride {stride}\n{size}×{size} → {count}×{count}")
    ax.axis("off")
    return ax


def plot_reliability(
    confidence: ArrayLike, accuracy: ArrayLike, error: ArrayLike, *, ax: Axes | None = None
) -> Axes:
    """Plot how often answers are right against how sure they were.

    Parameters
    ----------
    confidence, accuracy : array_like, shape (bins,)
        Mean probability of the answers in each bin, and the share of them that is right.
    error : array_like, shape (bins,)
        Half the length of each accuracy's error bar, 0 or more.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. Dotted, the diagonal on which confidence and accuracy agree.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
    ax.plot([0, 1], [0, 1], color="0.4", linestyle=":", linewidth=1)
    ax.errorbar(confidence, accuracy, yerr=error, marker="o", capsize=3, linewidth=1.2)
    ax.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.03), ylim=(0, 1.03), aspect="equal")
    return ax
