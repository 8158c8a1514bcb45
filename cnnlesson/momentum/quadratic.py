r"""Momentum on a quadratic bowl, one eigenvalue at a time: stability, rates, best settings.

Along an eigenvector of the Hessian, with eigenvalue :math:`\lambda` (a *curvature*), the loss is
:math:`\tfrac12\lambda w^2` and one step of classical momentum is a matrix,

.. math::

    \begin{pmatrix} w_t \\ v_t \end{pmatrix} = M
    \begin{pmatrix} w_{t-1} \\ v_{t-1} \end{pmatrix}, \qquad
    M = \begin{pmatrix} 1 - \alpha\lambda & \mu \\ -\alpha\lambda & \mu \end{pmatrix}.

References
----------
B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR
Computational Mathematics and Mathematical Physics 4(5), 1964.

G. Goh, "Why Momentum Really Works", Distill, 2017. Its variables are :math:`z = -v/\alpha` and
:math:`w`; its matrix is similar to this one, with the same eigenvalues. The rate it gives for
complex eigenvalues, :math:`2\sqrt\beta`, is twice the true one.
"""

from typing import NamedTuple

import numpy as np

from cnnlesson._support.arguments import MomentumCoefficient, NonNegative, Positive, checked
from cnnlesson.momentum.step_matrix import step_eigenvalues, step_matrix, step_rate

__all__ = [
    "critical_momentum",
    "max_stable_lr",
    "momentum_eigenvalues",
    "momentum_matrix",
    "optimal_lr",
    "optimal_momentum",
    "spectral_radius",
]


@checked
def momentum_matrix(
    curvature: NonNegative, lr: Positive, momentum: MomentumCoefficient
) -> np.ndarray:
    """Return the matrix that takes (w, v) along one eigenvector through one step.

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
    numpy.ndarray, shape (2, 2)
        ``[[1 − αλ, μ], [−αλ, μ]]``. Its trace is 1 + μ − αλ, its determinant μ.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    return step_matrix(lr * curvature, momentum)


@checked
def momentum_eigenvalues(
    curvature: NonNegative, lr: Positive, momentum: MomentumCoefficient
) -> tuple[complex, complex]:
    r"""Return both eigenvalues of the momentum matrix, the one of larger modulus first.

    They solve :math:`z^2 - (1 + \mu - \alpha\lambda)\,z + \mu = 0`. The discriminant,

    .. math::

        (1 + \mu - \alpha\lambda)^2 - 4\mu =
        \bigl((1 - \sqrt\mu)^2 - \alpha\lambda\bigr)\bigl((1 + \sqrt\mu)^2 - \alpha\lambda\bigr),

    is negative between its two zeros. There the eigenvalues are a conjugate pair of modulus
    :math:`\sqrt\mu`, whatever α and λ. Elsewhere they are real, and at a zero they are equal.

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
    tuple of complex
        The eigenvalues; of a conjugate pair the one above the real axis comes first.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    first, second = step_eigenvalues(lr * curvature, momentum)
    return complex(first), complex(second)


@checked
def spectral_radius(curvature: NonNegative, lr: Positive, momentum: MomentumCoefficient) -> float:
    r"""Return the factor by which the error along one eigenvector shrinks per step.

    It is the largest modulus of the two eigenvalues of the momentum matrix:
    :math:`\sqrt\mu` where they are complex.

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
    return float(step_rate(lr * curvature, momentum))


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


@checked
def critical_momentum(curvature: Positive, lr: Positive) -> float:
    """Return the momentum with which the error along one eigenvector shrinks fastest.

    There the two eigenvalues of the momentum matrix are equal: a spring critically damped. With
    less momentum they are real, and the larger one is larger; with more they are complex, of
    modulus √μ.

    Parameters
    ----------
    curvature : float
        Eigenvalue λ of the Hessian, positive.
    lr : float
        Step size α, positive, below 4/λ: from there on no momentum converges.

    Returns
    -------
    float
        (1 − √(αλ))². The rate there is its square root.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    if lr * curvature >= 4:
        raise ValueError(f"lr: expected below 4/curvature = {4 / curvature}, found {lr}")
    return float((1 - np.sqrt(lr * curvature)) ** 2)


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
