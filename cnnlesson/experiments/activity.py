"""Which of a network's ReLUs still let anything through."""

from torch import Tensor, nn

from cnnlesson.evaluation import predict_logits

__all__ = ["dead_channels"]


def dead_channels(model: nn.Module, x: Tensor) -> dict[str, float]:
    """Measure how much of each ReLU layer is dead: gives 0 for every image, wherever it looks.

    No gradient passes a dead channel, so that its weights stay as they are for as long as the
    channels below stay as they are.

    Parameters
    ----------
    model : torch.nn.Module
        The model; each of its ``torch.nn.ReLU`` modules is a layer.
    x : torch.Tensor, shape (n, ...)
        Images, n at least 1. A channel counts as dead if none of these wakes it.

    Returns
    -------
    dict of str to float
        For each ReLU, by its name in the model, the share of its channels that are dead, from 0
        to 1. Empty for a model without ReLUs.

    Raises
    ------
    ValueError
        If there are no images, or a module serves as more than one layer.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU())
    >>> with torch.no_grad():
    ...     _ = model[0].weight.zero_()
    ...     _ = model[0].bias.copy_(torch.tensor([-1.0, 1.0, -1.0, 1.0]))
    >>> dead_channels(model, torch.zeros(3, 2))
    {'1': 0.5}
    """
    awake: dict[str, Tensor] = {}
    seen: list[str] = []  # in one pass of the model

    def look(name: str, output: Tensor) -> None:
        if name in seen:
            raise ValueError(
                f"model: expected each ReLU to be one layer, found {name!r} used twice"
            )
        seen.append(name)
        # The channels are the second axis; all other axes are images and places.
        fires = (output.detach() != 0).transpose(0, 1).flatten(start_dim=1).any(dim=1)
        awake[name] = awake[name] | fires if name in awake else fires

    handles = [model.register_forward_pre_hook(lambda *_: seen.clear())]
    handles += [
        module.register_forward_hook(lambda _, __, output, name=name: look(name, output))
        for name, module in model.named_modules()
        if isinstance(module, nn.ReLU)
    ]
    try:
        predict_logits(model, x)
    finally:
        for handle in handles:
            handle.remove()
    return {name: (~fires).double().mean().item() for name, fires in awake.items()}
