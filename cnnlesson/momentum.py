r"""The mathematics of momentum: the classical equations, and what they do on a quadratic bowl.

Throughout, the three lines of classical momentum are

.. math::

    g_t = \nabla L(w_{t-1}), \qquad v_t = \mu v_{t-1} - \alpha g_t, \qquad w_t = w_{t-1} + v_t,

with :math:`v_0 = 0`, step size :math:`\alpha > 0` and momentum :math:`0 \le \mu < 1`. On a
quadratic bowl each eigenvalue :math:`\lambda` of the Hessian (a *curvature*) evolves by itself.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from pydantic import SkipValidation
from torch import Tensor

from cnnlesson.arguments import (
    MomentumCoefficient,
    NonNegative,
    NonNegativeCount,
    Positive,
    checked,
)

__all__ = [
    "ClassicalSGD",
    "Trajectory",
    "max_stable_lr",
    "momentum_descent",
    "optimal_lr",
    "optimal_momentum",
    "spectral_radius",
]


class Trajectory(NamedTuple):
    """The path of an optimiser: one row per step, row 0 the start.

    Attributes
    ----------
    w : numpy.ndarray, shape (num_steps + 1, dim)
        The weights.
    v : numpy.ndarray, shape (num_steps + 1, dim)
        The velocities; the first row is zero.
    """

    w: np.ndarray
    v: np.ndarray


@checked
def momentum_descent(
    gradient: Callable[[np.ndarray], ArrayLike],
    w0: Annotated[ArrayLike, SkipValidation],
    *,
    lr: Positive,
    momentum: MomentumCoefficient = 0.0,
    num_steps: NonNegativeCount = 150,
) -> Trajectory:
    """Follow classical momentum downhill from ``w0``.

    Parameters
    ----------
    gradient : callable
        Takes the weights, shape (dim,), returns the gradient of the loss there, same shape.
    w0 : array_like, shape (dim,)
        The start. A number is taken as a vector of length 1.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1). With 0 this is gradient descent.
    num_steps : int, default 150
        Number of steps, 0 or more.

    Returns
    -------
    Trajectory
        Weights and velocities, ``num_steps + 1`` rows each. A diverging path is followed as far
        as float64 can hold it, and is infinite or NaN from there on.

    Raises
    ------
    ValueError
        If an argument is out of its range, ``w0`` is no vector of finite real numbers, or the
        gradient has another shape than the weights.
    """
    start = _as_vector(w0)
    w = np.empty((num_steps + 1, start.size))
    v = np.zeros_like(w)
    w[0] = start
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, num_steps + 1):
            g = np.asarray(gradient(w[t - 1].copy()), dtype=float)
            if g.shape != start.shape:
                raise ValueError(f"gradient: expected shape {start.shape}, found {g.shape}")
            v[t] = momentum * v[t - 1] - lr * g
            w[t] = w[t - 1] + v[t]
    return Trajectory(w, v)


def _as_vector(w0: ArrayLike) -> np.ndarray:
    try:
        start = np.atleast_1d(np.asarray(w0))
    except (RuntimeError, ValueError):  # rows of unequal length, a tensor with gradients
        start = np.empty(0)
    real = start.dtype.kind in "iuf"
    if not real or start.ndim != 1 or start.size == 0 or not np.isfinite(start).all():
        raise ValueError(f"w0: expected a vector of finite numbers, found {w0!r}")
    return start.astype(float)


@checked
def spectral_radius(curvature: NonNegative, lr: Positive, momentum: MomentumCoefficient) -> float:
    r"""Return the factor by which the error along one eigenvector shrinks per step.

    One step of momentum on the loss ½λw² is a matrix applied to (w, v),

    .. math::

        \begin{pmatrix} w_t \\ v_t \end{pmatrix} =
        \begin{pmatrix} 1 - \alpha\lambda & \mu \\ -\alpha\lambda & \mu \end{pmatrix}
        \begin{pmatrix} w_{t-1} \\ v_{t-1} \end{pmatrix},

    and the rate is the largest modulus of its two eigenvalues.

    Parameters
    ----------
    curvature : float
        Eigenvalue λ of the Hessian, 0 or more.
    lr : float
        Step size α, positive.
    momentum : float
        Momentum μ, in [0, 1).

    Returns
    -------
    float
        The rate; 1 or more means that the error does not shrink.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    G. Goh, "Why Momentum Really Works", Distill, 2017.
    """
    step = lr * curvature
    matrix = np.array([[1 - step, momentum], [-step, momentum]])
    return float(np.abs(np.linalg.eigvals(matrix)).max())


@checked
def max_stable_lr(curvature: Positive, momentum: MomentumCoefficient) -> float:
    """Return the step size 2(1 + μ)/λ at which momentum on a quadratic stops converging.

    Parameters
    ----------
    curvature : float
        Largest eigenvalue λ of the Hessian, positive.
    momentum : float
        Momentum μ, in [0, 1).

    Returns
    -------
    float
        The bound: every smaller positive step size converges.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    return 2 * (1 + momentum) / curvature


