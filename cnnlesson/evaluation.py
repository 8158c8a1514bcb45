"""What a trained model says of images, and how often it is right."""

import torch
from torch import Tensor

from cnnlesson._support.answers import answer, count_correct
from cnnlesson._support.arguments import Count, checked
from cnnlesson._support.inputs import (
    Images,
    Labels,
    Model,
    check_classes,
    check_images,
    check_labels,
    check_model,
    check_several,
)
from cnnlesson._support.modes import evaluating

__all__ = ["evaluate", "predict", "predict_logits", "predict_proba"]

# The default batch of 250 images keeps the largest activations of ConvNet, 32 maps of 26×26
# before and after the ReLU, at 41 MiB. All 60,000 images at once would need over 9 GiB.


@checked
def predict_logits(model: Model, x: Images, batch_size: Count = 250) -> Tensor:
    """Return the model's output for all images, computed in batches.

    The model runs in evaluation mode and without gradients; afterwards each of its layers is in
    the mode it was in. So no other thread may train the model meanwhile, nor ask it anything.

    Parameters
    ----------
    model : torch.nn.Module
        The model. Batches are moved to the device it is on.
    x : torch.Tensor, shape (n, ...)
        Images, n at least 1, of the shape and dtype that the model takes: (n, 1, 28, 28) and
        float32 for :class:`ConvNet`.
    batch_size : int, default 250
        Images per batch. It bounds the memory, and changes the result by rounding at most.

    Returns
    -------
    torch.Tensor, shape (n, num_classes)
        Logits, on the model's device.

    Raises
    ------
    ValueError
        If there are no images, ``batch_size`` is less than 1, the model does not take such images,
        or does not answer with one row of numbers for each.
    """
    check_model("model", model)
    check_images("x", x)
    with evaluating(model):
        logits = answer(model, "x", x, slice(batch_size))
        num_classes = logits.shape[1]
        # Allocated once: small results kept between the large activations of the batches
        # would fragment the heap, and memory would grow with the number of images.
        logits = torch.cat([logits, logits.new_empty(len(x) - len(logits), num_classes)])
        for start in range(batch_size, len(x), batch_size):
            rows = slice(start, start + batch_size)
            logits[rows] = answer(model, "x", x, rows, num_classes)
        return logits


def predict_proba(model: Model, x: Images, batch_size: int = 250) -> Tensor:
    """Return the probability of each class, the softmax of the logits.

    Parameters
    ----------
    model, x, batch_size
        As for :func:`predict_logits`.

    Returns
    -------
    torch.Tensor, shape (n, num_classes)
        Probabilities; each row sums to 1, or is NaN where a logit is.
    """
    return predict_logits(model, x, batch_size).softmax(dim=1)


def predict(model: Model, x: Images, batch_size: int = 250) -> Tensor:
    """Return the most probable class of each image.

    Parameters
    ----------
    model, x, batch_size
        As for :func:`predict_logits`.

    Returns
    -------
    torch.Tensor, shape (n,), int64
        Class indices; the lowest where several are equally probable.

    Raises
    ------
    ValueError
        As by :func:`predict_logits`. If a logit is NaN, as after a training that diverged: such an
        image has no most probable class. If the model has one output only.
    """
    logits = predict_logits(model, x, batch_size)
    check_several(logits.shape[1])
    if without_answer := int(logits.isnan().any(dim=1).sum()):
        raise ValueError(
            f"model: expected logits that are numbers, found NaN for {without_answer} of the "
            f"{len(x)} images; did its training diverge, or does x hold NaN?"
        )
    return logits.argmax(dim=1)


@checked
def evaluate(model: Model, x: Images, y: Labels, batch_size: Count = 250) -> float:
    """Return the accuracy: the share of images whose most probable class is their label.

    Parameters
    ----------
    model, x
        As for :func:`predict_logits`.
    y : torch.Tensor, shape (n,)
        Labels: whole numbers of any dtype, from 0 to the number of classes − 1.
    batch_size : int, default 250
        As for :func:`predict_logits`.

    Returns
    -------
    float
        Between 0 and 1. An image for which a logit is NaN has no most probable class, and counts
        as wrong: a model whose training diverged has an accuracy of 0.

    Raises
    ------
    ValueError
        As by :func:`predict_logits`. If there is not one label for each image, or a label is none
        of the model's classes. If the model has one output only.
    """
    check_model("model", model)
    check_images("x", x)
    check_labels("x", x, "y", y)
    num_classes, num_correct = None, 0
    with evaluating(model):
        for start in range(0, len(x), batch_size):
            rows = slice(start, start + batch_size)
            logits = answer(model, "x", x, rows, num_classes)
            if num_classes is None:
                num_classes = logits.shape[1]
                check_several(num_classes)
                check_classes("y", y, num_classes)
            num_correct += count_correct(logits, y[rows])
    return num_correct / len(y)
