r"""Momentum on a quadratic bowl in closed form: the path, the error, and what noise adds to it.

In the basis of the Hessian's eigenvectors each coordinate moves by itself, and after :math:`k`
steps :math:`(w_k, v_k) = M^k (w_0, 0)` with the momentum matrix :math:`M` of that coordinate. Its
eigenvalues :math:`z_1, z_2` give the power without any multiplication of matrices,

.. math::

    M^k = c_k I + p_k \left(M - \tfrac12 \operatorname{tr}(M)\, I\right), \qquad
    c_k = \tfrac12 (z_1^k + z_2^k), \qquad p_k = \frac{z_1^k - z_2^k}{z_1 - z_2}.

With the angle θ of a complex pair, :math:`p_k = \mu^{(k-1)/2} \sin k\theta / \sin\theta`. Where the
eigenvalues meet, this tends to :math:`k z^{k-1}`.

References
----------
G. Goh, "Why Momentum Really Works", Distill, 2017. It follows J. Flammarion and F. Bach, "From
Averaging to Acceleration, There is Only a Step-size", COLT 2015.
"""

from typing import NamedTuple

import numpy as np

from cnnlesson._support.arguments import (
    Counts,
    MomentumCoefficient,
    NonNegative,
    NonNegatives,
    Positive,
    Vector,
    checked,
)
from cnnlesson.momentum.descent import Trajectory
from cnnlesson.momentum.quadratic import max_stable_lr
from cnnlesson.momentum.step_matrix import quarter_discriminant

__all__ = [
    "StochasticError",
    "error_by_component",
    "noise_floor",
    "quadratic_path",
    "stochastic_error",
]


