"""The mode of a model, training or evaluation: each layer has one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["evaluating"]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Hold a model in evaluation mode, without gradients; then each layer is in its mode again.

    Parameters
    ----------
    model : torch.nn.Module
        The model. One that was exported has a single mode, and stays in it.

    Returns
    -------
    contextlib.AbstractContextManager
        Inside of it the model is in that mode.
    """
    modes = {module: module.training for module in model.modules()}
    try:
        try:
            model.eval()
        except NotImplementedError:  # by an exported part, and those after it have not been asked
            for module in modes:
                module.training = False
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training
