"""Images as pictures, and as numbers."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from torch import Tensor

__all__ = ["show_images", "show_pixels"]


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
        Images, n at least 1. The smallest value of all is drawn darkest, the largest brightest.
    labels : sequence, optional
        A short text for each image, written above it.
    columns : int, default 10
        Images per row, 1 or more.
    cmap : str, default "gray"
        Matplotlib colour map. With ``"RdBu_r"`` zero is drawn white, and both signs equally far.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, which hold one image, the mosaic.

    Raises
    ------
    ValueError
        If there is no image, or ``columns`` is less than 1.
    """
    if len(images) == 0:
        raise ValueError("images: expected at least one image, found none")
    if columns < 1:
        raise ValueError(f"columns: expected a whole number, 1 or more, found {columns}")
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
