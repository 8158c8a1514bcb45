"""What momentum does to each curvature of a bowl."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Polygon
from numpy.typing import ArrayLike

__all__ = ["plot_bands", "plot_eigenvalues", "plot_over_curvature", "plot_phase"]


def plot_over_curvature(
    curvatures: ArrayLike, values: Mapping[str, ArrayLike], *, ax: Axes | None = None
) -> Axes:
    """Plot one number per curvature, the curvatures on a logarithmic scale.

    Parameters
    ----------
    curvatures : array_like, shape (n,)
        Eigenvalues λ, positive.
    values : mapping of str to array_like
        Label, and one value for each curvature, shape (n,).
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    for label, heights in values.items():
        ax.plot(curvatures, np.asarray(heights), label=label)
    ax.set(xlabel="curvature λ", xscale="log")
    ax.legend()
    return ax


def plot_eigenvalues(eigenvalues: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw eigenvalues in the complex plane. What lies inside the unit circle fades.

    Parameters
    ----------
    eigenvalues : array_like of complex, shape (n,)
        The eigenvalues.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    z = np.asarray(eigenvalues, dtype=complex)
    ax.add_patch(Circle((0, 0), 1, facecolor="0.95", edgecolor="0.5", linewidth=0.8))
    ax.plot(z.real, z.imag, marker="o", markersize=5, linestyle="none", color="C1", clip_on=False)
    ax.set(xlim=(-1.6, 1.6), ylim=(-1.1, 1.1), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    return ax


def plot_bands(rates: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw where the error shrinks at a rate or faster: over αλ and μ, a trapezoid for each rate.

    Its lower side is the band of gradient descent, its upper side that of momentum μ = ρ².

    Parameters
    ----------
    rates : array_like, shape (n,)
        Rates ρ, above 0, at most 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    for i, rate in enumerate(np.sort(np.atleast_1d(rates))[::-1]):
        corners = [(1 - rate, 0), (1 + rate, 0), ((1 + rate) ** 2, rate**2)]
        corners.append(((1 - rate) ** 2, rate**2))
        color = f"C{i}"
        ax.add_patch(Polygon(corners, facecolor=color, alpha=0.12))
        ax.add_patch(Polygon(corners, fill=False, edgecolor=color, label=f"ρ ≤ {rate:.3g}"))
    ax.set(xlim=(0, 4), ylim=(0, 1), xlabel="step size × curvature αλ", ylabel="momentum μ")
    ax.legend(loc="lower right")
    return ax


def plot_phase(states: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw paths over weight and velocity, each with a dot where it begins.

    Parameters
    ----------
    states : array_like, shape (num_steps + 1, 2, paths)
        Weight and velocity of each path after each step.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    for w, v in np.moveaxis(np.asarray(states, dtype=float), 2, 0).swapaxes(1, 2):
        (line,) = ax.plot(w, v, linewidth=1, marker=".", markersize=3)
        ax.plot(w[0], v[0], marker="o", markersize=5, color=line.get_color())
    ax.plot(0, 0, marker="*", markersize=10, color="black", linestyle="none")
    ax.set(xlabel="weight $w$", ylabel="velocity $v$")
    return ax
