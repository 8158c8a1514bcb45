r"""Fitting a polynomial, seen in the eigenvectors of the problem: early stopping and Tikhonov.

With the features :math:`p(x) = (1, x, \dots, x^d)` as the rows of X, the loss

.. math::

    L(w) = \frac{1}{2n} \lVert Xw - y \rVert^2

is a bowl with the Hessian :math:`X^\top X / n = Q \Lambda Q^\top`. Along each eigenvector the fit
is one number, and the polynomial that belongs to it is an *eigenfeature*, :math:`q_i^\top p(x)`.
Gradient descent from zero, stopped early, and Tikhonov's penalty :math:`\tfrac{\delta}{2} \lVert w
\rVert^2` both keep a fraction of each: a *filter* of the least-squares solution.

References
----------
G. Goh, "Why Momentum Really Works", Distill, 2017, "Example: Polynomial Regression".
"""

import numpy as np

from cnnlesson._support.arguments import (
    MomentumCoefficient,
    NonNegative,
    NonNegativeCount,
    NonNegatives,
    Positive,
    Vector,
    checked,
)
from cnnlesson.momentum.iterates import quadratic_path

__all__ = ["PolynomialRegression", "early_stopping_filter", "tikhonov_filter"]


@checked
def early_stopping_filter(
    curvatures: NonNegatives,
    *,
    lr: Positive,
    momentum: MomentumCoefficient = 0.0,
    num_steps: NonNegativeCount,
) -> np.ndarray:
    r"""Return what part of its way each component has gone when momentum stops after k steps.

    Without momentum it is :math:`1 - (1 - \alpha\lambda)^k`.

    Parameters
    ----------
    curvatures : array_like, shape (dim,)
        Eigenvalues λ of the Hessian, 0 or more.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1).
    num_steps : int
        Number of steps k, 0 or more.

    Returns
    -------
    numpy.ndarray, shape (dim,)
        0 at the start, 1 at the minimum. With momentum it can swing beyond 1.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    left = quadratic_path(
        curvatures, np.ones(1), lr=lr, momentum=momentum, steps=np.array([num_steps])
    ).w[0]
    return 1 - left


@checked
def tikhonov_filter(curvatures: NonNegatives, penalty: NonNegative) -> np.ndarray:
    r"""Return what part of each component is kept under a penalty on the weights.

    Parameters
    ----------
    curvatures : array_like, shape (dim,)
        Eigenvalues λ of the Hessian, 0 or more; positive where the penalty is 0.
    penalty : float
        Strength δ of the penalty :math:`\tfrac{\delta}{2} \lVert w \rVert^2`, 0 or more.

    Returns
    -------
    numpy.ndarray, shape (dim,)
        :math:`\lambda / (\lambda + \delta)`, from 0 to 1.

    Raises
    ------
    ValueError
        If an argument is out of its range, or a curvature and the penalty are both 0.
    """
    if penalty == 0 and not curvatures.all():
        raise ValueError("penalty: expected a positive number where a curvature is 0, found 0")
    return curvatures / (curvatures + penalty)


class PolynomialRegression:
    r"""Least squares with the powers of x as features, in the basis of its eigenvectors.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        The points to fit.
    degree : int
        Degree d of the polynomial, 0 or more; there are more than d different ``x``.

    Attributes
    ----------
    hessian : numpy.ndarray, shape (d + 1, d + 1)
        :math:`X^\top X / n`.
    curvatures : numpy.ndarray, shape (d + 1,)
        Its eigenvalues, the largest first: the order in which they are learned.
    eigenvectors : numpy.ndarray, shape (d + 1, d + 1)
        Its eigenvectors, one a column, each with its largest entry positive.
    coefficients : numpy.ndarray, shape (d + 1,)
        The least-squares solution along each eigenvector.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """

    @checked
    def __init__(self, x: Vector, y: Vector, degree: NonNegativeCount) -> None:
        if y.shape != x.shape:
            raise ValueError(f"y: expected one number for each of the {x.size} x, found {y.size}")
        if (found := np.unique(x).size) <= degree:
            raise ValueError(f"degree: expected below the {found} different x, found {degree}")
        self.x, self.y, self.degree = x, y, degree
        features = self.features(x) / np.sqrt(x.size)
        self.hessian = features.T @ features
        # From the features: the Hessian has the squares of their singular values, and with them
        # half the digits of the smallest.
        left, singular, right = np.linalg.svd(features, full_matrices=False)
        signs = np.sign(right[np.arange(degree + 1), np.abs(right).argmax(axis=1)])
        self.curvatures = singular**2
        self.eigenvectors = (signs[:, None] * right).T
        self.coefficients = signs * (left.T @ y) / np.sqrt(x.size) / singular

    def __repr__(self) -> str:
        return f"PolynomialRegression({self.x.size} points, degree={self.degree})"

    def features(self, x: np.ndarray) -> np.ndarray:
        """Return 1, x, …, xᵈ.

        Parameters
        ----------
        x : numpy.ndarray, shape (m,)
            Points.

        Returns
        -------
        numpy.ndarray, shape (m, d + 1)
            The powers, one a column.
        """
        return np.vander(x, self.degree + 1, increasing=True)

    def eigenfeatures(self, x: np.ndarray) -> np.ndarray:
        """Return the polynomials that are learned each at a speed of its own.

        Parameters
        ----------
        x : numpy.ndarray, shape (m,)
            Points.

        Returns
        -------
        numpy.ndarray, shape (m, d + 1)
            Their values, one polynomial a column, in the order of ``curvatures``.
        """
        return self.features(x) @ self.eigenvectors

    def weights(self, kept: np.ndarray) -> np.ndarray:
        """Return the weights of the powers when a part of each component is kept.

        Parameters
        ----------
        kept : numpy.ndarray, shape (d + 1,)
            A filter, in the order of ``curvatures``; 1 everywhere is least squares.

        Returns
        -------
        numpy.ndarray, shape (d + 1,)
            The weights.
        """
        return self.eigenvectors @ (kept * self.coefficients)
