"""One step of a convolution, and what its kernels find."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from cnnlesson.tracing import output_size

__all__ = ["show_convolution_step", "show_feature_maps", "show_windows"]


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

    Raises
    ------
    ValueError
        If the kernel does not fit into the image, or the output has no such pixel.
    """
    picture, weights = (tensor.detach().cpu().numpy() for tensor in (image, kernel))
    (height, width), (k_height, k_width) = picture.shape, weights.shape
    output = np.full((output_size(height, k_height), output_size(width, k_width)), np.nan)
    for name, place, size in zip(("row", "column"), (row, column), output.shape, strict=True):
        if not 0 <= place < size:
            raise ValueError(f"{name}: expected one of the output, 0 to {size - 1}, found {place}")
    products = picture[row : row + k_height, column : column + k_width] * weights
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