class GradientDescentOptimum(NamedTuple):
    """The best step size of gradient descent, and the rate it reaches."""

    lr: float
    rate: float


class MomentumOptimum(NamedTuple):
    """The best step size and momentum, and the rate they reach."""

    lr: float
    momentum: float
    rate: float


def _check_order(smallest: float, largest: float) -> None:
    if smallest > largest:
        raise ValueError(
            f"smallest: expected at most largest = {largest}, found {smallest}; "
            "did you swap the two curvatures?"
        )


@checked
def optimal_lr(smallest: Positive, largest: Positive) -> GradientDescentOptimum:
    """Return the step size with which gradient descent is fastest on a quadratic.

    Parameters
    ----------
    smallest, largest : float
        The extreme eigenvalues λ₁ ≤ λₙ of the Hessian, positive.

    Returns
    -------
    lr : float
        2/(λ₁ + λₙ).
    rate : float
        (κ − 1)/(κ + 1), where κ = λₙ/λ₁ is the condition number.

    Raises
    ------
    ValueError
        If a curvature is not positive and finite, or ``smallest`` exceeds ``largest``.
    """
    _check_order(smallest, largest)
    return GradientDescentOptimum(
        lr=2 / (smallest + largest),
        rate=(largest - smallest) / (largest + smallest),
    )


@checked
def optimal_momentum(smallest: Positive, largest: Positive) -> MomentumOptimum:
    """Return the step size and momentum that are fastest together on a quadratic.

    Parameters
    ----------
    smallest, largest : float
        The extreme eigenvalues λ₁ ≤ λₙ of the Hessian, positive.

    Returns
    -------
    lr : float
        (2/(√λ₁ + √λₙ))².
    momentum : float
        ((√λₙ − √λ₁)/(√λₙ + √λ₁))².
    rate : float
        (√κ − 1)/(√κ + 1), where κ = λₙ/λ₁; the square root of the momentum.

    Raises
    ------
    ValueError
        If a curvature is not positive and finite, or ``smallest`` exceeds ``largest``.
    """
    _check_order(smallest, largest)
    root_1, root_n = np.sqrt(smallest), np.sqrt(largest)
    rate = float((root_n - root_1) / (root_n + root_1))
    return MomentumOptimum(lr=float((2 / (root_1 + root_n)) ** 2), momentum=rate**2, rate=rate)


class ClassicalSGD(torch.optim.Optimizer):
    """Stochastic gradient descent with classical momentum, its three equations written out.

    At a constant step size this walks exactly the path of
    ``torch.optim.SGD(params, lr, momentum)``. They part once the step size changes:
    PyTorch's buffer is multiplied by the *new* step size, this velocity keeps the old one.

    Parameters
    ----------
    params : iterable
        Parameters, or parameter groups, to optimise.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1).

    Raises
    ------
    ValueError
        If ``lr`` or ``momentum`` is out of its range.
    """

    @checked
    def __init__(
        self,
        params: object,
        lr: Positive,
        momentum: MomentumCoefficient = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})  # type: ignore[arg-type]

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """Move every parameter by one step.

        Parameters
        ----------
        closure : callable, optional
            Recomputes the loss and its gradients, and returns the loss.

        Returns
        -------
        torch.Tensor or None
            What ``closure`` returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is None:
                    continue
                g = w.grad
                state = self.state[w]
                if not state:
                    state["velocity"] = torch.zeros_like(w)
                v = state["velocity"]
                v.mul_(group["momentum"]).sub_(g, alpha=group["lr"])  # v ← μv − αg
                w.add_(v)  #                                            w ← w + v
        return loss
