r"""One step of momentum along one eigenvector: its matrix, for any numbers and many at once.

Only the product αλ of step size and curvature matters, and the momentum μ. Nothing is checked
here: a map over both may reach its edges αλ = 0 and μ = 1. The functions that check their
arguments, and say what the numbers mean, are in `cnnlesson.momentum.quadratic`.
"""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["quarter_discriminant", "step_eigenvalues", "step_matrix", "step_rate"]


def step_matrix(scaled_lr: ArrayLike, momentum: ArrayLike) -> np.ndarray:
    """Return the matrix that takes (w, v) through one step.

    Parameters
    ----------
    scaled_lr : array_like
        Step size times curvature αλ, 0 or more.
    momentum : array_like
        Momentum μ, in [0, 1]. Both broadcast against each other.

    Returns
    -------
    numpy.ndarray, shape (..., 2, 2)
        ``[[1 − αλ, μ], [−αλ, μ]]`` of each.
    """
    a, mu = np.broadcast_arrays(np.asarray(scaled_lr, dtype=float), momentum)
    return np.stack([1 - a, mu, -a, mu], axis=-1).reshape(*a.shape, 2, 2)


def quarter_discriminant(scaled_lr: ArrayLike, momentum: ArrayLike) -> np.ndarray:
    r"""Return a quarter of the discriminant of the matrix's characteristic polynomial.

    That is :math:`\tfrac14 (1 + \mu - \alpha\lambda)^2 - \mu`, the square of half the distance
    between the eigenvalues, negative where they are complex.

    Parameters
    ----------
    scaled_lr : array_like
        Step size times curvature αλ, 0 or more.
    momentum : array_like
        Momentum μ, in [0, 1]. Both broadcast against each other.

    Returns
    -------
    numpy.ndarray, shape (...)
        The same to all digits where the eigenvalues meet, too.
    """
    # Factored, and with 1 - √μ written without the difference, it stays precise where the
    # eigenvalues meet. A general routine knows them there only to the square root of rounding.
    a, mu = np.asarray(scaled_lr, dtype=float), np.asarray(momentum, dtype=float)
    root = np.sqrt(mu)
    return (((1 - mu) / (1 + root)) ** 2 - a) * ((1 + root) ** 2 - a) / 4


def step_eigenvalues(scaled_lr: ArrayLike, momentum: ArrayLike) -> np.ndarray:
    """Return both eigenvalues of the matrix, the one of larger modulus first.

    Parameters
    ----------
    scaled_lr : array_like
        Step size times curvature αλ, 0 or more.
    momentum : array_like
        Momentum μ, in [0, 1]. Both broadcast against each other.

    Returns
    -------
    numpy.ndarray, shape (..., 2)
        Complex numbers; of a conjugate pair the one above the real axis comes first.
    """
    a, mu = np.asarray(scaled_lr, dtype=float), np.asarray(momentum, dtype=float)
    half_trace = (1 + mu - a) / 2
    quarter = quarter_discriminant(a, mu)
    spread = np.sqrt(np.abs(quarter))
    larger = half_trace + np.copysign(spread, half_trace)
    # From the determinant: nothing cancels.
    smaller = np.divide(mu, larger, out=np.zeros(larger.shape), where=larger != 0)
    pair = np.where(
        quarter < 0,
        [half_trace + 1j * spread, half_trace - 1j * spread],
        [larger, smaller],
    )
    return np.moveaxis(pair, 0, -1)


def step_rate(scaled_lr: ArrayLike, momentum: ArrayLike) -> np.ndarray:
    """Return the spectral radius of the matrix: in the long run the error's factor per step.

    Parameters
    ----------
    scaled_lr : array_like
        Step size times curvature αλ, 0 or more.
    momentum : array_like
        Momentum μ, in [0, 1]. Both broadcast against each other.

    Returns
    -------
    numpy.ndarray, shape (...)
        The larger modulus.
    """
    larger = step_eigenvalues(scaled_lr, momentum)[..., 0]
    return np.hypot(larger.real, larger.imag)
