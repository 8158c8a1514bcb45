"""Short texts that tell one training from another: of images, of layers, of a loss, of a file."""

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["checksum_of", "fingerprint", "name_of", "outline"]


def outline(module: nn.Module) -> str:
    """Return a layer with its settings; of what holds other layers the class alone.

    Parameters
    ----------
    module : torch.nn.Module
        The layer.

    Returns
    -------
    str
        One line.
    """
    is_leaf = next(module.children(), None) is None
    return " ".join(repr(module).split()) if is_leaf else type(module).__qualname__


def fingerprint(tensor: Tensor | None) -> str | None:
    """Return a short text that differs for different tensors.

    Parameters
    ----------
    tensor : torch.Tensor or None
        Images or labels.

    Returns
    -------
    str or None
        Shape, type and the beginning of the SHA-256 of the numbers; None for None.
    """
    if tensor is None:
        return None
    return f"{tuple(tensor.shape)} {tensor.dtype} {hashlib.sha256(_bytes(tensor)).hexdigest()[:16]}"


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def checksum_of(value: object) -> str:
    """Return a checksum of what a file holds: a hand may change it, and keep it readable.

    Parameters
    ----------
    value : object
        Tensors, numbers and text, in dicts, lists and tuples.

    Returns
    -------
    str
        The SHA-256 of all of it, in hexadecimal.
    """
    digest = hashlib.sha256()

    def add(value: object) -> None:
        digest.update(f"{type(value).__name__}:".encode())
        if isinstance(value, Tensor):
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(_bytes(value))
        elif isinstance(value, dict):
            for key, item in value.items():
                add(key)
                add(item)
        elif isinstance(value, list | tuple):
            for item in value:
                add(item)
        else:
            digest.update(repr(value).encode())
        digest.update(b";")

    add(value)
    return digest.hexdigest()


def name_of(criterion: Callable[..., object]) -> str:
    """Return what tells one loss from another: a module with its settings, a function by its name.

    Parameters
    ----------
    criterion : callable
        The loss.

    Returns
    -------
    str
        For a module its class, settings and the fingerprints of its tensors.
    """
    if not isinstance(criterion, nn.Module):
        return getattr(criterion, "__qualname__", type(criterion).__qualname__)
    simple = (bool, int, float, str)
    settings = {k: v for k, v in vars(criterion).items() if isinstance(v, simple)}
    tensors = {k: fingerprint(w) for k, w in criterion.state_dict().items()}
    return f"{criterion!r} {settings | tensors}"
