"""Whose parameters are counted where: those of a layer, of a model, and what stands outside."""

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnlesson._support.functions import tensors_in

__all__ = ["Count", "count_parameters", "outside_the_rows"]


class Count(NamedTuple):
    """How many parameters there are.

    Attributes
    ----------
    all, trainable : int
        All of them, and those that have ``requires_grad``.
    """

    all: int
    trainable: int


def count_parameters(module: nn.Module) -> Count:
    """Count the parameters of a module and all within; one under several names counts once.

    Packed weights count too: a quantised layer holds its weights, but not as parameters.

    Parameters
    ----------
    module : torch.nn.Module
        A layer or a model.

    Returns
    -------
    Count
        How many, without those of lazy layers that know no size yet.
    """
    tensors = list(_tensors(module).values())
    trainable = sum(t.numel() for _, t in tensors if t.requires_grad)
    return Count(sum(t.numel() for _, t in tensors), trainable)


def outside_the_rows(model: nn.Module, layers: list[nn.Module]) -> list[str]:
    """Say why the rows of a table do not add up to the parameters of the model.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    layers : list of torch.nn.Module
        The layers that have a row each, in order, one that ran twice as often.

    Returns
    -------
    list of str
        A line for parameters in no row, and one for those in several; none if the sum is right.
    """
    counted = Counter(key for layer in layers for key in _tensors(layer))
    held = _tensors(model)
    lines = []
    if left := [held[key] for key in held if key not in counted]:
        lines.append(f"{_number(left)} in no row: {_names(left)}")
    if again := [(*held[key], counted[key] - 1) for key in held if counted[key] > 1]:
        extra = sum(tensor.numel() * times for _, tensor, times in again)
        names = _names([(name, tensor) for name, tensor, _ in again])
        lines.append(f"{extra:,} in several rows, counted once: {names}")
    return lines


def _number(named: list[tuple[str, Tensor]]) -> str:
    return f"{sum(tensor.numel() for _, tensor in named):,}"


def _names(named: list[tuple[str, Tensor]]) -> str:
    names = [name for name, _ in named]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _tensors(module: nn.Module) -> dict[object, tuple[str, Tensor]]:
    """Return what a module holds in parameters, each once, under a key of its own."""
    found: dict[object, tuple[str, Tensor]] = {
        id(p): (name, p) for name, p in module.named_parameters() if not is_lazy(p)
    }
    for name, part in module.named_modules():
        for number, (own, tensor) in enumerate(_packed(part)):
            found[id(part), number] = (f"{name}.{own}".lstrip("."), tensor)
    return found


def _packed(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights that a quantised layer unpacks when it is asked."""
    for name in ("weight", "bias", "get_weight", "get_bias"):
        unpack = getattr(module, name, None)
        if type(module).__module__.startswith("torch.ao.") and inspect.ismethod(unpack):
            for tensor in tensors_in(unpack()):
                yield name.removeprefix("get_"), tensor
