"""Where a window can stand, and what an output sees."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from torch import Tensor

from cnnlesson.tracing import output_size

__all__ = ["plot_positions", "show_seen"]


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
