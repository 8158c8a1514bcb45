r"""The equations of momentum, in the five forms they are written in.

Throughout the course the three lines of *classical* momentum are

.. math::

    g_t = \nabla L(w_{t-1}), \qquad v_t = \mu v_{t-1} - \alpha g_t, \qquad w_t = w_{t-1} + v_t,

with :math:`v_0 = 0`, step size :math:`\alpha > 0` and momentum :math:`0 \le \mu < 1`.
"""

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from cnnlesson._support.arguments import (
    MomentumCoefficient,
    NonNegative,
    NonNegativeCount,
    NonNegatives,
    Positive,
    Seed,
    Vector,
    checked,
)

__all__ = ["Trajectory", "convert_lr", "momentum_descent"]

Gradient = Callable[[np.ndarray], np.ndarray]
State = tuple[np.ndarray, np.ndarray]

Convention = Annotated[
    Literal["classical", "pytorch", "average", "nesterov", "nesterov-pytorch"],
    Field(description='"classical", "pytorch", "average", "nesterov" or "nesterov-pytorch"'),
]


def _classical(gradient: Gradient, w: np.ndarray, v: np.ndarray, lr: float, mu: float) -> State:
    v = mu * v - lr * gradient(w)
    return w + v, v


def _pytorch(gradient: Gradient, w: np.ndarray, b: np.ndarray, lr: float, mu: float) -> State:
    b = mu * b + gradient(w)
    return w - lr * b, b


def _average(gradient: Gradient, w: np.ndarray, m: np.ndarray, lr: float, mu: float) -> State:
    m = mu * m + (1 - mu) * gradient(w)
    return w - lr * m, m


def _nesterov(gradient: Gradient, w: np.ndarray, v: np.ndarray, lr: float, mu: float) -> State:
    v = mu * v - lr * gradient(w + mu * v)
    return w + v, v


def _nesterov_pytorch(
    gradient: Gradient, w: np.ndarray, b: np.ndarray, lr: float, mu: float
) -> State:
    g = gradient(w)
    b = mu * b + g
    return w - lr * (g + mu * b), b


_STEPS = {
    "classical": _classical,
    "pytorch": _pytorch,
    "average": _average,
    "nesterov": _nesterov,
    "nesterov-pytorch": _nesterov_pytorch,
}


class Trajectory(NamedTuple):
    """The path of an optimiser: one row per step, row 0 the start.

    Attributes
    ----------
    w : numpy.ndarray, shape (num_steps + 1, dim)
        The weights.
    v : numpy.ndarray, shape (num_steps + 1, dim)
        What the optimiser remembers; the first row is zero. In the classical form the velocities.
    """

    w: np.ndarray
    v: np.ndarray