def _power(
    curvatures: np.ndarray, lr: float, momentum: float, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return c and p of the module's docstring, shape (len(steps), len(curvatures)) each."""
    k = steps[:, None]
    step = lr * curvatures
    half_trace = (1 + momentum - step) / 2
    root = np.sqrt(momentum)
    quarter = quarter_discriminant(step, momentum)
    size, spread = np.abs(half_trace), np.sqrt(np.abs(quarter))
    sign = np.where(half_trace < 0, -1.0, 1.0)

    with np.errstate(all="ignore"):  # each branch is also evaluated where the other one holds
        theta = np.arctan2(spread, size)
        c_complex = root**k * np.cos(k * theta)
        p_complex = root ** (k - 1.0) * np.sin(k * theta) / np.sin(theta)

        larger = size + spread
        gap = np.where(larger > 0, np.minimum(2 * spread / larger, 1), 0)  # 1 − z₂/z₁
        log_quotient = np.log1p(-gap)  # not the logarithm of z₂/z₁, which has lost the gap
        c_real = larger**k * (1 + np.exp(k * log_quotient)) / 2
        p_real = larger ** (k - 1.0) * np.where(gap > 0, -np.expm1(k * log_quotient) / gap, k)

        c = sign**k * np.where(quarter < 0, c_complex, c_real)
        p = sign ** (k - 1.0) * np.where(quarter < 0, p_complex, p_real)
    return np.where(k == 0, 1.0, c), np.where(k == 0, 0.0, p)


def _one_each(name: str, values: np.ndarray, curvatures: np.ndarray) -> np.ndarray:
    if values.size not in (1, curvatures.size):
        raise ValueError(
            f"{name}: expected one number, or one for each of the {curvatures.size} curvatures, "
            f"found {values.size}"
        )
    return np.broadcast_to(values, curvatures.shape)


@checked
def quadratic_path(
    curvatures: NonNegatives,
    w0: Vector,
    *,
    lr: Positive,
    momentum: MomentumCoefficient = 0.0,
    steps: Counts,
) -> Trajectory:
    """Return chosen points of the path of classical momentum on the loss ½Σλᵢwᵢ².

    The same as :func:`momentum_descent` with the gradient λw, but step 1,000,000 costs no more than
    step 1.

    Parameters
    ----------
    curvatures : array_like, shape (dim,)
        Eigenvalues λ of the Hessian, 0 or more.
    w0 : array_like, shape (dim,)
        The start, in the basis of the eigenvectors; a number stands for all its coordinates.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1).
    steps : array_like of int, shape (k,)
        Numbers of the steps to return, each 0 or more, in any order.

    Returns
    -------
    Trajectory
        Weights and velocities after these steps, shape (k, dim) each. A diverging path is
        infinite or NaN once it leaves the range of float64.

    Raises
    ------
    ValueError
        If an argument is out of its range, or ``w0`` has another length than ``curvatures``.
    """
    start = _one_each("w0", w0, curvatures)
    c, p = _power(curvatures, lr, momentum, steps)
    step = lr * curvatures
    with np.errstate(over="ignore", invalid="ignore"):
        w = (c + (1 - step - momentum) / 2 * p) * start
        v = 0.0 - step * p * start
    # What starts in the minimum stays there, where the factor is infinite too.
    return Trajectory(*(np.where(start == 0, 0.0, part) for part in (w, v)))


@checked
def error_by_component(
    curvatures: NonNegatives,
    w0: Vector,
    *,
    lr: Positive,
    momentum: MomentumCoefficient = 0.0,
    steps: Counts,
) -> np.ndarray:
    """Return what each eigenvector contributes to the loss above its minimum.

    Parameters
    ----------
    curvatures : array_like, shape (dim,)
        Eigenvalues λ of the Hessian, 0 or more.
    w0 : array_like, shape (dim,)
        The start, in the basis of the eigenvectors; a number stands for all its coordinates.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1).
    steps : array_like of int, shape (k,)
        Numbers of the steps, each 0 or more.

    Returns
    -------
    numpy.ndarray, shape (k, dim)
        ½λᵢwᵢ² after each of the steps. The sum of a row is the loss above its minimum.

    Raises
    ------
    ValueError
        If an argument is out of its range, or ``w0`` has another length than ``curvatures``.
    """
    w = quadratic_path(curvatures, w0, lr=lr, momentum=momentum, steps=steps).w
    with np.errstate(over="ignore"):
        return curvatures / 2 * w**2


class StochasticError(NamedTuple):
    """The expected loss above its minimum, split in what is left of the start and what noise adds.

    Attributes
    ----------
    deterministic : numpy.ndarray, shape (k, dim)
        What it would be without noise, by eigenvector.
    noise : numpy.ndarray, shape (k, dim)
        What the noise adds, by eigenvector.
    """

    deterministic: np.ndarray
    noise: np.ndarray


@checked
def stochastic_error(
    curvatures: NonNegatives,
    w0: Vector,
    *,
    lr: Positive,
    momentum: MomentumCoefficient = 0.0,
    noise: NonNegatives,
    steps: Counts,
) -> StochasticError:
    r"""Return the expected loss of momentum with noisy gradients, split in its two parts.

    Each step sees the gradient :math:`\lambda w + \sigma\xi_t`, the :math:`\xi_t` independent, of
    mean 0 and variance 1. A kick of size 1 in one step has become :math:`\alpha p_{j}` when
    :math:`j - 1` further steps have passed, so

    .. math::

        \tfrac12 \lambda\, \mathrm{E}\, w_k^2 =
        \tfrac12 \lambda\, (\mathrm{E}\, w_k)^2 +
        \tfrac12 \lambda\, \alpha^2 \sigma^2 \sum_{j=1}^{k} p_j^2 .

    Parameters
    ----------
    curvatures : array_like, shape (dim,)
        Eigenvalues λ of the Hessian, 0 or more.
    w0 : array_like, shape (dim,)
        The start, in the basis of the eigenvectors; a number stands for all its coordinates.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1).
    noise : float or array_like, shape (dim,)
        Standard deviation σ of the gradient along each eigenvector, 0 or more.
    steps : array_like of int, shape (k,)
        Numbers of the steps, each 0 or more. The sum visits all steps up to the last of them.

    Returns
    -------
    StochasticError
        Both parts by eigenvector, shape (k, dim) each. They add up to the expected loss above its
        minimum.

    Raises
    ------
    ValueError
        If an argument is out of its range, or ``w0`` or ``noise`` has another length than
        ``curvatures``.

    References
    ----------
    G. Goh, "Why Momentum Really Works", Distill, 2017.
    """
    sigma = _one_each("noise", noise, curvatures)
    _, p = _power(curvatures, lr, momentum, np.arange(steps.max() + 1))
    with np.errstate(over="ignore", invalid="ignore"):
        variance = (lr * sigma) ** 2 * np.cumsum(p**2, axis=0)[steps]
        variance = np.where(sigma == 0, 0.0, variance)  # where the sum is infinite too
        return StochasticError(
            deterministic=error_by_component(curvatures, w0, lr=lr, momentum=momentum, steps=steps),
            noise=curvatures / 2 * variance,
        )


@checked
def noise_floor(
    curvature: Positive,
    lr: Positive,
    momentum: MomentumCoefficient = 0.0,
    *,
    noise: NonNegative,
) -> float:
    r"""Return the loss along one eigenvector that noisy gradients keep up for ever.

    .. math::

        \frac{\alpha\sigma^2}{2}\,
        \frac{1 + \mu}{(1 - \mu)\,\bigl(2 (1 + \mu) - \alpha\lambda\bigr)}

    Far below the largest stable step size this is a quarter of :math:`\sigma^2\alpha/(1 - \mu)`:
    there the effective step size alone decides.

    Parameters
    ----------
    curvature : float
        Eigenvalue λ of the Hessian, positive.
    lr : float
        Step size α, positive, below ``max_stable_lr(curvature, momentum)``.
    momentum : float, default 0
        Momentum μ, in [0, 1).
    noise : float
        Standard deviation σ of the gradient along the eigenvector, 0 or more.

    Returns
    -------
    float
        The limit of the part ``noise`` of :func:`stochastic_error`.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    bound = max_stable_lr(curvature, momentum)
    if lr >= bound:
        raise ValueError(f"lr: expected below max_stable_lr = {bound}, found {lr}")
    return lr * noise**2 * (1 + momentum) / (2 * (1 - momentum) * curvature * (bound - lr))
