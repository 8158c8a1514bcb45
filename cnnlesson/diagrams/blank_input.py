"""What the diagrams of a network are given: a model, and the shape of an input."""

from itertools import chain
from typing import Annotated

import torch
from pydantic import Field
from torch import nn

from cnnlesson._support.arguments import Count

__all__ = ["InputShape", "Model", "blank_input"]

Model = Annotated[nn.Module, Field(description="a torch.nn.Module")]
InputShape = Annotated[
    tuple[Count, ...],
    Field(description="whole numbers, 1 or more, batch first, such as (1, 1, 28, 28)"),
]


def blank_input(model: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """Return a blank input where the model is, in its precision.

    Parameters
    ----------
    model : torch.nn.Module
        A model on any device.
    shape : tuple of int
        Shape of the input, batch dimension first.

    Returns
    -------
    torch.Tensor
        Zeros.
    """
    for tensor in chain(model.parameters(), model.buffers()):
        if tensor.is_floating_point():
            return torch.zeros(shape, device=tensor.device, dtype=tensor.dtype)
    return torch.zeros(shape)