@checked
def momentum_descent(
    gradient: Callable[[np.ndarray], ArrayLike],
    w0: Vector,
    *,
    lr: NonNegatives,
    momentum: MomentumCoefficient = 0.0,
    num_steps: NonNegativeCount = 150,
    convention: Convention = "classical",
    noise: NonNegative = 0.0,
    seed: Seed = 0,
) -> Trajectory:
    r"""Follow momentum downhill from ``w0``.

    Parameters
    ----------
    gradient : callable
        Takes the weights, shape (dim,), returns the gradient of the loss there, same shape.
    w0 : array_like, shape (dim,)
        The start. A number is taken as a vector of length 1.
    lr : float or array_like, shape (num_steps,)
        Step size α, positive; or a schedule, one for each step, which may reach 0.
    momentum : float, default 0
        Momentum μ, in [0, 1). With 0 this is gradient descent.
    num_steps : int, default 150
        Number of steps, 0 or more.
    convention : str, default "classical"
        Which equations to follow: see the notes.
    noise : float, default 0
        Standard deviation σ of the noise in each component of the gradient, 0 or more: the heavy
        ball with noise sees :math:`\nabla L + \sigma\xi_t`, with independent standard normal
        :math:`\xi_t`.
    seed : int, default 0
        Decides the noise.

    Returns
    -------
    Trajectory
        Weights and memory, ``num_steps + 1`` rows each. A diverging path is followed as far
        as float64 can hold it, and is infinite or NaN from there on.

    Raises
    ------
    ValueError
        If an argument is out of its range, ``w0`` is no vector of finite real numbers, there is
        neither one ``lr`` nor one for each step, or the gradient has another shape than the
        weights.

    Notes
    -----
    What is remembered, ``Trajectory.v``, starts from zero and has a letter of its own in each
    convention:

    - ``"classical"`` (Polyak's heavy ball [1]_), the velocity:
      :math:`v \gets \mu v - \alpha\nabla L(w)`, :math:`w \gets w + v`.
    - ``"pytorch"``, the buffer of ``torch.optim.SGD``:
      :math:`b \gets \mu b + \nabla L(w)`, :math:`w \gets w - \alpha b`.
    - ``"average"``, the exponential average of the gradients:
      :math:`m \gets \mu m + (1 - \mu)\nabla L(w)`, :math:`w \gets w - \alpha m`.
    - ``"nesterov"`` [2]_, in the form of [3]_, the velocity, with the gradient ahead:
      :math:`v \gets \mu v - \alpha\nabla L(w + \mu v)`, :math:`w \gets w + v`.
    - ``"nesterov-pytorch"``, ``torch.optim.SGD`` with ``nesterov=True``:
      :math:`g = \nabla L(w)`, :math:`b \gets \mu b + g`,
      :math:`w \gets w - \alpha(g + \mu b)`.

    At a constant α the first three walk one path (the third needs the α of :func:`convert_lr`),
    with :math:`v = -\alpha b` and :math:`m = (1 - \mu)\,b`. The last two walk one path in different
    variables: PyTorch's weights are the points ahead, :math:`w + \mu v`. Once α changes,
    ``"classical"`` parts from the next two, and ``"nesterov"`` from the last. The paths of the
    first three stay together if the velocity is multiplied by r = new α / old α with each change.
    For Nesterov's the point ahead must stay where it is, so the weights move as well:
    :math:`w \gets w + \mu(1 - r)v`, then :math:`v \gets rv`.

    References
    ----------
    .. [1] B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR
       Computational Mathematics and Mathematical Physics 4(5), 1964.
    .. [2] Y. Nesterov, "A method for solving the convex programming problem with convergence rate
       O(1/k²)", Doklady Akademii Nauk SSSR 269(3), 1983.
    .. [3] I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and
       momentum in deep learning", ICML 2013.
    """
    if lr.size == 1 and not lr[0]:
        raise ValueError("lr: expected a positive finite number, or a schedule, found 0")
    if lr.size not in (1, num_steps):
        raise ValueError(
            f"lr: expected one number, or one for each of the {num_steps} steps, found {lr.size}"
        )
    generator = np.random.default_rng(seed)

    def observed(w: np.ndarray) -> np.ndarray:
        g = np.asarray(gradient(w.copy()), dtype=float)
        if g.shape != w0.shape:
            raise ValueError(f"gradient: expected shape {w0.shape}, found {g.shape}")
        return g + noise * generator.standard_normal(g.shape) if noise else g

    step = _STEPS[convention]
    w = np.empty((num_steps + 1, w0.size))
    v = np.zeros_like(w)
    w[0] = w0
    with np.errstate(over="ignore", invalid="ignore"):
        for t, alpha in enumerate(np.broadcast_to(lr, num_steps)):
            w[t + 1], v[t + 1] = step(observed, w[t], v[t], alpha, momentum)
    return Trajectory(w, v)


@checked
def convert_lr(
    lr: Positive, momentum: MomentumCoefficient, *, source: Convention, target: Convention
) -> float:
    """Return the step size with which one convention walks the path of another.

    The momentum μ is the same in all of them.

    Parameters
    ----------
    lr : float
        Step size α in the convention ``source``, positive.
    momentum : float
        Momentum μ, in [0, 1).
    source, target : str
        Two conventions of :func:`momentum_descent`: both of ``"classical"``, ``"pytorch"`` and
        ``"average"``, or both of Nesterov's, whose paths no step size makes equal to the others.

    Returns
    -------
    float
        The step size in the convention ``target``. The exponential average needs α/(1 − μ) where
        the others have α; between the rest nothing changes.

    Raises
    ------
    ValueError
        If an argument is out of its range, or only one of the conventions is Nesterov's.
    """
    if source.startswith("nesterov") != target.startswith("nesterov"):
        raise ValueError(
            f"target: expected a convention that can walk the path of {source!r}, found {target!r}"
        )
    factor = {"average": 1 / (1 - momentum)}
    return lr * factor.get(target, 1.0) / factor.get(source, 1.0)
