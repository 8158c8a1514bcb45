"""Paths down a bowl, and how fast they converge."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from cnnlesson.momentum.descent import Trajectory

__all__ = ["plot_rates", "plot_trajectories"]


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
