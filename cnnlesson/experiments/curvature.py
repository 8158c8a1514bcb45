"""Curvature of the real loss: how sharp the bowl is that the network stands in.

A neural network has no fixed bowl, but at each point its loss has a Hessian, the matrix of second
derivatives. It has as many rows as there are weights, so it is never written down: a product with
one vector costs about as much as two gradients, and products are all that Lanczos needs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
from torch import Tensor, nn

from cnnlesson._support.arguments import Count, Positive, Seed, checked
from cnnlesson._support.inputs import check_pair

__all__ = ["GradientNoise", "batch_sharpness", "gradient_noise", "sharpness"]

Criterion = Callable[[Tensor, Tensor], Tensor]

# Images per pass: bounds the memory, changes results by rounding at most.
_CHUNK = 250
# Vectors that Lanczos keeps. SciPy's 20 would cost 20 products even where 7 are enough.
_KRYLOV = 6


class GradientNoise(NamedTuple):
    """How much the gradient of one image differs from the mean gradient.

    Attributes
    ----------
    signal : float
        Squared length of the mean gradient.
    noise : float
        Mean squared distance of one image's gradient from the mean gradient, the trace of the
        gradients' covariance. The gradient of a random batch of B images has the noise
        ``noise / B``.
    scale : float
        ``noise / signal``, the batch size at which noise and signal are equal; infinite where the
        mean gradient is 0.
    """

    signal: float
    noise: float
    scale: float


@checked
def sharpness(
    model: nn.Module, criterion: Criterion, x: Tensor, y: Tensor, *, tolerance: Positive = 1e-3
) -> float:
    """Return the largest eigenvalue of the Hessian of the mean loss.

    On a quadratic this is the curvature λ that bounds the step size: gradient descent with
    momentum μ converges for α < 2 (1 + μ) / λ.

    Parameters
    ----------
    model : torch.nn.Module
        The model; its parameters are the variables, and are left as they were. It is evaluated in
        the mode it is in.
    criterion : callable
        The mean loss over a batch, such as ``torch.nn.CrossEntropyLoss()``.
    x : torch.Tensor, shape (n, ...)
        Images, n at least 1.
    y : torch.Tensor, shape (n,)
        Their labels.
    tolerance : float, default 1e-3
        Relative accuracy of the eigenvalue, positive.

    Returns
    -------
    float
        The eigenvalue, in units of loss per squared unit of weight.

    Raises
    ------
    ValueError
        If images and labels differ in number, or there are none, or no parameter has a gradient.
    scipy.sparse.linalg.ArpackError
        If Lanczos does not get there, as where a weight is not a finite number.

    Notes
    -----
    Lanczos iteration by ARPACK, over products of the Hessian with a vector after Pearlmutter
    (1994).
    """
    check_pair("x", x, "y", y)
    weights = _weights(model)
    size = sum(w.numel() for w in weights)

    def multiply(vector: np.ndarray) -> np.ndarray:
        direction = torch.as_tensor(vector.ravel(), dtype=weights[0].dtype)
        direction = direction.to(weights[0].device)
        total = torch.zeros_like(direction)
        for images, labels in zip(x.split(_CHUNK), y.split(_CHUNK), strict=True):
            product = _curve(model, criterion, images, labels, direction)[1]
            total += product * (len(images) / len(x))
        return total.double().cpu().numpy()

    hessian = LinearOperator((size, size), matvec=multiply, dtype=np.float64)
    if size <= _KRYLOV:  # too few for Lanczos, and few enough to write the Hessian down
        return float(np.linalg.eigvalsh(hessian @ np.eye(size)).max())
    start = np.random.default_rng(0).standard_normal(size)  # the same answer every time
    try:
        [largest] = eigsh(
            hessian,
            k=1,
            which="LA",
            ncv=_KRYLOV,
            v0=start,
            tol=tolerance,
            return_eigenvectors=False,
        )
    except ArpackError:
        if not multiply(start).any():  # a loss without curvature, from which Lanczos cannot start
            return 0.0
        raise
    return float(largest)


@checked
def batch_sharpness(
    model: nn.Module,
    criterion: Criterion,
    x: Tensor,
    y: Tensor,
    batch_size: Count,
    *,
    num_batches: Count = 32,
    seed: Seed = 0,
) -> float:
    r"""Return the mean curvature of a batch's loss along that batch's own gradient.

    This is what a step of stochastic gradient descent meets: it goes along the gradient
    :math:`g_B` of a batch B, whose own loss has the Hessian :math:`H_B`. The mean is that of

    .. math:: \frac{g_B^\top H_B \, g_B}{g_B^\top g_B}

    over random batches.

    Parameters
    ----------
    model, criterion, x, y
        As for `sharpness`.
    batch_size : int
        Images per batch, from 1 to n, drawn without repetition.
    num_batches : int, default 32
        Number of batches to average over, 1 or more.
    seed : int, default 0
        Decides which batches.

    Returns
    -------
    float
        The mean curvature. Batches whose gradient is exactly 0 are left out; NaN if all are.

    Raises
    ------
    ValueError
        If images and labels differ in number, or are fewer than ``batch_size``.

    References
    ----------
    Andreyev, A. and Beneventano, P., "Edge of Stochastic Stability: Revisiting the Edge of
    Stability for SGD", arXiv:2412.20553.
    """
    check_pair("x", x, "y", y)
    if batch_size > len(x):
        raise ValueError(f"batch_size: expected at most {len(x)}, found {batch_size}")
    generator = torch.Generator().manual_seed(seed)
    curvatures = []
    for _ in range(num_batches):
        batch = torch.randperm(len(x), generator=generator)[:batch_size].to(x.device)
        along, product = _curve(model, criterion, x[batch], y[batch.to(y.device)])
        if bool(along.any()):
            curvatures.append((along @ product).item())
    return float(np.mean(curvatures)) if curvatures else float("nan")


@checked
def gradient_noise(model: nn.Module, criterion: Criterion, x: Tensor, y: Tensor) -> GradientNoise:
    """Compare the gradients of single images with their mean.

    Parameters
    ----------
    model, criterion, x, y
        As for `sharpness`, n at least 2.

    Returns
    -------
    GradientNoise
        Signal, noise (with n − 1 in the denominator) and their ratio.

    Raises
    ------
    ValueError
        If images and labels differ in number, or are fewer than 2.

    References
    ----------
    McCandlish, S. et al., "An Empirical Model of Large-Batch Training", arXiv:1812.06162, where
    the ratio is called the simple noise scale.
    """
    check_pair("x", x, "y", y)
    if len(x) < 2:
        raise ValueError(f"x: expected at least 2 images, found {len(x)}")
    weights = _weights(model)
    mean = torch.zeros(sum(w.numel() for w in weights), dtype=torch.float64)
    squares = 0.0  # of the distances from the mean, updated with it (Welford 1962)
    for number, (image, label) in enumerate(zip(x.split(1), y.split(1), strict=True), start=1):
        loss = _loss(model, criterion, image, label)
        distance = _flat(_derivatives(loss, weights)).double().cpu() - mean
        mean += distance / number
        squares += (distance @ distance).item() * (number - 1) / number
    signal = (mean @ mean).item()
    noise = squares / (len(x) - 1)
    return GradientNoise(signal, noise, noise / signal if signal else float("inf"))


def _weights(model: nn.Module) -> list[Tensor]:
    weights: list[Tensor] = [w for w in model.parameters() if w.requires_grad]
    if not weights:
        raise ValueError("model: expected parameters that require a gradient, found none")
    return weights


def _flat(tensors: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def _loss(model: nn.Module, criterion: Criterion, x: Tensor, y: Tensor) -> Tensor:
    device = _weights(model)[0].device
    return criterion(model(x.to(device)), y.to(device))


def _curve(
    model: nn.Module,
    criterion: Criterion,
    x: Tensor,
    y: Tensor,
    direction: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return a direction, by default that of the gradient, and the Hessian times it."""
    weights = _weights(model)
    loss = _loss(model, criterion, x, y)
    gradient = _flat(_derivatives(loss, weights, create_graph=True))
    if direction is None:  # of length 1, for no product to be too small or too large a number
        direction = nn.functional.normalize(gradient.detach().double(), dim=0, eps=1e-300)
        direction = direction.to(gradient.dtype)
    product = _flat(_derivatives(gradient @ direction, weights))
    return direction, product.detach()


def _derivatives(
    value: Tensor, weights: list[Tensor], *, create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Return the derivatives by the weights, 0 by those that the value does not depend on."""
    if not value.requires_grad:  # a loss without curvature has a constant gradient
        return tuple(torch.zeros_like(w) for w in weights)
    return torch.autograd.grad(value, weights, create_graph=create_graph, materialize_grads=True)
