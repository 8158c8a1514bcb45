"""Which of a network's ReLUs still let anything through."""

from typing import NamedTuple

from torch import Tensor, nn

from cnnlesson.evaluation import predict_logits

__all__ = ["ReluActivity", "dead_channels", "relu_activity"]


class ReluActivity(NamedTuple):
    """What one ReLU layer does with some images.

    Attributes
    ----------
    dead : float
        Share of its channels that give 0 for every image, wherever they look.
    active : float
        Share of all its outputs that are not 0.
    """

    dead: float
    active: float


def relu_activity(model: nn.Module, x: Tensor) -> tuple[Tensor, dict[str, ReluActivity]]:
    """Look at each ReLU layer while a model answers.

    Parameters
    ----------
    model, x
        As for `dead_channels`.

    Returns
    -------
    tuple
        The logits, as of :func:`cnnlesson.evaluation.predict_logits`, and for each ReLU, by its
        name in the model, what it does.

    Raises
    ------
    ValueError
        As by `dead_channels`.
    """
    awake: dict[str, Tensor] = {}
    counts: dict[str, tuple[int, int]] = {}
    seen: list[str] = []  # in one pass of the model

    def look(name: str, output: Tensor) -> None:
        if name in seen:
            raise ValueError(
                f"model: expected each ReLU to be one layer, found {name!r} used twice"
            )
        seen.append(name)
        fires = output.detach() != 0
        active, total = counts.get(name, (0, 0))
        counts[name] = (active + int(fires.sum()), total + fires.numel())
        # The channels are the second axis; all other axes are images and places.
        channels = fires.transpose(0, 1).flatten(start_dim=1).any(dim=1)
        awake[name] = awake[name] | channels if name in awake else channels

    handles = [model.register_forward_pre_hook(lambda *_: seen.clear())]
    handles += [
        module.register_forward_hook(lambda _, __, output, name=name: look(name, output))
        for name, module in model.named_modules()
        if isinstance(module, nn.ReLU)
    ]
    try:
        logits = predict_logits(model, x)
    finally:
        for handle in handles:
            handle.remove()
    return logits, {
        name: ReluActivity(
            (~channels).double().mean().item(), counts[name][0] / max(counts[name][1], 1)
        )
        for name, channels in awake.items()
    }


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
    return {name: relu.dead for name, relu in relu_activity(model, x)[1].items()}
