"""What a model answers to a batch: checked, and explained if it fails."""

import torch
from torch import Tensor, nn

from cnnlesson._support.diagnosis import explain, explain_shape
from cnnlesson._support.inputs import check_logits

__all__ = ["answer", "count_correct"]


def answer(
    model: nn.Module, x_name: str, x: Tensor, rows: slice, num_classes: int | None = None
) -> Tensor:
    """Return a model's logits for a batch, on the model's device.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    x_name : str
        What the caller calls the images.
    x : torch.Tensor, shape (n, ...)
        All images, on any device.
    rows : slice
        Which of them are the batch; one or more.
    num_classes : int, optional
        How many outputs the model had for an earlier batch.

    Returns
    -------
    torch.Tensor, shape (len(x[rows]), num_classes)
        Logits.

    Raises
    ------
    ValueError
        If the model cannot take such a batch, or answers with anything but one row of real numbers
        for each image. An error of the model's own code is passed on.
    """
    batch = x[rows].to(next(model.parameters(), x).device)  # a model may have no parameters
    try:
        logits = model(batch)
    except Exception as error:
        if (explained := explain(model, x_name, x, batch, error)) is None:
            raise
        raise explained from explained.__cause__
    check_logits(logits)
    if logits.dim() != 2 or len(logits) != len(batch) or num_classes not in (None, logits.shape[1]):
        raise explain_shape(model, x_name, x, batch, logits, num_classes)
    is_real = logits.is_floating_point() and logits.layout is torch.strided
    if not is_real or not logits.shape[1]:
        raise ValueError(
            "model: expected a real number for each class and image, "
            f"found shape {tuple(logits.shape)} of {logits.dtype}, {logits.layout}"
        )
    return logits


def count_correct(logits: Tensor, y: Tensor) -> int:
    """Return how many images have their label for their most probable class.

    Parameters
    ----------
    logits : torch.Tensor, shape (n, num_classes)
        Logits. An image with a NaN among them has no most probable class: it counts as wrong.
    y : torch.Tensor, shape (n,)
        Labels, on any device.

    Returns
    -------
    int
        From 0 to n.
    """
    is_right = (logits.argmax(dim=1) == y.to(logits.device)) & ~logits.isnan().any(dim=1)
    return int(is_right.sum())
