"""Which digits are confused, and whether the confidence is honest."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix
from torch import Tensor

__all__ = ["plot_confusion_matrix", "plot_reliability"]


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
