"""What a trained model says of images, and how often it is right."""

import torch
from torch import Tensor, nn

from cnnlesson._support.arguments import Count, check_pair, checked

__all__ = ["evaluate", "predict", "predict_logits", "predict_proba"]

# The default batch of 250 images keeps the largest activations of ConvNet, 32 maps of 26×26
# before and after the ReLU, at 41 MiB. All 60,000 images at once would need over 9 GiB.


@checked
def predict_logits(model: nn.Module, x: Tensor, batch_size: Count = 250) -> Tensor:
    """Return the model's output for all images, computed in batches.

    The model runs in evaluation mode and without gradients; afterwards each of its layers is in
    the mode it was in.

    Parameters
    ----------
    model : torch.nn.Module
        The model. Batches are moved to the device it is on.
    x : torch.Tensor, shape (n, ...)
        Images, n at least 1.
    batch_size : int, default 250
        Images per batch. It bounds the memory, and changes the result by rounding at most.

    Returns
    -------
    torch.Tensor, shape (n, num_classes)
        Logits, on the model's device.

    Raises
    ------
    ValueError
        If there are no images, or ``batch_size`` is less than 1.
    """
    if len(x) == 0:
        raise ValueError("x: expected at least one image, found none")
    device = next(model.parameters(), x).device  # a model may have no parameters
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            logits = model(x[:batch_size].to(device))
            # Allocated once: small results kept between the large activations of the batches
            # would fragment the heap, and memory would grow with the number of images.
            logits = torch.cat([logits, logits.new_empty(len(x) - len(logits), *logits.shape[1:])])
            for start in range(batch_size, len(x), batch_size):
                end = start + batch_size
                logits[start:end] = model(x[start:end].to(device))
            return logits
    finally:
        for module, training in modes.items():
            module.training = training


def predict_proba(model: nn.Module, x: Tensor, batch_size: int = 250) -> Tensor:
    """Return the probability of each class, the softmax of the logits.

    Parameters
    ----------
    model, x, batch_size
        As for :func:`predict_logits`.

    Returns
    -------
    torch.Tensor, shape (n, num_classes)
        Probabilities; each row sums to 1.
    """
    return predict_logits(model, x, batch_size).softmax(dim=1)


def predict(model: nn.Module, x: Tensor, batch_size: int = 250) -> Tensor:
    """Return the most probable class of each image.

    Parameters
    ----------
    model, x, batch_size
        As for :func:`predict_logits`.

    Returns
    -------
    torch.Tensor, shape (n,), int64
        Class indices; the lowest where several are equally probable.
    """
    return predict_logits(model, x, batch_size).argmax(dim=1)


@checked
def evaluate(model: nn.Module, x: Tensor, y: Tensor, batch_size: Count = 250) -> float:
    """Return the accuracy: the share of images whose most probable class is their label.

    Parameters
    ----------
    model, x
        As for :func:`predict_logits`.
    y : torch.Tensor, shape (n,)
        Labels.
    batch_size : int, default 250
        As for :func:`predict_logits`.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If images and labels differ in number, or there are none.
    """
    check_pair("x", x, "y", y)
    predicted = predict(model, x, batch_size)
    return int((predicted == y.to(predicted.device)).sum()) / len(y)
