"""A valley that bends: Rosenbrock's function, in the scale of the explorer's picture."""

import numpy as np
from numpy.typing import ArrayLike

from cnnlesson._support.arguments import Positive, Vector, checked

__all__ = ["RosenbrockValley"]


class RosenbrockValley:
    r"""A narrow bowl whose floor is a parabola.

    .. math::

        L(x, y) = \frac{1}{10}\left(\frac{(x - 8)^2}{\kappa}
        + \left(y + 4 - \frac{x^2}{8}\right)^2\right)

    The second square is zero along the floor, :math:`y = x^2/8 - 4`, and the first draws a path
    along it to the minimum at (8, 4), where the loss is zero. With :math:`x = 8X` and
    :math:`y = 8Y - 4` it is

    .. math::

        \frac{6.4}{\kappa}\left((1 - X)^2 + \kappa\,(Y - X^2)^2\right) .

    Rosenbrock's own function is the bracket with :math:`\kappa = 100`.

    The factor 1/10 makes the larger curvature at the minimum about 1, as it is in the explorer's
    bowl: the same step sizes do something in both.

    It is no bowl: its curvatures change from place to place. What holds for bowls holds here near
    the minimum, with the curvatures there. (`ConvexRosenbrock` is another function, and a bowl.)

    Parameters
    ----------
    steepness : float
        κ, positive: how much steeper the walls are than the floor. The condition number at the
        minimum is about 25κ.

    Raises
    ------
    ValueError
        If κ is not positive and finite.

    References
    ----------
    H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a function",
    The Computer Journal 3(3), 1960.
    """

    minimiser = (8.0, 4.0)

    @checked
    def __init__(self, steepness: Positive) -> None:
        self.steepness = steepness

    def __repr__(self) -> str:
        return f"RosenbrockValley(steepness={self.steepness})"

    @property
    def curvatures(self) -> np.ndarray:
        """The eigenvalues of the Hessian at the minimum, shape (2,), the smaller one first."""
        along = 1 / self.steepness + 4
        steep = (along + 1 + np.hypot(along - 1, 4)) / 10
        # The determinant of the Hessian is 1/25κ. As a difference the small one would lose digits.
        return np.array([1 / self.steepness / 25 / steep, steep])

    def loss(self, w: ArrayLike) -> np.ndarray:
        """Return the loss of points.

        Parameters
        ----------
        w : array_like, shape (..., 2)
            Points, x and y.

        Returns
        -------
        numpy.ndarray, shape (...)
            Loss of each, 0 or more.
        """
        x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
        return ((x - 8) ** 2 / self.steepness + (y + 4 - x * x / 8) ** 2) / 10

    def gradient(self, w: ArrayLike) -> np.ndarray:
        """Return the gradient of the loss, as :func:`momentum_descent` wants it.

        Parameters
        ----------
        w : array_like, shape (2,)
            A point, x and y.

        Returns
        -------
        numpy.ndarray, shape (2,)
            The gradient there.
        """
        x, y = np.asarray(w, dtype=float)
        above = y + 4 - x * x / 8  # the floor
        return np.array([((x - 8) / self.steepness - x * above / 4) / 5, above / 5])

    @checked
    def contour(self, loss: Positive, x: Vector) -> np.ndarray:
        r"""Return points at which the loss has one value: an ellipse, bent as the floor is.

        Parameters
        ----------
        loss : float
            The value, positive.
        x : array_like, shape (2,)
            From where to where: the points end at this x, where the ellipse goes on.

        Returns
        -------
        numpy.ndarray, shape (130, 2)
            The points: above the floor from the right to the left, below it back again.

        Raises
        ------
        ValueError
            If an argument is out of its range.
        """
        high = np.sqrt(10 * loss)
        wide = high * np.sqrt(self.steepness)
        left, right = np.arccos(np.clip((x - 8) / wide, -1, 1))
        half = np.linspace(right, left, 65)
        angles = np.concatenate([half, -half[::-1]])
        at = 8 + wide * np.cos(angles)
        return np.column_stack([at, at**2 / 8 - 4 + high * np.sin(angles)])
