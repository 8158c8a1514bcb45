"""Clues in printed numbers that need no network: what they say is a small calculation each."""

import math
from typing import NamedTuple

import numpy as np

from cnnlesson._support.arguments import Count, MomentumCoefficient, Positive, checked

__all__ = ["Expected", "always_one_class", "never_drawn", "train_biases"]


class Expected(NamedTuple):
    """A number that depends on chance.

    Attributes
    ----------
    mean : float
        What it is on average.
    std : float
        Its standard deviation.
    """

    mean: float
    std: float


@checked
def never_drawn(num_images: Count, num_draws: Count) -> Expected:
    r"""Return how many images are never drawn when some are drawn with replacement.

    Each image escapes all draws with the probability :math:`p = (1 - 1/n)^m`, nearly
    :math:`e^{-m/n}`, and two certain images both escape with :math:`q = (1 - 2/n)^m`. So the mean
    is :math:`n p` and the variance :math:`n p + n (n - 1) q - (n p)^2`. Escapes are not
    independent: who escapes leaves more draws to the others, so that the variance is smaller than
    :math:`n p (1 - p)`.

    Parameters
    ----------
    num_images : int
        Images n, 1 or more.
    num_draws : int
        Draws m, 1 or more.

    Returns
    -------
    Expected
        Mean and standard deviation.
    """
    n = num_images
    one = n * (1 - 1 / n) ** num_draws
    pairs = n * (n - 1) * max(1 - 2 / n, 0) ** num_draws
    return Expected(one, math.sqrt(max(one + pairs - one**2, 0)))


@checked
def always_one_class(num_chosen: Count, num_images: Count, num_of_class: Count) -> Expected:
    """Return how often a network is right that answers one class to everything.

    Parameters
    ----------
    num_chosen : int
        Images it is asked about, chosen by chance and without repetition.
    num_images : int
        Images they are chosen from, 2 or more, and no fewer than are chosen.
    num_of_class : int
        How many of these show the class.

    Returns
    -------
    Expected
        Mean and standard deviation of the number of right answers, which is hypergeometric.

    Raises
    ------
    ValueError
        If more are chosen, or of the class, than there are.
    """
    for name, number in (("num_chosen", num_chosen), ("num_of_class", num_of_class)):
        if number > num_images:
            raise ValueError(f"{name}: expected at most {num_images}, found {number}")
    share = num_of_class / num_images
    left = (num_images - num_chosen) / max(num_images - 1, 1)
    return Expected(num_chosen * share, math.sqrt(num_chosen * share * (1 - share) * left))


@checked
def train_biases(
    labels: np.ndarray,
    *,
    lr: Positive,
    momentum: MomentumCoefficient,
    batch_size: Count,
    num_epochs: Count,
) -> list[float]:
    """Train the biases of the last layer alone, which is all that learns in a dead network.

    Parameters
    ----------
    labels : numpy.ndarray, shape (n,)
        The digits 0 to 9 in the order in which they come, the same in every epoch.
    lr : float
        Step size α, positive.
    momentum : float
        Momentum μ, in [0, 1).
    batch_size : int
        Labels per step, 1 or more.
    num_epochs : int
        Passes over the labels, 1 or more.

    Returns
    -------
    list of float
        Mean loss of the batches of each epoch. The biases begin at 0.
    """
    bias, velocity = np.zeros(10), np.zeros(10)
    batches = [
        np.bincount(labels[i : i + batch_size], minlength=10) / len(labels[i : i + batch_size])
        for i in range(0, len(labels), batch_size)
    ]
    means = []
    for _ in range(num_epochs):
        total = 0.0
        for shares in batches:
            weights = np.exp(bias - bias.max())
            softmax = weights / weights.sum()
            total -= float(shares @ np.log(softmax))
            velocity = momentum * velocity + (softmax - shares)
            bias = bias - lr * velocity
        means.append(total / len(batches))
    return means
