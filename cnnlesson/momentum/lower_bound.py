"""A bowl on which no first-order method is fast: the convex Rosenbrock function."""

import numpy as np
from numpy.typing import ArrayLike

from cnnlesson._support.arguments import ConditionNumber, Count, NonNegativeCount, checked

__all__ = ["ConvexRosenbrock"]


class ConvexRosenbrock:
    r"""A chain of weights, each tied to its neighbours, pulled at one end.

    .. math::

        L(w) = \tfrac12 (w_1 - 1)^2 + \tfrac12 \sum_{i=1}^{n} (w_i - w_{i+1})^2
        + \frac{2}{\kappa - 1} \lVert w \rVert^2, \qquad w_{n+1} = 0.

    Each weight feels only its neighbours, so news travels one weight per step. From zero, after
    :math:`k` steps of *any* method that combines the gradients seen so far (with a step size of
    its own for each weight, if it likes), all weights behind the :math:`k`-th are still zero.

    Parameters
    ----------
    condition_number : float
        κ, above 1: the condition number in the limit of a long chain. A finite one has less.
    dim : int
        Number of weights n, 1 or more.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Y. Nesterov, "Introductory Lectures on Convex Optimization", Kluwer, 2004, section 2.1.4.

    G. Goh, "Why Momentum Really Works", Distill, 2017, which gives the limit for the minimiser.
    """

    @checked
    def __init__(self, condition_number: ConditionNumber, dim: Count) -> None:
        self.condition_number = condition_number
        self.dim = dim

    def __repr__(self) -> str:
        return f"ConvexRosenbrock(condition_number={self.condition_number}, dim={self.dim})"

    @property
    def _tie_to_zero(self) -> float:
        return 4 / (self.condition_number - 1)

    @property
    def hessian(self) -> np.ndarray:
        """The matrix of second derivatives, shape (dim, dim)."""
        neighbours = np.eye(self.dim, k=1) + np.eye(self.dim, k=-1)
        return (2 + self._tie_to_zero) * np.eye(self.dim) - neighbours

    @property
    def curvatures(self) -> np.ndarray:
        """The eigenvalues 4/(κ − 1) + 4 sin²(πj/(2n + 2)) of the Hessian, shape (dim,)."""
        j = np.arange(1, self.dim + 1)
        return self._tie_to_zero + 4 * np.sin(np.pi * j / (2 * self.dim + 2)) ** 2

    @property
    def minimiser(self) -> np.ndarray:
        """Where the loss is least, shape (dim,).

        In the limit of a long chain weight i tends to qⁱ, with q = (√κ − 1)/(√κ + 1).
        """
        i = np.arange(1, self.dim + 1)
        n = self.dim
        log_q = np.log1p(-2 / (1 + np.sqrt(self.condition_number)))
        # qⁱ, less its reflection at the far end, which makes weight n + 1 zero.
        return np.exp(i * log_q) * np.expm1(2 * (n + 1 - i) * log_q) / np.expm1(2 * (n + 1) * log_q)

    def _weights(self, w: ArrayLike) -> np.ndarray:
        weights = np.asarray(w)
        if weights.shape != (self.dim,):
            raise ValueError(f"w: expected shape ({self.dim},), found {weights.shape}")
        return weights

    def loss(self, w: ArrayLike) -> float:
        """Return the loss.

        Parameters
        ----------
        w : array_like, shape (dim,)
            The weights.

        Returns
        -------
        float
            The loss, 0 or more.

        Raises
        ------
        ValueError
            If ``w`` has another shape.
        """
        w = self._weights(w)
        return float(
            0.5 * (w[0] - 1) ** 2
            + 0.5 * np.sum(np.diff(w, append=0) ** 2)
            + self._tie_to_zero / 2 * np.sum(w**2)
        )

    def gradient(self, w: ArrayLike) -> np.ndarray:
        """Return the gradient of the loss, as :func:`momentum_descent` wants it.

        Parameters
        ----------
        w : array_like, shape (dim,)
            The weights.

        Returns
        -------
        numpy.ndarray, shape (dim,)
            The gradient: each component needs only the weight and its two neighbours.

        Raises
        ------
        ValueError
            If ``w`` has another shape.
        """
        w = self._weights(w)
        return -np.diff(w, n=2, prepend=1, append=0) + self._tie_to_zero * w

    @checked
    def lower_bound(self, num_steps: NonNegativeCount) -> np.ndarray:
        r"""Return how near to the minimiser any first-order method can be that starts from zero.

        Parameters
        ----------
        num_steps : int
            Number of steps, 0 or more.

        Returns
        -------
        numpy.ndarray, shape (num_steps + 1,)
            After k steps the largest distance of a weight from its minimum,
            :math:`\lVert w_k - w^\star \rVert_\infty`, is at least :math:`w^\star_{k+1}`, and 0
            from step ``dim`` on. In the limit of a long chain this is :math:`q^{k+1}`: the rate
            of momentum at its best.
        """
        bound = np.zeros(num_steps + 1)
        reached = self.minimiser[: num_steps + 1]
        bound[: reached.size] = reached
        return bound
